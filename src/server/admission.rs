//! Who runs now, who waits, and who is turned away.
//!
//! There are so many slots, and so many places in the queue. Within the queue callers take turns: one that sends a
//! thousand jobs does not keep another's first one waiting for all of them.

use crate::{Plan, outcome::Tier};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// Slots and the queue before them.
#[derive(Debug)]
pub(crate) struct Admission {
    slots: usize,
    queue_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    busy: usize,
    /// Those who wait, by caller; the caller at the front is next.
    turns: VecDeque<Turn>,
    waiting: usize,
    /// How many ever waited.
    numbers: u64,
}

#[derive(Debug)]
struct Turn {
    caller: usize,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// Tells one waiting from another when it leaves the queue.
    number: u64,
    grant: oneshot::Sender<Slot>,
}

/// The slots of each tier, with a queue of its own.
#[derive(Debug)]
pub(crate) struct Gates {
    wasm: Arc<Admission>,
    docker: Arc<Admission>,
    /// Executions that wait for their packages, and so for others: they have no slot of a tier meanwhile. When they have
    /// them they join its queue.
    preparing: Arc<Admission>,
}

impl Gates {
    pub(crate) fn new(wasm: Arc<Admission>, docker: Arc<Admission>) -> Gates {
        let preparing = Admission::new(wasm.slots + wasm.queue_max, 0);
        Gates { wasm, docker, preparing }
    }

    /// What an execution must enter next.
    pub(crate) fn next(&self, plan: &Plan) -> &Arc<Admission> {
        if plan.is_prepared() { self.of(plan.tier()) } else { &self.preparing }
    }

    pub(crate) fn of(&self, tier: Tier) -> &Arc<Admission> {
        match tier {
            Tier::Wasm => &self.wasm,
            Tier::Docker => &self.docker,
        }
    }

    pub(crate) fn all(&self) -> [(Tier, &Admission); 2] {
        [(Tier::Wasm, &self.wasm), (Tier::Docker, &self.docker)]
    }

    /// Executions that run or wait.
    pub(crate) fn present(&self) -> usize {
        let in_tiers: usize = self.all().iter().map(|(_, admission)| admission.busy() + admission.queued()).sum();
        in_tiers + self.preparing.busy()
    }
}

/// The queue is full.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A slot, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    admission: Arc<Admission>,
}

/// A slot, or a place in the queue, until it is dropped.
#[derive(Debug)]
pub(crate) enum Place {
    Slot(Slot),
    Queue(Ticket),
}

/// A place in the queue.
#[derive(Debug)]
pub(crate) struct Ticket {
    admission: Arc<Admission>,
    caller: usize,
    number: u64,
    granted: oneshot::Receiver<Slot>,
}

impl Admission {
    pub(crate) fn new(slots: usize, queue_max: usize) -> Arc<Admission> {
        Arc::new(Admission { slots, queue_max, state: Mutex::default() })
    }

    /// A slot when one is free, else a place in the queue, else a refusal; at once.
    pub(crate) fn enter(self: &Arc<Admission>, caller: usize) -> Result<Place, Full> {
        let state = self.lock();
        if state.busy >= self.slots && state.waiting >= self.queue_max {
            return Err(Full);
        }
        Ok(self.place(state, caller))
    }

    /// The same for who was let in elsewhere, and is not to be turned away any more: the queue has a place for it.
    pub(crate) fn join(self: &Arc<Admission>, caller: usize) -> Place {
        self.place(self.lock(), caller)
    }

    fn place(self: &Arc<Admission>, mut state: MutexGuard<'_, State>, caller: usize) -> Place {
        if state.busy < self.slots {
            // Nobody waits while a slot is free.
            state.busy += 1;
            return Place::Slot(Slot { admission: Arc::clone(self) });
        }
        state.waiting += 1;
        state.numbers += 1;
        let number = state.numbers;
        let (grant, granted) = oneshot::channel();
        let waiting = Waiting { number, grant };
        match state.turns.iter_mut().find(|turn| turn.caller == caller) {
            Some(turn) => turn.waiting.push_back(waiting),
            None => state.turns.push_back(Turn { caller, waiting: VecDeque::from([waiting]) }),
        }
        Place::Queue(Ticket { admission: Arc::clone(self), caller, number, granted })
    }

