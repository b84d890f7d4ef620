//! How often each caller may call.

use crate::{server::auth::Caller, sync::lock};
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// A token bucket for each caller: as many requests at once as in a minute, and then one by one.
#[derive(Debug)]
pub(crate) struct RateLimits {
    per_minute: u32,
    buckets: Vec<Mutex<Bucket>>,
}

/// Until when a caller should wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryAfter(pub(crate) Duration);

impl RetryAfter {
    /// Returns the wait in whole seconds, never too few, as the header wants it.
    pub(crate) fn seconds(self) -> u64 {
        self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0)
    }
}

/// Says how full a bucket was when it was last looked at; a new one is full.
#[derive(Debug, Default)]
struct Bucket(Option<(f64, Instant)>);

impl RateLimits {
    /// Makes limits for callers with indices below `callers`. 0 per minute means no limit.
    pub(crate) fn new(per_minute: u32, callers: usize) -> RateLimits {
        RateLimits { per_minute, buckets: std::iter::repeat_with(Mutex::default).take(callers).collect() }
    }

    /// Counts a request of the caller, or tells when it would count.
    pub(crate) fn check(&self, caller: &Caller, now: Instant) -> Result<(), RetryAfter> {
        if self.per_minute == 0 {
            return Ok(());
        }
        // A caller that these limits were not made for has none.
        let Some(bucket) = self.buckets.get(caller.index) else { return Ok(()) };
        lock(bucket).take(f64::from(self.per_minute), now)
    }
}

impl Bucket {
    fn take(&mut self, per_minute: f64, now: Instant) -> Result<(), RetryAfter> {
        let per_second = per_minute / 60.0;
        let (tokens, at) = self.0.unwrap_or((per_minute, now));
        // Requests race for the lock, so `now` may be a little before `at`.
        let passed = now.saturating_duration_since(at);
        let tokens = (tokens + passed.as_secs_f64() * per_second).min(per_minute);
        let taken = tokens >= 1.0;
        self.0 = Some((if taken { tokens - 1.0 } else { tokens }, at.max(now)));
        if taken { Ok(()) } else { Err(RetryAfter(Duration::from_secs_f64((1.0 - tokens) / per_second))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_a_minutes_worth_passes_and_the_next_waits_its_share() {
        let (limits, start) = (RateLimits::new(30, 1), Instant::now());
        assert_eq!(burst(&limits, 0, start), 30);
        let RetryAfter(wait) = limits.check(&caller(0), start).unwrap_err();
        assert!((wait.as_secs_f64() - 2.0).abs() < 1e-6, "{wait:?}");
        assert_eq!(RetryAfter(wait).seconds(), 2);
        assert!(limits.check(&caller(0), start + Duration::from_millis(1900)).is_err());
        assert_eq!(burst(&limits, 0, start + Duration::from_millis(2100)), 1);
    }

    #[test]
    fn an_idle_caller_saves_up_no_more_than_a_burst() {
        let (limits, start) = (RateLimits::new(30, 1), Instant::now());
        assert_eq!(burst(&limits, 0, start), 30);
        assert_eq!(burst(&limits, 0, start + Duration::from_secs(86_400)), 30);
    }

    #[test]
    fn one_callers_burst_costs_no_other() {
        let (limits, now) = (RateLimits::new(5, 2), Instant::now());
        assert_eq!(burst(&limits, 0, now), 5);
        assert_eq!(burst(&limits, 1, now), 5);
    }

    #[test]
    fn zero_means_no_limit() {
        assert_eq!(burst(&RateLimits::new(0, 1), 0, Instant::now()), 1000);
    }

    #[test]
    fn time_that_seems_to_run_backwards_gives_nothing_away() {
        let (limits, start) = (RateLimits::new(60, 1), Instant::now());
        let later = start + Duration::from_secs(10);
        assert_eq!(burst(&limits, 0, later), 60);
        assert_eq!(burst(&limits, 0, start), 0);
        assert_eq!(burst(&limits, 0, later), 0);
    }

    #[test]
    fn seconds_to_wait_are_rounded_up() {
        assert_eq!(RetryAfter(Duration::from_millis(1)).seconds(), 1);
        assert_eq!(RetryAfter(Duration::from_secs(3)).seconds(), 3);
    }

    /// Returns how many of 1000 requests pass.
    fn burst(limits: &RateLimits, index: usize, now: Instant) -> usize {
        (0..1000).take_while(|_| limits.check(&caller(index), now).is_ok()).count()
    }

    fn caller(index: usize) -> Caller {
        Caller { name: "tester".into(), index }
    }
}
