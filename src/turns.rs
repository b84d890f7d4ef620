//! Permits that owners take in turns: one who asks for a hundred does not keep another's first one waiting for all of
//! them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// So many permits.
#[derive(Debug)]
pub(crate) struct Turns {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Those who wait, by owner; the owner at the front is next.
    waiting: VecDeque<(u64, VecDeque<oneshot::Sender<Permit>>)>,
}

/// A permit, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Option<Arc<Turns>>);

impl Turns {
    pub(crate) fn new(permits: usize) -> Arc<Turns> {
        Arc::new(Turns { state: Mutex::new(State { free: permits, waiting: VecDeque::new() }) })
    }

    /// Waits for a permit; dropping the future leaves the queue.
    pub(crate) async fn acquire(self: &Arc<Turns>, owner: u64) -> Permit {
        let granted = {
            let mut state = self.lock();
            if state.free > 0 {
                // Nobody waits while one is free.
                state.free -= 1;
                return Permit(Some(Arc::clone(self)));
            }
            // Those who have gone take no place.
            for (_, waiting) in &mut state.waiting {
                waiting.retain(|grant| !grant.is_closed());
            }
            state.waiting.retain(|(_, waiting)| !waiting.is_empty());
            let (grant, granted) = oneshot::channel();
            match state.waiting.iter_mut().find(|(other, _)| *other == owner) {
                Some((_, waiting)) => waiting.push_back(grant),
                None => state.waiting.push_back((owner, VecDeque::from([grant]))),
            }
            granted
        };
        match granted.await {
            Ok(permit) => permit,
            // A sender goes away only with its receiver.
            Err(_) => std::future::pending().await,
        }
    }

    /// Nothing here panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(turns) = self.0.take() else { return };
        loop {
            let next = {
                let mut state = turns.lock();
                let next = state.waiting.pop_front().and_then(|(owner, mut waiting)| {
                    let next = waiting.pop_front();
                    if !waiting.is_empty() {
                        state.waiting.push_back((owner, waiting));
                    }
                    next
                });
                if next.is_none() {
                    state.free += 1;
                }
                next
            };
            let Some(grant) = next else { return };
            match grant.send(Permit(Some(Arc::clone(&turns)))) {
                Ok(()) => return,
                // Nobody is there to take it: it is for the next one.
                Err(mut refused) => drop(refused.0.take()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::poll;
    use std::task::Poll;

    #[tokio::test]
    async fn owners_take_turns_and_who_leaves_is_passed_over() {
        let turns = Turns::new(1);
        let first = turns.acquire(1).await;
        let mut of_a: Vec<_> = (0..3).map(|_| Box::pin(turns.acquire(1))).collect();
        for waiting in &mut of_a {
            assert!(poll!(waiting).is_pending());
        }
        let mut of_b = Box::pin(turns.acquire(2));
        assert!(poll!(&mut of_b).is_pending());
        drop(of_a.remove(0));
        drop(first);
        let Poll::Ready(second) = poll!(&mut of_a[0]) else { panic!("the one before has left") };
        drop(second);
        let Poll::Ready(third) = poll!(&mut of_b) else { panic!("it is another owner's turn") };
        assert!(poll!(&mut of_a[1]).is_pending());
        // Granted, and not taken.
        drop(third);
        drop(of_a);
        assert_eq!(turns.lock().free, 1);
        drop(turns.acquire(3).await);
        assert_eq!(turns.lock().free, 1);
    }
}
