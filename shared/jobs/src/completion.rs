//! The completion event of a job, who is told of it, and the attempts to tell them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Job, JobId, Status, Timestamp};

/// What is known about the delivery of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Nobody asked to be told.
    None,
    /// Not yet acknowledged.
    Pending,
    /// Acknowledged.
    Delivered,
    /// Given up; can be replayed.
    Dead,
}

/// The one completion event of a job, written in the same transaction as the job's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The identity that every delivery carries, for ever.
    pub event_id: String,
    /// The job.
    pub job_id: JobId,
    /// `job.succeeded`, `job.failed` or `job.revoked`.
    pub event_type: String,
    /// When the job ended.
    pub occurred_at: Timestamp,
    /// Who is told, each with a state of its own.
    pub subscriptions: Vec<Subscription>,
    /// When its record may be forgotten.
    pub expires_at: Timestamp,
}

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subscriber {
    /// Whoever asked for the job: a URL with `{job_id}` filled in.
    Callback(String),
    /// An EventBridge bus, by name or ARN: where the system was told to put every event.
    Bus(String),
}

/// The URL, or `eventbridge:` and the bus.
impl fmt::Display for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Callback(url) => f.write_str(url),
            Self::Bus(bus) => write!(f, "eventbridge:{bus}"),
        }
    }
}

/// How the delivery of an event to one subscriber stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// To whom.
    pub to: Subscriber,
    /// How it stands: never [`Delivery::None`].
    pub delivery: Delivery,
    /// How many attempts were begun.
    pub tries: u32,
    /// How many of them since the last replay; the retry schedule counts these.
    pub round: u32,
    /// No attempt is begun before this.
    pub not_before: Timestamp,
    /// When the sweeper must look at it; absent when there is nothing left to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Why it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One attempt to deliver an event to one subscriber. Recorded when it begins, so that one whose end nobody saw is listed
/// too, and again when it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryTry {
    /// Counts from 1 for each subscriber.
    pub number: u32,
    /// How many attempts there were since the last replay, with this one.
    pub round: u32,
    /// To whom.
    pub to: Subscriber,
    /// When it began.
    pub at: Timestamp,
    /// Until then nobody begins another. If it has not ended by then, its outcome is unknown.
    pub until: Timestamp,
    /// How it ended; absent while it is under way, or for ever if whoever made it died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<TryEnd>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TryEnd {
    /// Whether the subscriber has the event.
    pub delivered: bool,
    /// How long it took.
    pub elapsed_ms: u64,
    /// The receiver's HTTP status, where it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no good answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What follows an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the subscriber has the event.
    Delivered,
    /// Another attempt at that time.
    Retry(Timestamp),
    /// Nothing, for this reason, until somebody replays it.
    Dead(String),
}

impl Completion {
    /// The event of a job that just ended, for its caller and for `bus`, where there is one. Absent while the job has not
    /// ended.
    #[must_use]
    pub fn of(job: &Job, grace_ms: i64, bus: Option<&str>) -> Option<Self> {
        let event_type = match job.state.status {
            Status::Success => "job.succeeded",
            Status::Failure => "job.failed",
            Status::Revoked => "job.revoked",
            Status::Pending | Status::Progress => return None,
        };
        let occurred_at = job.state.finished_at.unwrap_or(job.created_at);
        let callback = job.callback().map(Subscriber::Callback);
        let bus = bus.map(|bus| Subscriber::Bus(bus.to_owned()));
        Some(Self {
            event_id: format!("evt_{}", job.id),
            job_id: job.id,
            event_type: event_type.to_owned(),
            occurred_at,
            subscriptions: callback
                .into_iter()
                .chain(bus)
                .map(|to| Subscription::new(to, occurred_at, grace_ms))
                .collect(),
            expires_at: job.expires_at,
        })
    }

