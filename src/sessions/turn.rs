//! The slot that a call holds while it runs, and not while it waits for its host.

use crate::{Pyexec, Slot, executor::Suspend, outcome::Tier, sync::lock};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    pin::Pin,
    sync::{Arc, Mutex},
};

/// A slot of a tier, for a call of an owner.
pub(super) struct Turn {
    pyexec: Pyexec,
    tier: Tier,
    owner: u64,
    slot: Mutex<Option<Slot>>,
}

impl Turn {
    /// Waits for a slot.
    pub(super) async fn new(pyexec: &Pyexec, tier: Tier, owner: &str) -> Arc<Turn> {
        let mut hasher = DefaultHasher::new();
        owner.hash(&mut hasher);
        let turn = Turn { pyexec: pyexec.clone(), tier, owner: hasher.finish(), slot: Mutex::default() };
        turn.take_again().await;
        Arc::new(turn)
    }
}

impl Suspend for Turn {
    fn give_back(&self) {
        *lock(&self.slot) = None;
    }

    fn take_again(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let slot = self.pyexec.scheduler().slot(self.tier, self.owner).await;
            *lock(&self.slot) = Some(slot);
        })
    }
}
