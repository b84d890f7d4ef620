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
    limits: QueueLimits,
    state: Mutex<State>,
}

/// Says how many may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    pub(crate) places: usize,
    /// Most memory of all that wait.
    pub(crate) bytes: usize,
    /// Each caller has as many places as it would have if half of them were divided up, whatever others do.
    pub(crate) callers: usize,
    /// Who has a slot waits as well, so that the memory of those counts.
    pub(crate) slots_wait: bool,
}

#[derive(Debug, Default)]
struct State {
    busy: usize,
    busy_bytes: usize,
    /// Those who wait, by caller; the caller at the front is next.
    turns: VecDeque<Turn>,
    waiting: usize,
    bytes: usize,
    /// How many ever waited.
    numbers: u64,
}

#[derive(Debug)]
struct Turn {
    caller: usize,
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    /// Tells one waiting from another when it leaves the queue.
    number: u64,
    bytes: usize,
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
        let limits = QueueLimits { places: 0, slots_wait: true, ..wasm.limits };
        let preparing = Admission::new(wasm.slots + wasm.limits.places, limits);
        Gates { wasm, docker, preparing }
    }

    /// Returns what an execution must enter next.
    pub(crate) fn next(&self, plan: &Plan) -> &Arc<Admission> {
        if plan.is_ready() { self.of(plan.tier()) } else { &self.preparing }
    }

    /// Lets an execution in, at once or not at all. What a container takes is made only for as many as may then wait.
    pub(crate) fn enter(&self, plan: &Plan, caller: usize, bytes: usize) -> Result<Place, Full> {
        if plan.tier() == Tier::Docker && !plan.is_ready() {
            self.docker.has_room(caller, bytes, self.preparing.busy())?;
        }
        self.next(plan).enter(caller, bytes)
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
    bytes: usize,
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

impl QueueLimits {
    /// Returns whether `caller` may wait with so many bytes besides those who do.
    fn allow(&self, state: &State, caller: usize, bytes: usize) -> bool {
        // What others have not used of what is theirs is not free.
        let kept = |all: usize, used: fn(&Turn) -> usize| {
            let own = all / 2 / self.callers.max(1);
            let others = state.turns.iter().filter(|turn| turn.caller != caller);
            let used: usize = others.map(|turn| used(turn).min(own)).sum();
            (own * self.callers.saturating_sub(1)).saturating_sub(used)
        };
        let places = state.waiting + kept(self.places, |turn| turn.waiting.len()) < self.places;
        let kept_bytes = kept(self.bytes, |turn| turn.bytes);
        // One that is larger than all of it may wait where nobody else does.
        places && (state.waiting == 0 || state.bytes.saturating_add(bytes).saturating_add(kept_bytes) <= self.bytes)
    }
}

impl Admission {
    pub(crate) fn new(slots: usize, limits: QueueLimits) -> Arc<Admission> {
        Arc::new(Admission { slots, limits, state: Mutex::default() })
    }

    /// Takes a slot when one is free, else a place in the queue, else returns a refusal.
    pub(crate) fn enter(self: &Arc<Admission>, caller: usize, bytes: usize) -> Result<Place, Full> {
        let state = self.lock();
        let is_slot = state.busy < self.slots;
        let too_much =
            self.limits.slots_wait && state.busy > 0 && state.busy_bytes.saturating_add(bytes) > self.limits.bytes;
        if too_much || !is_slot && !self.limits.allow(&state, caller, bytes) {
            return Err(Full);
        }
        Ok(self.place(state, caller, bytes))
    }

    /// Returns whether there would be a slot or a place in the queue if `more` had come already.
    fn has_room(&self, caller: usize, bytes: usize, more: usize) -> Result<(), Full> {
        let state = self.lock();
        let is_within = state.busy + state.waiting + more < self.slots + self.limits.places;
        let is_allowed = state.busy < self.slots || self.limits.allow(&state, caller, bytes);
        if is_within && is_allowed { Ok(()) } else { Err(Full) }
    }

    /// Enters the queue of another tier, which has a place for who was let in elsewhere.
    pub(crate) fn join(self: &Arc<Admission>, caller: usize, bytes: usize) -> Place {
        self.place(self.lock(), caller, bytes)
    }

    fn place(self: &Arc<Admission>, mut state: MutexGuard<'_, State>, caller: usize, bytes: usize) -> Place {
        if state.busy < self.slots {
            // Nobody waits while a slot is free.
            state.busy += 1;
            state.busy_bytes = state.busy_bytes.saturating_add(bytes);
            return Place::Slot(Slot { admission: Arc::clone(self), bytes });
        }
        state.waiting += 1;
        state.bytes = state.bytes.saturating_add(bytes);
        state.numbers += 1;
        let number = state.numbers;
        let (grant, granted) = oneshot::channel();
        let waiting = Waiting { number, bytes, grant };
        match state.turns.iter_mut().find(|turn| turn.caller == caller) {
            Some(turn) => {
                turn.bytes = turn.bytes.saturating_add(bytes);
                turn.waiting.push_back(waiting);
            }
            None => state.turns.push_back(Turn { caller, waiting: VecDeque::from([waiting]), bytes }),
        }
        Place::Queue(Ticket { admission: Arc::clone(self), caller, number, granted })
    }

    /// Says in words why a caller is turned away.
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

    /// Locks the state; nothing here panics while it is held.
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
        let State { turns, waiting, bytes, .. } = &mut *state;
        if let Some(turn) = turns.iter_mut().find(|turn| turn.caller == self.caller)
            && let Some(at) = turn.waiting.iter().position(|waiting| waiting.number == self.number)
            && let Some(left) = turn.waiting.remove(at)
        {
            *waiting -= 1;
            *bytes = bytes.saturating_sub(left.bytes);
            turn.bytes = turn.bytes.saturating_sub(left.bytes);
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
            state.busy_bytes = state.busy_bytes.saturating_sub(self.bytes);
            let next = state.next();
            match &next {
                Some(next) => state.busy_bytes = state.busy_bytes.saturating_add(next.bytes),
                None => state.busy -= 1,
            }
            next
        };
        if let Some(Waiting { bytes, grant, .. }) = next {
            // The slot passes on. When nobody is there to take it, it is dropped in turn.
            drop(grant.send(Slot { admission: Arc::clone(&self.admission), bytes }));
        }
    }
}

