//! The calls of one connection that wait for their replies.

use std::task::Waker;

use crate::protocol::Message;

/// The calls of one connection that wait for their replies, by sequence number.
///
/// A sequence number is a place in a table and a generation: a late reply to a call that was given
/// up finds a newer generation in its place, and is dropped.
#[derive(Debug, Default)]
pub(super) struct Pending {
    slots: Vec<Slot>,
    free: Vec<u32>,
    waiting: usize,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Free,
    Waiting { waker: Waker, start: u64 },
    Done(Outcome),
}

/// What became of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The server answered.
    Reply(Message),
    /// The socket took the message, and nothing more is to come.
    Sent,
    /// The connection ended; `given` tells whether a byte of the message may have left.
    Lost {
        /// Whether a byte of the message may have been given to the socket.
        given: bool,
    },
}

impl Pending {
    /// Gives the sequence number that [`insert`](Self::insert) will use next.
    pub(super) fn next(&self) -> u64 {
        match self.free.last() {
            Some(&index) => sequence(index, self.slots[index as usize].generation),
            None => sequence(u32::try_from(self.slots.len()).unwrap_or(u32::MAX), 0),
        }
    }

    /// Adds a call whose message begins at byte `start` of all that the connection was given.
    pub(super) fn insert(&mut self, waker: Waker, start: u64) -> u64 {
        let seq = self.next();
        let state = State::Waiting { waker, start };
        if self.free.pop().is_some() {
            self.slots[index(seq)].state = state;
        } else {
            self.slots.push(Slot { generation: 0, state });
        }
        self.waiting += 1;
        seq
    }

    /// Counts the calls without an outcome.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Notes the outcome of a call; gives whom to wake, or `None` if nobody waits any more.
    pub(super) fn complete(&mut self, seq: u64, outcome: Outcome) -> Option<Waker> {
        let slot = self.slots.get_mut(index(seq))?;
        if slot.generation != generation(seq) || !matches!(slot.state, State::Waiting { .. }) {
            return None;
        }
        let State::Waiting { waker, .. } = std::mem::replace(&mut slot.state, State::Done(outcome))
        else {
            return None;
        };
        self.waiting -= 1;
        Some(waker)
    }

    /// Takes the outcome of a call and gives up its place; `None` while there is none yet, and then
    /// `waker` is who gets woken.
    pub(super) fn take(&mut self, seq: u64, waker: &Waker) -> Option<Outcome> {
        let slot = &mut self.slots[index(seq)];
        match std::mem::replace(&mut slot.state, State::Free) {
            State::Done(outcome) => {
                self.release(seq);
                Some(outcome)
            }
            State::Waiting { waker: mut known, start } => {
                known.clone_from(waker);
                slot.state = State::Waiting { waker: known, start };
                None
            }
            State::Free => None,
        }
    }

    /// Gives up a call, whatever its state; tells whether it was still waiting.
    ///
    /// A call whose outcome was taken has given up its place already.
    pub(super) fn forget(&mut self, seq: u64) -> bool {
        let Some(slot) = self.slots.get(index(seq)) else { return false };
        if slot.generation != generation(seq) {
            return false;
        }
        let waiting = matches!(slot.state, State::Waiting { .. });
        self.waiting -= usize::from(waiting);
        self.release(seq);
        waiting
    }

    /// Fails every call that waits; `given` is the number of bytes that may have left.
    pub(super) fn lose_all(&mut self, given: u64) -> Vec<Waker> {
        let mut wakers = Vec::with_capacity(self.waiting);
        for slot in &mut self.slots {
            let State::Waiting { start, .. } = slot.state else { continue };
            let lost = State::Done(Outcome::Lost { given: start < given });
            if let State::Waiting { waker, .. } = std::mem::replace(&mut slot.state, lost) {
                wakers.push(waker);
            }
        }
        self.waiting = 0;
        wakers
    }

    fn release(&mut self, seq: u64) {
        let slot = &mut self.slots[index(seq)];
        slot.state = State::Free;
        slot.generation = slot.generation.wrapping_add(1);
        #[expect(clippy::cast_possible_truncation, reason = "the low half is the place")]
        self.free.push(seq as u32);
    }
}

