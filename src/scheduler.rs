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
    /// Jobs that are provisioned: they join the queue of their tier when they have what they take.
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
pub(crate) struct Provisioning(#[expect(dead_code, reason = "it is held, and dropped")] Place);

impl Scheduler {
    /// Has so many slots of each tier, and a queue with these limits before each.
    pub(crate) fn new(wasm: usize, docker: usize, limits: QueueLimits) -> Scheduler {
        Scheduler {
            wasm: Queue::new(wasm, limits),
            docker: Queue::new(docker, limits),
            provisioning: Queue::of_holders(wasm.saturating_add(limits.places), limits),
        }
    }

    /// Lets a job in, at once or not at all. What a container takes is made only for as many as may then wait.
    pub(crate) fn enter(&self, tier: Tier, is_ready: bool, owner: u64, bytes: usize) -> Result<Entry, Full> {
        if is_ready {
            return Ok(Entry::Queue(self.of(tier).enter(owner, bytes)?));
        }
        if tier == Tier::Docker {
            self.docker.has_room(owner, bytes, self.provisioning.load().busy)?;
        }
        Ok(Entry::Provisioning(Provisioning(self.provisioning.enter(owner, bytes)?)))
    }

    /// Lets a job in that runs once more, which is not turned away any more.
    pub(crate) fn enter_again(&self, tier: Tier, is_ready: bool, owner: u64, bytes: usize) -> Entry {
        match is_ready {
            true => Entry::Queue(self.of(tier).join(owner, bytes)),
            false => Entry::Provisioning(Provisioning(self.provisioning.join(owner, bytes))),
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
        in_tiers + self.provisioning.load().busy
    }

    fn of(&self, tier: Tier) -> &Arc<Queue> {
        match tier {
            Tier::Wasm => &self.wasm,
            Tier::Docker => &self.docker,
        }
    }
}
