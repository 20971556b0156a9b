//! Receipt handles.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Error;
use super::queues::Queue;

/// One receive of one message. Its text is the receipt handle, opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// The queue that the message was received from.
    pub(crate) queue: i64,
    /// The message.
    pub(crate) seq: i64,
    /// Which receive of the message it was, from 1.
    pub(crate) receive: i64,
}

impl Receipt {
    /// Refuses a receipt of another queue.
    pub(crate) fn check(&self, queue: &Queue) -> Result<(), Error> {
        if self.queue == queue.id {
            Ok(())
        } else {
            Err(Error::ReceiptHandleIsInvalid)
        }
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{}.{}", self.queue, self.seq, self.receive);
        f.write_str(&URL_SAFE_NO_PAD.encode(text))
    }
}

impl FromStr for Receipt {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let mut numbers = text.split('.').map(|number| number.parse().ok());
            let receipt = Self {
                queue: numbers.next()??,
                seq: numbers.next()??,
                receive: numbers.next()??,
            };
            numbers.next().is_none().then_some(receipt)
        };
        parse().ok_or(Error::ReceiptHandleIsInvalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_read_back_and_anything_else_is_refused() {
        let receipt = Receipt {
            queue: 1,
            seq: 20,
            receive: 3,
        };
        assert_eq!(receipt.to_string().parse::<Receipt>().unwrap(), receipt);
        for text in ["", "nonsense", "MS4y", "MS4yLjMuNA", "é"] {
            assert!(text.parse::<Receipt>().is_err(), "{text}");
        }
    }
}