    /// How delivery stands over all subscribers: pending while one is, then dead if one is.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        let any = |wanted: Delivery| self.subscriptions.iter().any(|one| one.delivery == wanted);
        [Delivery::Pending, Delivery::Dead, Delivery::Delivered]
            .into_iter()
            .find(|wanted| any(*wanted))
            .unwrap_or(Delivery::None)
    }

    /// When the sweeper must look at it.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        self.subscriptions.iter().filter_map(|one| one.due_at).min()
    }
}

impl Subscription {
    fn new(to: Subscriber, now: Timestamp, grace_ms: i64) -> Self {
        Self {
            to,
            delivery: Delivery::Pending,
            tries: 0,
            round: 0,
            not_before: now,
            due_at: Some(now.plus_ms(grace_ms)),
            reason: None,
        }
    }

    /// Begins an attempt, which counts from now on, and keeps others away until `until`.
    pub(crate) fn begin(&mut self, now: Timestamp, until: Timestamp) -> DeliveryTry {
        self.tries += 1;
        self.round += 1;
        self.not_before = until;
        self.due_at = Some(until);
        DeliveryTry {
            number: self.tries,
            round: self.round,
            to: self.to.clone(),
            at: now,
            until,
            end: None,
        }
    }

    /// Whether `attempt` is the one that is under way: neither a later one nor a replay came in between.
    pub(crate) fn awaits(&self, attempt: &DeliveryTry) -> bool {
        self.to == attempt.to
            && self.delivery == Delivery::Pending
            && (self.tries, self.not_before) == (attempt.number, attempt.until)
    }

    /// Goes on as `next` says.
    pub(crate) fn settle(&mut self, next: &Next) {
        self.due_at = None;
        match next {
            Next::Delivered => self.delivery = Delivery::Delivered,
            Next::Dead(reason) => {
                self.delivery = Delivery::Dead;
                self.reason = Some(reason.clone());
            }
            Next::Retry(at) => {
                self.due_at = Some(*at);
                self.not_before = *at;
            }
        }
    }

    /// Starts anew, as if no attempt had been made but for its number.
    pub(crate) fn replay(&mut self, now: Timestamp) {
        *self = Self {
            tries: self.tries,
            ..Self::new(self.to.clone(), now, 0)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn subscription() -> Subscription {
        Subscription::new(Subscriber::Callback("https://example.org/".to_owned()), at(0), 10)
    }

    #[test]
    fn an_attempt_ends_what_it_began_and_nothing_else() {
        let mut one = subscription();
        let first = one.begin(at(0), at(30));
        assert!(one.awaits(&first));
        let second = one.begin(at(30), at(60));
        assert!(!one.awaits(&first), "a later attempt was begun");
        one.replay(at(40));
        assert!(!one.awaits(&second), "a replay waits for an attempt of its own");
        let third = one.begin(at(40), at(70));
        assert_eq!((third.number, third.round), (3, 1));
        one.settle(&Next::Dead("x".to_owned()));
        assert!(!one.awaits(&third));
    }

    #[test]
    fn an_event_is_dead_only_when_no_subscriber_waits_any_more() {
        let mut event = Completion {
            event_id: "evt_1".to_owned(),
            job_id: JobId::generate(),
            event_type: "job.succeeded".to_owned(),
            occurred_at: at(0),
            subscriptions: Vec::new(),
            expires_at: at(1),
        };
        assert_eq!((event.delivery(), event.due_at()), (Delivery::None, None));
        event.subscriptions = vec![subscription(), subscription()];
        event.subscriptions[0].settle(&Next::Dead("x".to_owned()));
        assert_eq!((event.delivery(), event.due_at()), (Delivery::Pending, Some(at(10))));
        event.subscriptions[1].settle(&Next::Delivered);
        assert_eq!((event.delivery(), event.due_at()), (Delivery::Dead, None));
        event.subscriptions.remove(0);
        assert_eq!(event.delivery(), Delivery::Delivered);
    }
}