impl State {
    /// Takes who is next out of the queue.
    fn next(&mut self) -> Option<Waiting> {
        let mut turn = self.turns.pop_front()?;
        let next = turn.waiting.pop_front();
        if let Some(next) = &next {
            self.waiting -= 1;
            self.bytes = self.bytes.saturating_sub(next.bytes);
            turn.bytes = turn.bytes.saturating_sub(next.bytes);
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

    fn admission(slots: usize, places: usize) -> Arc<Admission> {
        Admission::new(slots, QueueLimits { places, bytes: 1000, callers: 1, slots_wait: false })
    }

    #[test]
    fn a_caller_leaves_places_for_others() {
        let admission = Admission::new(1, QueueLimits { places: 12, bytes: usize::MAX, callers: 3, slots_wait: false });
        let _running = admission.enter(0, 1).unwrap();
        // Two of the twelve are kept for each of the others.
        let mut waiting: Vec<_> = (0..8).map(|_| admission.enter(0, 1).unwrap()).collect();
        assert_eq!(admission.enter(0, 1).unwrap_err(), Full);
        let other = [admission.enter(1, 1).unwrap(), admission.enter(1, 1).unwrap()];
        assert_eq!(admission.enter(1, 1).unwrap_err(), Full, "the rest is kept for the third");
        waiting.push(admission.enter(2, 1).unwrap());
        drop(other);
        assert_eq!(admission.enter(0, 1).unwrap_err(), Full, "and what is given back for the second");
        waiting.pop();
        drop(waiting);
        assert_eq!(admission.queued(), 0);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes() {
        let admission = Admission::new(1, QueueLimits { places: 100, bytes: 1000, callers: 1, slots_wait: false });
        let running = admission.enter(0, 5000).unwrap();
        let large = admission.enter(0, 5000).expect("it is the only one");
        assert_eq!(admission.enter(0, 1).unwrap_err(), Full);
        drop(large);
        let some = [admission.enter(0, 600).unwrap(), admission.enter(0, 400).unwrap()];
        assert_eq!(admission.enter(0, 1).unwrap_err(), Full);
        let [first, second] = some;
        drop(running);
        // The first has the slot now, and waits no longer.
        let third = admission.enter(0, 600).unwrap();
        assert_eq!(admission.enter(0, 1).unwrap_err(), Full);
        drop((first, second, third));
        assert_eq!((admission.busy(), admission.queued(), admission.lock().bytes), (0, 0, 0));
    }

    #[test]
    fn what_is_prepared_is_bounded_in_bytes() {
        let limits = QueueLimits { places: 0, bytes: 1000, callers: 1, slots_wait: true };
        let admission = Admission::new(10, limits);
        let large = admission.enter(0, 5000).expect("it is the only one");
        assert_eq!(admission.enter(0, 1).unwrap_err(), Full);
        drop(large);
        let _some = [admission.enter(0, 600).unwrap(), admission.enter(0, 400).unwrap()];
        assert_eq!(admission.enter(0, 1).unwrap_err(), Full);
    }

    #[test]
    fn past_slots_and_queue_everyone_is_refused() {
        let admission = admission(2, 1);
        let _places: Vec<_> = (0..3).map(|_| admission.enter(0, 1).unwrap()).collect();
        assert_eq!(admission.enter(0, 1).unwrap_err(), Full);
        assert_eq!((admission.busy(), admission.queued()), (2, 1));
    }

    #[test]
    fn who_was_let_in_elsewhere_is_not_refused() {
        let admission = admission(1, 0);
        let first = admission.enter(0, 1).unwrap();
        assert_eq!(admission.enter(0, 1).unwrap_err(), Full);
        let mut joined = pin!(admission.join(0, 1).slot());
        assert_eq!((is_ready(&mut joined).is_none(), admission.queued()), (true, 1));
        drop(first);
        assert!(is_ready(&mut joined).is_some());
        assert_eq!((admission.busy(), admission.queued()), (0, 0));
    }

    #[test]
    fn callers_take_turns() {
        let admission = admission(1, 10);
        let first = admission.enter(0, 1).unwrap();
        let mut many: Vec<_> = (0..3).map(|_| Box::pin(admission.enter(0, 1).unwrap().slot())).collect();
        let mut one = pin!(admission.enter(1, 1).unwrap().slot());
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
        let admission = admission(1, 2);
        let first = admission.enter(0, 1).unwrap();
        let (second, third) = (admission.enter(0, 1).unwrap(), admission.enter(1, 1).unwrap());
        drop(second);
        assert_eq!(admission.queued(), 1);
        // The slot is granted to the third, which goes away without taking it.
        drop(first);
        assert_eq!((admission.busy(), admission.queued()), (1, 0));
        drop(third);
        assert_eq!((admission.busy(), admission.queued()), (0, 0));
    }
}
