//! `ClientRequestToken`: a transaction that comes again with its token within ten minutes is answered and not repeated.
//!
//! Costs the same however many tokens are remembered: they lie in a map, and in a queue in the order in which they are
//! to be forgotten. Transactions of different tokens do not wait for each other. An answer that is repeated is the first
//! one, capacity included, which AWS counts anew.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynoxide::DynoxideError;
use serde_json::Value;

use super::Outcome;
use crate::engines::clock::Clock;

/// For how long AWS remembers a token.
const REMEMBERED_MS: i64 = 10 * 60_000;

/// The longest token that DynamoDB takes.
const LONGEST: usize = 36;

/// Whether DynamoDB would take the token.
pub(super) fn is_fit(token: &str) -> bool {
    (1..=LONGEST).contains(&token.len())
}

/// The tokens of the last ten minutes.
pub(super) struct Tokens {
    clock: Clock,
    hasher: RandomState,
    remembered: Mutex<Remembered>,
}

#[derive(Default)]
struct Remembered {
    by_token: HashMap<String, Slot>,
    /// Oldest first.
    to_forget: VecDeque<(i64, String)>,
}

/// Held while the token's transaction runs, so that the same one waits and finds the answer.
type Slot = Arc<Mutex<Option<Answered>>>;

struct Answered {
    request: u64,
    answer: String,
}

impl Tokens {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            hasher: RandomState::new(),
            remembered: Mutex::default(),
        }
    }

    /// Runs `transaction`, or repeats the answer that it had under this token. One that failed is not remembered.
    ///
    /// # Errors
    ///
    /// Those of the transaction, and [`DynoxideError::IdempotentParameterMismatchException`] for another one.
    pub(super) fn once(&self, token: &str, body: &[u8], transaction: impl FnOnce() -> Outcome) -> Outcome {
        let request = self.digest(body);
        let slot = self.slot(token);
        let mut slot = lock(&slot);
        match &*slot {
            Some(before) if before.request == request => return Ok(before.answer.clone()),
            Some(_) => {
                let text = "An error occurred (IdempotentParameterMismatchException)";
                return Err(DynoxideError::IdempotentParameterMismatchException(text.to_owned()));
            }
            None => {}
        }
        let answer = transaction()?;
        *slot = Some(Answered {
            request,
            answer: answer.clone(),
        });
        Ok(answer)
    }

    fn slot(&self, token: &str) -> Slot {
        let now = self.clock.now_ms();
        let mut remembered = lock(&self.remembered);
        while let Some((_, old)) = remembered.to_forget.pop_front_if(|(until, _)| *until <= now) {
            remembered.by_token.remove(&old);
        }
        if let Some(slot) = remembered.by_token.get(token) {
            return Arc::clone(slot);
        }
        let slot = Slot::default();
        remembered.by_token.insert(token.to_owned(), Arc::clone(&slot));
        remembered.to_forget.push_back((now + REMEMBERED_MS, token.to_owned()));
        slot
    }

    /// The same for the same items, in whatever order their attributes are written.
    fn digest(&self, body: &[u8]) -> u64 {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut hasher = self.hasher.build_hasher();
        hash(&request["TransactItems"], &mut hasher, &self.hasher);
        hasher.finish()
    }
}

fn hash(value: &Value, hasher: &mut DefaultHasher, entries: &RandomState) {
    match value {
        Value::Object(fields) => {
            let of_entry = |(name, value): (&String, &Value)| {
                let mut hasher = entries.build_hasher();
                name.hash(&mut hasher);
                hash(value, &mut hasher, entries);
                hasher.finish()
            };
            (0_u8, fields.iter().map(of_entry).fold(0, u64::wrapping_add)).hash(hasher);
        }
        Value::Array(values) => {
            (1_u8, values.len()).hash(hasher);
            values.iter().for_each(|value| hash(value, hasher, entries));
        }
        other => (2_u8, other).hash(hasher),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const PUT: &[u8] =
        br#"{"TransactItems": [{"Put": {"TableName": "t", "Item": {"pk": {"S": "a"}, "n": {"N": "1"}}}}]}"#;
    const THE_SAME: &[u8] =
        br#"{"TransactItems": [{"Put": {"Item": {"n": {"N": "1"}, "pk": {"S": "a"}}, "TableName": "t"}}]}"#;
    const ANOTHER: &[u8] =
        br#"{"TransactItems": [{"Put": {"TableName": "t", "Item": {"pk": {"S": "1"}, "n": {"N": "a"}}}}]}"#;

    #[test]
    fn a_transaction_is_run_once_in_ten_minutes() {
        let clock = Clock::manual(0);
        let tokens = Tokens::new(clock.clone());
        let runs = Cell::new(0);
        let run = |body| {
            tokens.once("one", body, || {
                runs.set(runs.get() + 1);
                Ok(runs.get().to_string())
            })
        };
        assert_eq!(run(PUT).unwrap(), "1");
        assert_eq!(run(THE_SAME).unwrap(), "1");
        assert!(matches!(
            run(ANOTHER),
            Err(DynoxideError::IdempotentParameterMismatchException(_))
        ));
        clock.advance_ms(REMEMBERED_MS - 1);
        assert_eq!(run(PUT).unwrap(), "1");
        clock.advance_ms(1);
        assert_eq!(run(ANOTHER).unwrap(), "2");
        assert_eq!(lock(&tokens.remembered).to_forget.len(), 1);
    }

    #[test]
    fn a_transaction_that_failed_is_run_again() {
        let tokens = Tokens::new(Clock::manual(0));
        let fail = || Err(DynoxideError::InternalServerError(String::new()));
        assert!(tokens.once("one", PUT, fail).is_err());
        assert_eq!(tokens.once("one", ANOTHER, || Ok(String::new())).unwrap(), "");
    }

    /// Neither holds the other up; the same one waits for the first and gets its answer.
    #[test]
    fn other_tokens_do_not_wait() {
        let tokens = Tokens::new(Clock::manual(0));
        let inner = tokens.once("one", PUT, || tokens.once("two", PUT, || Ok("inner".to_owned())));
        assert_eq!(inner.unwrap(), "inner");
    }
}
