//! `ClientRequestToken`: a transaction that comes again with its token within ten minutes is answered and not repeated.
//!
//! Costs the same however many tokens are remembered: they lie in a map, and in a queue about in the order in which they
//! are to be forgotten. Transactions of different tokens do not wait for each other. An answer that is repeated is the first
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
    /// When to look whether a token is to be forgotten, about the soonest first.
    to_forget: VecDeque<(i64, String)>,
}

/// Held while the token's transaction runs, so that the same one waits and finds the answer.
type Slot = Arc<Mutex<Option<Answered>>>;

struct Answered {
    request: u64,
    answer: String,
    /// When it is to be forgotten.
    until_ms: i64,
}

impl Tokens {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            hasher: RandomState::new(),
            remembered: Mutex::default(),
        }
    }

    /// Runs `transaction`, or repeats the answer that it had under this token in the last ten minutes. One that failed is
    /// run again.
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
            until_ms: self.clock.now_ms() + REMEMBERED_MS,
        });
        Ok(answer)
    }

    fn slot(&self, token: &str) -> Slot {
        let now = self.clock.now_ms();
        let mut remembered = lock(&self.remembered);
        while let Some((_, old)) = remembered.to_forget.pop_front_if(|(at, _)| *at <= now) {
            match remembered.by_token.get(&old).map(|slot| until(slot, now)) {
                Some(until_ms) if until_ms > now => remembered.to_forget.push_back((until_ms, old)),
                _ => drop(remembered.by_token.remove(&old)),
            }
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

/// Until when a token must be remembered: its transaction may be running, or have been tried again later.
fn until(slot: &Slot, now_ms: i64) -> i64 {
    if Arc::strong_count(slot) > 1 {
        return now_ms + REMEMBERED_MS;
    }
    lock(slot).as_ref().map_or(now_ms, |answered| answered.until_ms)
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
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

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

    /// It counts from the answer, not from an attempt that failed before.
    #[test]
    fn a_token_is_remembered_for_ten_minutes_after_its_answer() {
        let clock = Clock::manual(0);
        let tokens = Tokens::new(clock.clone());
        let fail = || Err(DynoxideError::InternalServerError(String::new()));
        assert!(tokens.once("one", PUT, fail).is_err());
        clock.advance_ms(REMEMBERED_MS - 1);
        assert_eq!(tokens.once("one", PUT, || Ok("first".to_owned())).unwrap(), "first");
        clock.advance_ms(REMEMBERED_MS - 1);
        assert_eq!(tokens.once("one", PUT, || Ok("again".to_owned())).unwrap(), "first");
        clock.advance_ms(1);
        assert_eq!(tokens.once("one", PUT, || Ok("again".to_owned())).unwrap(), "again");
    }

    #[test]
    fn a_transaction_that_failed_is_run_again() {
        let tokens = Tokens::new(Clock::manual(0));
        let fail = || Err(DynoxideError::InternalServerError(String::new()));
        assert!(tokens.once("one", PUT, fail).is_err());
        assert_eq!(tokens.once("one", ANOTHER, || Ok(String::new())).unwrap(), "");
    }

    #[test]
    fn the_same_token_waits_for_the_first_and_gets_its_answer() {
        let tokens = Tokens::new(Clock::manual(0));
        let (begun, began) = mpsc::channel();
        let is_answered = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                tokens.once("one", PUT, || {
                    begun.send(()).unwrap();
                    // The other one waits when it has a part in the slot, beside the map's and this one's. One that does
                    // not wait is answered.
                    let waits = || Arc::strong_count(&lock(&tokens.remembered).by_token["one"]) == 3;
                    while !waits() && !is_answered.load(Ordering::Acquire) {
                        std::thread::yield_now();
                    }
                    Ok("first".to_owned())
                })
            });
            began.recv().unwrap();
            let second = tokens.once("one", PUT, || Ok("second".to_owned()));
            is_answered.store(true, Ordering::Release);
            assert_eq!(second.unwrap(), "first");
            assert_eq!(first.join().unwrap().unwrap(), "first");
        });
    }

    #[test]
    fn other_tokens_do_not_wait() {
        let tokens = Tokens::new(Clock::manual(0));
        let inner = tokens.once("one", PUT, || tokens.once("two", PUT, || Ok("inner".to_owned())));
        assert_eq!(inner.unwrap(), "inner");
    }
}
