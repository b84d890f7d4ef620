//! Decides who runs now, who waits, and who is turned away.
//!
//! A call holds a [`Slot`] of its tier while it runs, and nothing else does: what it takes is provisioned before, and a
//! container is removed after. Each tier has a queue of its own, in which owners take turns (`queue`). Only callers that
//! [`enter`](Scheduler::enter) are turned away; those that were let in wait for as many slots as they take, one after the
//! other.

mod queue;

pub use queue::Slot;
pub(crate) use queue::{Full, Load, Place, QueueLimits};

use crate::outcome::Tier;
use queue::Queue;
use std::sync::Arc;

/// Has the slots of each tier.
#[derive(Debug)]
pub(crate) struct Scheduler {
    wasm: Arc<Queue>,
    docker: Arc<Queue>,
    /// Jobs that are provisioned: they join the queue of their tier when they have what they take. There are only places.
    provisioning: Arc<Queue>,
}

/// Says what a job was let in to.
#[derive(Debug)]
pub(crate) enum Entry {
    /// It is provisioned first.
    Provisioning(Provisioning),
    /// It is ready for a slot.
    Queue(Place),
}

/// A place among those that are provisioned, until it is dropped.
#[derive(Debug)]
#[must_use = "the place is another's when this is dropped"]
pub(crate) struct Provisioning {
    _place: Place,
}

impl Scheduler {
    /// Has so many slots of each tier, and a queue with these limits before each.
    pub(crate) fn new(wasm: usize, docker: usize, limits: QueueLimits) -> Scheduler {
        let provisioning = QueueLimits { places: wasm.saturating_add(limits.places), ..limits };
        Scheduler {
            wasm: Queue::new(wasm, limits),
            docker: Queue::new(docker, limits),
            provisioning: Queue::new(0, provisioning),
        }
    }

    /// Lets a job in, at once or not at all. What a container takes is made only for as many as may then wait.
    pub(crate) fn enter(&self, tier: Tier, is_ready: bool, owner: u64, bytes: usize) -> Result<Entry, Full> {
        if is_ready {
            return Ok(Entry::Queue(self.of(tier).enter(owner, bytes)?));
        }
        if tier == Tier::Docker {
            self.docker.has_room_besides(&self.provisioning, owner, bytes)?;
        }
        match self.provisioning.enter(owner, bytes) {
            Ok(place) => Ok(Entry::Provisioning(Provisioning { _place: place })),
            Err(_) => Err(Full::Provisioning { provisioned: self.provisioning.load().queued }),
        }
    }

    /// Lets a job in that runs once more, which is not turned away any more.
    pub(crate) fn enter_again(&self, tier: Tier, is_ready: bool, owner: u64, bytes: usize) -> Entry {
        match is_ready {
            true => Entry::Queue(self.of(tier).join(owner, bytes)),
            false => Entry::Provisioning(Provisioning { _place: self.provisioning.join(owner, bytes) }),
        }
    }

    /// Takes a job that was let in into the queue of its tier, now that it is ready.
    pub(crate) fn join(&self, entry: Entry, tier: Tier, owner: u64, bytes: usize) -> Place {
        match entry {
            Entry::Queue(place) => place,
            // It is in one of them at every moment.
            Entry::Provisioning(_provisioning) => self.of(tier).join(owner, bytes),
        }
    }

    /// Waits for a slot, however many do.
    pub(crate) async fn slot(&self, tier: Tier, owner: u64) -> Slot {
        self.of(tier).join(owner, 0).slot().await
    }

    /// Returns whether a slot is one of this tier.
    pub(crate) fn has(&self, tier: Tier, slot: &Slot) -> bool {
        slot.is_of(self.of(tier))
    }

    /// Returns how busy each tier is.
    pub(crate) fn load(&self) -> [(Tier, Load); 2] {
        [(Tier::Wasm, self.wasm.load()), (Tier::Docker, self.docker.load())]
    }

    /// Returns how many run, wait, or are provisioned.
    pub(crate) fn present(&self) -> usize {
        let in_tiers: usize = self.load().iter().map(|(_, load)| load.busy + load.queued).sum();
        in_tiers + self.provisioning.load().queued
    }

    fn of(&self, tier: Tier) -> &Arc<Queue> {
        match tier {
            Tier::Wasm => &self.wasm,
            Tier::Docker => &self.docker,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheduler(places: usize, owners: usize) -> Scheduler {
        Scheduler::new(1, 1, QueueLimits { places, bytes: 1000, owners })
    }

    fn provision(scheduler: &Scheduler, tier: Tier, owner: u64, bytes: usize) -> Result<Entry, Full> {
        scheduler.enter(tier, false, owner, bytes)
    }

    #[test]
    fn what_is_provisioned_holds_no_slot_and_joins_its_queue() {
        let scheduler = scheduler(4, 1);
        let entries: Vec<_> = (0..4).map(|_| provision(&scheduler, Tier::Docker, 0, 1).unwrap()).collect();
        let busy = || scheduler.load().map(|(_, Load { busy, queued, .. })| (busy, queued));
        assert_eq!((busy(), scheduler.present()), ([(0, 0), (0, 0)], 4));
        let places: Vec<_> = entries.into_iter().map(|entry| scheduler.join(entry, Tier::Docker, 0, 1)).collect();
        assert_eq!((busy(), scheduler.present()), ([(0, 0), (1, 3)], 4));
        drop(places);
        assert_eq!((busy(), scheduler.present()), ([(0, 0), (0, 0)], 0));
    }

    #[test]
    fn what_is_provisioned_is_bounded_in_places() {
        let scheduler = scheduler(2, 1);
        let running = scheduler.enter(Tier::Docker, true, 0, 1).unwrap();
        let waiting = scheduler.enter(Tier::Docker, true, 0, 1).unwrap();
        let provisioned = provision(&scheduler, Tier::Docker, 0, 1).unwrap();
        // There would be no place in the queue for it.
        assert_eq!(provision(&scheduler, Tier::Docker, 0, 1).unwrap_err(), Full::Provisioning { provisioned: 1 });
        let _more = [(); 2].map(|()| provision(&scheduler, Tier::Wasm, 0, 1).unwrap());
        assert_eq!(provision(&scheduler, Tier::Wasm, 0, 1).unwrap_err(), Full::Provisioning { provisioned: 3 });
        // One that runs once more was let in before.
        let again = scheduler.enter_again(Tier::Docker, false, 0, 1);
        drop((running, waiting, provisioned, again));
        let _last = provision(&scheduler, Tier::Docker, 0, 1).unwrap();
    }

    #[test]
    fn what_is_provisioned_is_bounded_in_bytes() {
        let scheduler = scheduler(9, 1);
        let large = provision(&scheduler, Tier::Wasm, 0, 5000).expect("it is the only one");
        assert!(provision(&scheduler, Tier::Wasm, 0, 1).is_err());
        drop(large);
        let _some = [600, 400].map(|bytes| provision(&scheduler, Tier::Wasm, 0, bytes).unwrap());
        assert!(provision(&scheduler, Tier::Wasm, 0, 1).is_err());
    }

    #[test]
    fn an_owner_leaves_places_for_others_to_be_provisioned() {
        for tier in [Tier::Wasm, Tier::Docker] {
            let scheduler = scheduler(12, 3);
            let let_in: Vec<_> = std::iter::from_fn(|| provision(&scheduler, tier, 0, 1).ok()).collect();
            assert_eq!(let_in.len(), 9, "{tier:?}");
            for owner in [1, 2] {
                let _its = [(); 2].map(|()| provision(&scheduler, tier, owner, 1).expect("they are its own"));
            }
        }
    }
}
