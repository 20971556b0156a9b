//! When to try again.

use std::time::{Duration, SystemTime};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Waits after each failed attempt, from the first: 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h.
const WAITS: [i64; 9] = [
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];

/// The longest wait that a receiver can ask for, in milliseconds: 24 h.
pub const LONGEST_ASKED_MS: i64 = 24 * HOUR;

/// How many attempts are made before an event is given up: 10, over three days.
pub const ATTEMPTS: u32 = 10;

/// How long to wait after `failed` failures in a row, in milliseconds; `None` when it is time to give up. A receiver that
/// `asked` for a longer wait (milliseconds) gets it, up to [`LONGEST_ASKED_MS`]. Up to a tenth is added so that receivers
/// that were down for all are not met by all at once.
#[must_use]
pub fn wait_ms(failed: u32, asked: Option<i64>) -> Option<i64> {
    let planned = *WAITS.get(usize::try_from(failed.checked_sub(1)?).ok()?)?;
    let wait = planned.max(asked.unwrap_or(0).min(LONGEST_ASKED_MS));
    Some(wait + rand::random_range(0..=wait / 10))
}

/// What a header `Retry-After` asks for, in milliseconds from `now_s` (seconds since 1970): a number of seconds or an
/// HTTP date (RFC 9110, section 10.2.3). A date in the past asks for nothing, what is neither is ignored.
#[must_use]
pub fn asked_ms(header: &str, now_s: i64) -> Option<i64> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more than the longest wait.
        let seconds = header.parse().unwrap_or(i64::MAX);
        return Some(seconds.saturating_mul(SECOND));
    }
    let at = httpdate::parse_http_date(header).ok()?;
    let at = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let at = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    Some(at.saturating_sub(now_s).max(0).saturating_mul(SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_over_three_days_then_none() {
        let waits: Vec<i64> = (1..).map_while(|failed| wait_ms(failed, None)).collect();
        assert_eq!(waits.len() + 1, ATTEMPTS as usize);
        for (wait, least) in waits.iter().zip(WAITS) {
            assert!((least..=least + least / 10).contains(wait));
        }
        assert_eq!(wait_ms(0, None), None);
    }

    #[test]
    fn a_receiver_can_ask_for_a_longer_wait_and_not_for_a_shorter_one() {
        let within = |wait: Option<i64>, least: i64| (least..=least + least / 10).contains(&wait.unwrap());
        assert!(within(wait_ms(1, Some(120 * SECOND)), 120 * SECOND));
        assert!(within(wait_ms(3, Some(120 * SECOND)), 30 * MINUTE));
        assert!(within(wait_ms(1, Some(i64::MAX)), LONGEST_ASKED_MS));
        assert!(within(wait_ms(1, Some(-1)), 5 * SECOND));
        assert_eq!(wait_ms(10, Some(1)), None, "asking does not add attempts");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // RFC 9110, section 5.6.7, writes this moment in all three forms.
        let moment = 784_111_777;
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(asked_ms(date, moment - 90), Some(90_000), "{date}");
            assert_eq!(asked_ms(date, moment + 90), Some(0), "{date}");
        }
        assert_eq!(asked_ms("120", moment), Some(120_000));
        assert_eq!(asked_ms(" 0 ", moment), Some(0));
        assert_eq!(asked_ms("99999999999999999999", moment), Some(i64::MAX));
        for garbage in ["", "-1", "1.5", "soon", "+5", "1e9", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(asked_ms(garbage, moment), None, "{garbage}");
        }
    }
}
