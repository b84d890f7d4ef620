//! So many slots, and a queue before them, with so many places.
//!
//! Within the queue owners take turns: one that sends a thousand jobs does not keep another's first one waiting for all of
//! them.

use crate::sync::lock;
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::oneshot;

/// Holds slots, and who waits for them.
#[derive(Debug)]
pub(super) struct Queue {
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
    /// Each owner has as many places as it would have if half of them were divided up, whatever others do.
    pub(crate) owners: usize,
}

impl QueueLimits {
    /// Lets everyone wait.
    pub(crate) const NONE: QueueLimits = QueueLimits { places: usize::MAX, bytes: usize::MAX, owners: 1 };
}

#[derive(Debug, Default)]
struct State {
    busy: usize,
    /// Those who wait, by owner; the owner at the front is next.
    turns: VecDeque<Turn>,
    waiting: usize,
    bytes: usize,
    /// How many ever waited.
    numbers: u64,
}

#[derive(Debug)]
struct Turn {
    owner: u64,
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

/// Says that there is no place for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// All slots are taken, and all places in the queue before them.
    Queue { slots: usize, queued: usize },
    /// So many are provisioned that the queue will be full when they come.
    Provisioning { provisioned: usize },
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Full::Queue { slots, queued } => {
                write!(f, "all {slots} slots are busy and {queued} executions wait: try again later")
            }
            Full::Provisioning { provisioned } => write!(
                f,
                "the packages or images of {provisioned} executions are being made ready, and no more can be: try again \
                 later"
            ),
        }
    }
}

/// Holds how busy a queue is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Load {
    pub(crate) slots: usize,
    pub(crate) busy: usize,
    pub(crate) queued: usize,
}

/// Lets a call run on its tier until this is dropped: [`Pyexec::slot`](crate::Pyexec::slot) gives one.
#[derive(Debug)]
#[must_use = "the slot is free again when this is dropped"]
pub struct Slot(Arc<Queue>);

/// A slot, or a place in the queue, until it is dropped.
#[derive(Debug)]
pub(crate) enum Place {
    Slot(Slot),
    Queue(Ticket),
}

/// A place in the queue.
#[derive(Debug)]
pub(crate) struct Ticket {
    queue: Arc<Queue>,
    owner: u64,
    number: u64,
    granted: oneshot::Receiver<Slot>,
}

impl QueueLimits {
    /// Returns whether `owner` may wait with so many bytes besides those who do, in one place or the other, when so many
    /// slots are free.
    fn allow(&self, waiting: [&State; 2], free: usize, owner: u64, bytes: usize) -> bool {
        let sum = |of: fn(&State) -> usize| waiting.iter().map(|state| of(state)).fold(0, usize::saturating_add);
        // What others have not used of what is theirs is not free.
        let kept = |all: usize, used: fn(&Turn) -> usize| {
            let own = all / 2 / self.owners.max(1);
            let mut by_owner: Vec<(u64, usize)> = Vec::new();
            for turn in waiting.iter().flat_map(|state| &state.turns).filter(|turn| turn.owner != owner) {
                match by_owner.iter_mut().find(|(owner, _)| *owner == turn.owner) {
                    Some((_, sum)) => *sum = sum.saturating_add(used(turn)),
                    None => by_owner.push((turn.owner, used(turn))),
                }
            }
            let used: usize = by_owner.iter().map(|(_, used)| (*used).min(own)).sum();
            own.saturating_mul(self.owners.saturating_sub(1)).saturating_sub(used)
        };
        let (count, held) = (sum(|state| state.waiting), sum(|state| state.bytes));
        let kept_places = kept(self.places, |turn| turn.waiting.len());
        let kept_bytes = kept(self.bytes, |turn| turn.bytes);
        // One that is larger than all of it may wait where nobody else does.
        count.saturating_add(kept_places) < self.places.saturating_add(free)
            && (count == 0 || held.saturating_add(bytes).saturating_add(kept_bytes) <= self.bytes)
    }
}

impl Queue {
    pub(super) fn new(slots: usize, limits: QueueLimits) -> Arc<Queue> {
        Arc::new(Queue { slots, limits, state: Mutex::default() })
    }

    /// Takes a slot when one is free, else a place in the queue, else returns a refusal.
    pub(super) fn enter(self: &Arc<Queue>, owner: u64, bytes: usize) -> Result<Place, Full> {
        let state = self.lock();
        if state.busy >= self.slots && !self.limits.allow([&state, &State::default()], 0, owner, bytes) {
            return Err(Full::Queue { slots: self.slots, queued: state.waiting });
        }
        Ok(self.place(state, owner, bytes))
    }

    /// Returns whether there would be a slot or a place in the queue if all who wait elsewhere had come already.
    pub(super) fn has_room_besides(&self, elsewhere: &Queue, owner: u64, bytes: usize) -> Result<(), Full> {
        let (state, coming) = (self.lock(), elsewhere.lock());
        let free = self.slots.saturating_sub(state.busy);
        if self.limits.allow([&state, &coming], free, owner, bytes) {
            return Ok(());
        }
        Err(match self.limits.allow([&state, &State::default()], free, owner, bytes) {
            true => Full::Provisioning { provisioned: coming.waiting },
            false => Full::Queue { slots: self.slots, queued: state.waiting },
        })
    }

    /// Enters the queue, which has a place for who was let in elsewhere.
    pub(super) fn join(self: &Arc<Queue>, owner: u64, bytes: usize) -> Place {
        self.place(self.lock(), owner, bytes)
    }