fn sequence(index: u32, generation: u32) -> u64 {
    u64::from(generation) << 32 | u64::from(index)
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is the place")]
fn index(seq: u64) -> usize {
    seq as u32 as usize
}

fn generation(seq: u64) -> u32 {
    (seq >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waker() -> Waker {
        Waker::noop().clone()
    }

    fn reply() -> Outcome {
        Outcome::Reply(Message::default())
    }

    #[test]
    fn a_late_reply_does_not_reach_the_next_call_in_its_place() {
        let mut pending = Pending::default();
        let first = pending.insert(waker(), 0);
        assert!(pending.forget(first));
        let second = pending.insert(waker(), 0);
        assert_ne!(first, second);
        assert!(pending.complete(first, reply()).is_none());
        assert!(pending.take(second, &waker()).is_none());
        assert!(pending.complete(second, reply()).is_some());
        assert!(pending.take(second, &waker()).is_some());
    }

    #[test]
    fn an_unknown_or_repeated_number_is_dropped() {
        let mut pending = Pending::default();
        let seq = pending.insert(waker(), 0);
        assert!(pending.complete(u64::MAX, reply()).is_none());
        assert!(pending.complete(seq, reply()).is_some());
        assert!(pending.complete(seq, reply()).is_none());
    }

    #[test]
    fn places_are_used_again() {
        let mut pending = Pending::default();
        for _ in 0..1000 {
            let seq = pending.insert(waker(), 0);
            pending.complete(seq, reply());
            pending.take(seq, &waker());
            assert!(!pending.forget(seq));
        }
        assert_eq!((pending.slots.len(), pending.free.len(), pending.waiting()), (1, 1, 0));
    }

    #[test]
    fn a_lost_connection_tells_what_had_left() {
        let mut pending = Pending::default();
        let sent = pending.insert(waker(), 0);
        let queued = pending.insert(waker(), 100);
        assert_eq!(pending.lose_all(100).len(), 2);
        let given = |outcome| matches!(outcome, Some(Outcome::Lost { given: true }));
        assert!(given(pending.take(sent, &waker())));
        assert!(!given(pending.take(queued, &waker())));
    }
}

/// What a caller, the reader and the end of the connection do, in every order that threads allow.
///
/// The table is behind the connection's lock; what is shown here is that no order of those who take it leaves
/// a caller asleep or a place taken.
#[cfg(all(test, rpcx_loom))]
mod interleavings {
    use std::sync::Arc;
    use std::task::Poll;

    use loom::sync::Mutex;
    use loom::thread;

    use super::*;

    type Shared = Arc<Mutex<Pending>>;

    /// Waits for the outcome of a call, as its future does.
    fn outcome(pending: &Shared, seq: u64) -> Outcome {
        loom::future::block_on(std::future::poll_fn(|cx| {
            match pending.lock().unwrap().take(seq, cx.waker()) {
                Some(outcome) => Poll::Ready(outcome),
                None => Poll::Pending,
            }
        }))
    }

    /// Answers a call, as the reader does: it wakes after it has let go of the lock.
    fn answer(pending: &Shared, seq: u64) {
        let reply = Outcome::Reply(Message::default());
        let waker = pending.lock().unwrap().complete(seq, reply);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lose(pending: &Shared) {
        let wakers = pending.lock().unwrap().lose_all(1);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn with_one_call() -> (Shared, u64) {
        let mut pending = Pending::default();
        let seq = pending.insert(Waker::noop().clone(), 0);
        (Arc::new(Mutex::new(pending)), seq)
    }

    fn assert_empty(pending: &Shared) {
        let pending = pending.lock().unwrap();
        assert_eq!((pending.waiting(), pending.free.len()), (0, pending.slots.len()));
    }

    #[test]
    fn a_reply_and_the_end_of_the_connection_give_one_outcome() {
        loom::model(|| {
            let (pending, seq) = with_one_call();
            let (reader, closer) = (Arc::clone(&pending), Arc::clone(&pending));
            let threads =
                [thread::spawn(move || answer(&reader, seq)), thread::spawn(move || lose(&closer))];
            let _ = outcome(&pending, seq);
            for thread in threads {
                thread.join().unwrap();
            }
            assert_empty(&pending);
        });
    }

    #[test]
    fn a_call_that_is_given_up_as_its_reply_comes_leaves_its_place() {
        loom::model(|| {
            let (pending, seq) = with_one_call();
            let reader = Arc::clone(&pending);
            let reader = thread::spawn(move || answer(&reader, seq));
            pending.lock().unwrap().forget(seq);
            // The next call takes the place, and no reply of the one before.
            let next = pending.lock().unwrap().insert(Waker::noop().clone(), 0);
            reader.join().unwrap();
            assert!(pending.lock().unwrap().take(next, Waker::noop()).is_none());
            answer(&pending, next);
            assert!(matches!(outcome(&pending, next), Outcome::Reply(_)));
            assert_empty(&pending);
        });
    }
}
