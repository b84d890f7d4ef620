//! Permits that owners take in turns: one who asks for a hundred does not keep another's first one waiting for all of
//! them.

use crate::sync::lock;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::oneshot;

/// So many permits, and one more for an owner who has none, so that no one has all of them.
#[derive(Debug)]
pub(crate) struct Turns {
    permits: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Permits by owner.
    held: HashMap<u64, usize>,
    /// Those who wait, by owner; the owner at the front is next.
    waiting: VecDeque<(u64, VecDeque<oneshot::Sender<Permit>>)>,
}

/// A permit, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    /// Nothing when it was given back otherwise.
    turns: Option<Arc<Turns>>,
    owner: u64,
}

impl Turns {
    pub(crate) fn new(permits: usize) -> Arc<Turns> {
        Arc::new(Turns { permits, state: Mutex::default() })
    }

    /// Waits for a permit; dropping the future leaves the queue.
    pub(crate) async fn acquire(self: &Arc<Turns>, owner: u64) -> Permit {
        let granted = {
            let mut state = self.lock();
            // Whoever waits may not have one now, or has a turn to come.
            if state.may_have(owner, self.permits) {
                return self.permit(&mut state, owner);
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

    fn permit(self: &Arc<Turns>, state: &mut State, owner: u64) -> Permit {
        *state.held.entry(owner).or_default() += 1;
        Permit { turns: Some(Arc::clone(self)), owner }
    }

    /// Gives one back, and passes it on to who is next.
    fn give_back(self: &Arc<Turns>, owner: u64) {
        let mut state = self.lock();
        state.release(owner);
        while let Some((owner, grant)) = state.next(self.permits) {
            let permit = self.permit(&mut state, owner);
            if let Err(mut refused) = grant.send(permit) {
                // Nobody is there to take it: it is for the next one.
                refused.turns = None;
                state.release(owner);
            }
        }
    }

    /// Nothing here panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn may_have(&self, owner: u64, permits: usize) -> bool {
        let taken: usize = self.held.values().sum();
        taken < permits || taken == permits && !self.held.contains_key(&owner)
    }

    fn release(&mut self, owner: u64) {
        if let Some(held) = self.held.get_mut(&owner) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&owner);
            }
        }
    }

    /// Takes who is next out of the queue.
    fn next(&mut self, permits: usize) -> Option<(u64, oneshot::Sender<Permit>)> {
        loop {
            let at = self.waiting.iter().position(|(owner, _)| self.may_have(*owner, permits))?;
            let (owner, mut waiting) = self.waiting.remove(at)?;
            // Who has gone takes no turn.
            let next = std::iter::from_fn(|| waiting.pop_front()).find(|grant| !grant.is_closed());
            if !waiting.is_empty() {
                self.waiting.push_back((owner, waiting));
            }
            if let Some(grant) = next {
                return Some((owner, grant));
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            turns.give_back(self.owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::poll;
    use std::{pin::pin, task::Poll};

    #[tokio::test]
    async fn owners_take_turns_and_who_leaves_is_passed_over() {
        let turns = Turns::new(1);
        let first = turns.acquire(1).await;
        // One more, as it is another's.
        let of_other = turns.acquire(2).await;
        let mut of_one: Vec<_> = (0..3).map(|_| Box::pin(turns.acquire(1))).collect();
        for waiting in &mut of_one {
            assert!(poll!(waiting).is_pending());
        }
        let mut next = pin!(turns.acquire(2));
        assert!(poll!(&mut next).is_pending());
        drop(of_one.remove(0));
        drop(first);
        let Poll::Ready(second) = poll!(&mut of_one[0]) else { panic!("the one before has left") };
        drop(of_other);
        let Poll::Ready(third) = poll!(&mut next) else { panic!("it is another owner's turn") };
        assert!(poll!(&mut of_one[1]).is_pending());
        // Granted, and not taken.
        drop(second);
        drop((of_one, third));
        assert!(turns.lock().held.is_empty());
        drop(turns.acquire(3).await);
        assert!(turns.lock().held.is_empty());
    }

    #[tokio::test]
    async fn no_owner_has_all_of_them() {
        let turns = Turns::new(2);
        let _many = [turns.acquire(1).await, turns.acquire(1).await];
        let mut more = pin!(turns.acquire(1));
        assert!(poll!(&mut more).is_pending());
        let other = turns.acquire(2).await;
        assert!(poll!(pin!(turns.acquire(3))).is_pending());
        drop(other);
        assert!(poll!(&mut more).is_pending());
        drop(turns.acquire(3).await);
    }
}
