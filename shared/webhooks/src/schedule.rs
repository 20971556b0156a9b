//! When to try again.

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

/// How long to wait after `failed` earlier failures and one more, in milliseconds; `None` when it is time to give up.
/// Up to a tenth is added so that receivers that were down for all are not met by all at once.
#[must_use]
pub fn retry_after_ms(failed: u32) -> Option<i64> {
    let wait = *WAITS.get(usize::try_from(failed).ok()?)?;
    let jitter = rand::random_range(0..=wait / 10);
    Some(wait + jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_over_three_days_then_none() {
        let waits: Vec<i64> = (0..).map_while(retry_after_ms).collect();
        assert_eq!(waits.len(), 9);
        for (wait, least) in waits.iter().zip(WAITS) {
            assert!((least..=least + least / 10).contains(wait));
        }
    }
}
