//! Time limits.

use crate::stream::Activity;
use miniscript_sdk::{Error, Result, time};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

type Sleep = Pin<Box<dyn Future<Output = Result<()>>>>;

/// Until when to wait, with a timer that is started late and set again seldom.
#[derive(Default)]
pub struct Alarm {
    sleep: Option<(Instant, Sleep)>,
}

impl Alarm {
    /// Ready when the moment has come. The moment may change from poll to poll.
    pub fn poll(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<Result<()>> {
        loop {
            let now = Instant::now();
            if until <= now {
                return Poll::Ready(Ok(()));
            }
            let late = self.sleep.as_ref().is_none_or(|(end, _)| *end > until);
            if late {
                self.sleep = Some((until, Box::pin(time::sleep(until - now))));
            }
            match self.sleep.as_mut().map(|(_, sleep)| sleep.as_mut().poll(cx)) {
                Some(Poll::Ready(Ok(()))) => self.sleep = None,
                Some(Poll::Ready(Err(error))) => return Poll::Ready(Err(error)),
                Some(Poll::Pending) | None => return Poll::Pending,
            }
        }
    }
}

/// Runs a future until a moment; None if that came first.
pub async fn until<T>(moment: Instant, work: impl Future<Output = T>) -> Result<Option<T>> {
    let (mut work, mut alarm) = (pin!(work), Alarm::default());
    poll_fn(|cx| {
        if let Poll::Ready(value) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(Some(value)));
        }
        alarm.poll(cx, moment).map_ok(|()| None)
    })
    .await
}

/// The limits of one request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For a connection to be made.
    pub connect: Duration,
    /// Without a byte in either direction.
    pub idle: Duration,
    /// For everything.
    pub deadline: Option<Instant>,
}

/// Waiting longer than this is waiting for ever, and instants stay representable.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl Limits {
    /// Of a request with this `timeout`.
    pub fn new(timeout: Option<f64>) -> Result<Self> {
        let (connect, idle) = (Duration::from_secs(10), Duration::from_secs(30));
        let Some(seconds) = timeout else { return Ok(Self { connect, idle, deadline: None }) };
        if seconds.is_nan() || seconds <= 0.0 {
            return Err(Error::value("timeout must be a positive number of seconds"));
        }
        let total = Duration::try_from_secs_f64(seconds).unwrap_or(FOREVER).min(FOREVER);
        let deadline = Instant::now() + total;
        Ok(Self { connect: connect.min(total), idle: total, deadline: Some(deadline) })
    }

    /// The moment after `limit`, or the deadline if that is earlier.
    pub fn after(&self, limit: Duration) -> Instant {
        let moment = Instant::now() + limit;
        self.deadline.map_or(moment, |deadline| deadline.min(moment))
    }
}

/// Watches a connection while a request is exchanged.
pub struct Watch {
    activity: Rc<Activity>,
    limits: Limits,
    alarm: Alarm,
}

impl Watch {
    /// Watches from now on.
    pub fn new(activity: &Rc<Activity>, limits: Limits) -> Self {
        activity.touch();
        Self { activity: Rc::clone(activity), limits, alarm: Alarm::default() }
    }

    /// Ready when a limit is reached, with what was waited for.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<&'static str>> {
        let idle_end = self.activity.last() + self.limits.idle;
        let end = self.limits.deadline.map_or(idle_end, |deadline| deadline.min(idle_end));
        self.alarm.poll(cx, end).map_ok(|()| match self.limits.deadline {
            Some(_) => "no complete answer within the timeout",
            None => "nothing was received for 30 seconds",
        })
    }
}