    fn place(self: &Arc<Queue>, mut state: MutexGuard<'_, State>, owner: u64, bytes: usize) -> Place {
        if state.busy < self.slots {
            // Nobody waits while a slot is free.
            state.busy += 1;
            return Place::Slot(Slot(Arc::clone(self)));
        }
        state.waiting += 1;
        state.bytes = state.bytes.saturating_add(bytes);
        state.numbers += 1;
        let number = state.numbers;
        let (grant, granted) = oneshot::channel();
        let waiting = Waiting { number, bytes, grant };
        match state.turns.iter_mut().find(|turn| turn.owner == owner) {
            Some(turn) => {
                turn.bytes = turn.bytes.saturating_add(bytes);
                turn.waiting.push_back(waiting);
            }
            None => state.turns.push_back(Turn { owner, waiting: VecDeque::from([waiting]), bytes }),
        }
        Place::Queue(Ticket { queue: Arc::clone(self), owner, number, granted })
    }

    pub(super) fn load(&self) -> Load {
        let state = self.lock();
        Load { slots: self.slots, busy: state.busy, queued: state.waiting }
    }

    /// Locks the state; nothing here panics while it is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Slot {
    /// Returns whether it is one of this queue's.
    pub(super) fn is_of(&self, queue: &Arc<Queue>) -> bool {
        Arc::ptr_eq(&self.0, queue)
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
        let mut state = self.queue.lock();
        let State { turns, waiting, bytes, .. } = &mut *state;
        if let Some(turn) = turns.iter_mut().find(|turn| turn.owner == self.owner)
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
            let mut state = self.0.lock();
            let next = state.next();
            if next.is_none() {
                state.busy -= 1;
            }
            next
        };
        if let Some(next) = next {
            // The slot passes on. When nobody is there to take it, it is dropped in turn.
            drop(next.grant.send(Slot(Arc::clone(&self.0))));
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

    fn queue(slots: usize, places: usize) -> Arc<Queue> {
        Queue::new(slots, QueueLimits { places, bytes: 1000, owners: 1 })
    }

    #[test]
    fn an_owner_leaves_places_for_others() {
        let queue = Queue::new(1, QueueLimits { places: 12, bytes: usize::MAX, owners: 3 });
        let _running = queue.enter(0, 1).unwrap();
        // Two of the twelve are kept for each of the others.
        let mut waiting: Vec<_> = (0..8).map(|_| queue.enter(0, 1).unwrap()).collect();
        assert!(queue.enter(0, 1).is_err());
        let other = [queue.enter(1, 1).unwrap(), queue.enter(1, 1).unwrap()];
        assert!(queue.enter(1, 1).is_err(), "the rest is kept for the third");
        waiting.push(queue.enter(2, 1).unwrap());
        drop(other);
        assert!(queue.enter(0, 1).is_err(), "and what is given back for the second");
        waiting.pop();
        drop(waiting);
        assert_eq!(queue.load().queued, 0);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes() {
        let queue = Queue::new(1, QueueLimits { places: 100, bytes: 1000, owners: 1 });
        let running = queue.enter(0, 5000).unwrap();
        let large = queue.enter(0, 5000).expect("it is the only one");
        assert!(queue.enter(0, 1).is_err());
        drop(large);
        let some = [queue.enter(0, 600).unwrap(), queue.enter(0, 400).unwrap()];
        assert!(queue.enter(0, 1).is_err());
        let [first, second] = some;
        drop(running);
        // The first has the slot now, and waits no longer.
        let third = queue.enter(0, 600).unwrap();
        assert!(queue.enter(0, 1).is_err());
        drop((first, second, third));
        assert_eq!((queue.load().busy, queue.load().queued, queue.lock().bytes), (0, 0, 0));
    }

    #[test]
    fn past_slots_and_queue_everyone_is_refused() {
        let queue = queue(2, 1);
        let _places: Vec<_> = (0..3).map(|_| queue.enter(0, 1).unwrap()).collect();
        assert!(queue.enter(0, 1).is_err());
        assert_eq!((queue.load().busy, queue.load().queued), (2, 1));
    }

    #[test]
    fn who_was_let_in_elsewhere_is_not_refused() {
        let queue = queue(1, 0);
        let first = queue.enter(0, 1).unwrap();
        assert!(queue.enter(0, 1).is_err());
        let mut joined = pin!(queue.join(0, 1).slot());
        assert_eq!((is_ready(&mut joined).is_none(), queue.load().queued), (true, 1));
        drop(first);
        assert!(is_ready(&mut joined).is_some());
        assert_eq!((queue.load().busy, queue.load().queued), (0, 0));
    }

    #[test]
    fn owners_take_turns() {
        let queue = queue(1, 10);
        let first = queue.enter(0, 1).unwrap();
        let mut many: Vec<_> = (0..3).map(|_| Box::pin(queue.enter(0, 1).unwrap().slot())).collect();
        let mut one = pin!(queue.enter(1, 1).unwrap().slot());
        drop(first);
        let slot = is_ready(&mut many[0].as_mut()).unwrap();
        drop(slot);
        let slot = is_ready(&mut one).expect("the other owner's only job comes before the first one's second");
        assert!(is_ready(&mut many[1].as_mut()).is_none());
        drop(slot);
        assert!(is_ready(&mut many[1].as_mut()).is_some());
    }

    #[test]
    fn leaving_gives_everything_back() {
        let queue = queue(1, 2);
        let first = queue.enter(0, 1).unwrap();
        let (second, third) = (queue.enter(0, 1).unwrap(), queue.enter(1, 1).unwrap());
        drop(second);
        assert_eq!(queue.load().queued, 1);
        // The slot is granted to the third, which goes away without taking it.
        drop(first);
        assert_eq!((queue.load().busy, queue.load().queued), (1, 0));
        drop(third);
        assert_eq!((queue.load().busy, queue.load().queued), (0, 0));
    }
}