    /// In words, for who is turned away.
    pub(crate) fn why_full(&self) -> String {
        format!("all {} slots are busy and {} executions wait: try again later", self.slots(), self.queued())
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    pub(crate) fn busy(&self) -> usize {
        self.lock().busy
    }

    pub(crate) fn queued(&self) -> usize {
        self.lock().waiting
    }

    /// Nothing here panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits for the slot.
    pub(crate) async fn slot(self) -> Slot {
        match self {
            Place::Slot(slot) => slot,
            Place::Queue(mut ticket) => match (&mut ticket.granted).await {
                Ok(slot) => slot,
                // Only leaving the queue drops the sender, and that takes the ticket.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.admission.lock();
        let State { turns, waiting, .. } = &mut *state;
        if let Some(turn) = turns.iter_mut().find(|turn| turn.caller == self.caller) {
            let before = turn.waiting.len();
            turn.waiting.retain(|waiting| waiting.number != self.number);
            *waiting -= before - turn.waiting.len();
        }
        turns.retain(|turn| !turn.waiting.is_empty());
        // A slot that was granted and not taken drops with the receiver, outside of the lock.
        drop(state);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let next = {
            let mut state = self.admission.lock();
            let next = state.next();
            if next.is_none() {
                state.busy -= 1;
            }
            next
        };
        if let Some(waiting) = next {
            // The slot passes on. When nobody is there to take it, it is dropped in turn.
            drop(waiting.grant.send(Slot { admission: Arc::clone(&self.admission) }));
        }
    }
}

impl State {
    /// Takes who is next out of the queue.
    fn next(&mut self) -> Option<Waiting> {
        let mut turn = self.turns.pop_front()?;
        let next = turn.waiting.pop_front();
        if next.is_some() {
            self.waiting -= 1;
        }
        if !turn.waiting.is_empty() {
            self.turns.push_back(turn);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    fn is_ready(place: &mut std::pin::Pin<&mut impl Future<Output = Slot>>) -> Option<Slot> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match place.as_mut().poll(&mut context) {
            std::task::Poll::Ready(slot) => Some(slot),
            std::task::Poll::Pending => None,
        }
    }

    #[test]
    fn past_slots_and_queue_everyone_is_refused() {
        let admission = Admission::new(2, 1);
        let _places: Vec<_> = (0..3).map(|_| admission.enter(0).unwrap()).collect();
        assert_eq!(admission.enter(0).unwrap_err(), Full);
        assert_eq!((admission.busy(), admission.queued()), (2, 1));
    }

    #[test]
    fn who_was_let_in_elsewhere_is_not_refused() {
        let admission = Admission::new(1, 0);
        let first = admission.enter(0).unwrap();
        assert_eq!(admission.enter(0).unwrap_err(), Full);
        let mut joined = pin!(admission.join(0).slot());
        assert_eq!((is_ready(&mut joined).is_none(), admission.queued()), (true, 1));
        drop(first);
        assert!(is_ready(&mut joined).is_some());
        assert_eq!((admission.busy(), admission.queued()), (0, 0));
    }

    #[test]
    fn callers_take_turns() {
        let admission = Admission::new(1, 10);
        let first = admission.enter(0).unwrap();
        let mut many: Vec<_> = (0..3).map(|_| Box::pin(admission.enter(0).unwrap().slot())).collect();
        let mut one = pin!(admission.enter(1).unwrap().slot());
        drop(first);
        let slot = is_ready(&mut many[0].as_mut()).unwrap();
        drop(slot);
        let slot = is_ready(&mut one).expect("the other caller's only job comes before the first one's second");
        assert!(is_ready(&mut many[1].as_mut()).is_none());
        drop(slot);
        assert!(is_ready(&mut many[1].as_mut()).is_some());
    }

    #[test]
    fn leaving_gives_everything_back() {
        let admission = Admission::new(1, 2);
        let first = admission.enter(0).unwrap();
        let (second, third) = (admission.enter(0).unwrap(), admission.enter(1).unwrap());
        drop(second);
        assert_eq!(admission.queued(), 1);
        // The slot is granted to the third, which goes away without taking it.
        drop(first);
        assert_eq!((admission.busy(), admission.queued()), (1, 0));
        drop(third);
        assert_eq!((admission.busy(), admission.queued()), (0, 0));
    }
}
