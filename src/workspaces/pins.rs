//! Objects that are read, which are not removed before that ends.

use super::storage::Storage;
use crate::sync::lock;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// Counts who reads which object in this process.
#[derive(Debug, Default)]
pub(super) struct Pins(Mutex<HashMap<String, Pin>>);

#[derive(Debug, Default)]
struct Pin {
    readers: usize,
    /// Nothing names it any more.
    is_doomed: bool,
}

/// Keeps objects until it is dropped.
#[derive(Debug)]
pub(super) struct Pinned {
    pins: Arc<Pins>,
    id: String,
    objects: Vec<String>,
    storage: Storage,
}

impl Pins {
    /// Keeps these objects, which are still named by their index.
    pub(super) fn pin(self: &Arc<Pins>, id: &str, objects: Vec<String>, storage: Storage) -> Pinned {
        let mut pins = lock(&self.0);
        for object in &objects {
            pins.entry(object.clone()).or_default().readers += 1;
        }
        Pinned { pins: Arc::clone(self), id: id.to_owned(), objects, storage }
    }

    /// Has an object removed when it is not read any more; returns whether it is read now.
    pub(super) fn doom(&self, object: &str) -> bool {
        lock(&self.0).get_mut(object).map(|pin| pin.is_doomed = true).is_some()
    }

    pub(super) fn has(&self, object: &str) -> bool {
        lock(&self.0).contains_key(object)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let mut free = Vec::new();
        let mut pins = lock(&self.pins.0);
        for object in self.objects.drain(..) {
            let Some(pin) = pins.get_mut(&object) else { continue };
            pin.readers -= 1;
            if pin.readers == 0 && pins.remove(&object).is_some_and(|pin| pin.is_doomed) {
                free.push(object);
            }
        }
        drop(pins);
        if free.is_empty() {
            return;
        }
        let (storage, id) = (self.storage.clone(), std::mem::take(&mut self.id));
        // Without a runtime, they are swept.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                for object in free {
                    storage.delete(&id, &object).await;
                }
            });
        }
    }
}
