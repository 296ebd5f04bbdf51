//! The payload being decoded, so that [`Bytes`](super::Bytes) can share its memory.
//!
//! serde hands a borrowed slice to a type, never the buffer it comes from. While a payload is
//! decoded this thread therefore keeps a handle to it, and a slice that lies inside becomes a share.

use std::cell::RefCell;

use bytes::Bytes;

thread_local! {
    static CURRENT: RefCell<Option<Bytes>> = const { RefCell::new(None) };
}

/// Payloads below this size are not shared: copying their parts is as cheap.
const MIN_PAYLOAD: usize = 4096;

/// Slices below this size are copied: a small value kept for long must not keep a large payload.
const MIN_SLICE: usize = 1024;

/// Runs `read` while `payload` can be shared on this thread.
#[inline]
pub(super) fn lend<R>(payload: &Bytes, read: impl FnOnce() -> R) -> R {
    // A decode inside a decode may leave the outer payload in place: slices are told apart by
    // address, and the handle keeps the outer one's addresses from being used again.
    if payload.len() < MIN_PAYLOAD {
        return read();
    }
    let _restore = Restore(swap(Some(payload.clone())));
    read()
}

/// Gives a share of the current payload if `slice` lies in it and is worth sharing.
pub(super) fn share(slice: &[u8]) -> Option<Bytes> {
    if slice.len() < MIN_SLICE {
        return None;
    }
    let share = |current: &RefCell<Option<Bytes>>| {
        let current = current.borrow();
        let payload = current.as_ref()?;
        let offset = (slice.as_ptr() as usize).checked_sub(payload.as_ptr() as usize)?;
        let end = offset.checked_add(slice.len())?;
        (end <= payload.len()).then(|| payload.slice(offset..end))
    };
    // A thread that is ending has no current payload.
    CURRENT.try_with(share).ok().flatten()
}

/// Puts the payload of the surrounding decode back, on panic too.
struct Restore(Option<Bytes>);

impl Drop for Restore {
    fn drop(&mut self) {
        swap(self.0.take());
    }
}

fn swap(payload: Option<Bytes>) -> Option<Bytes> {
    CURRENT.try_with(|current| current.replace(payload)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    fn payload() -> Bytes {
        Bytes::from(vec![1; 2 * MIN_PAYLOAD])
    }

    #[test]
    fn a_slice_of_the_payload_is_shared() {
        let payload = payload();
        lend(&payload, || {
            for range in
                [0..payload.len(), 1..MIN_SLICE + 1, payload.len() - MIN_SLICE..payload.len()]
            {
                let shared = share(&payload[range.clone()]).unwrap();
                assert_eq!(shared.as_ptr(), payload[range].as_ptr());
            }
        });
        assert_eq!(share(&payload), None);
    }

    #[test]
    fn small_and_foreign_slices_are_not_shared() {
        let payload = payload();
        let foreign = payload.to_vec();
        lend(&payload, || {
            assert_eq!(share(&payload[..MIN_SLICE - 1]), None);
            assert_eq!(share(&foreign), None);
            assert_eq!(share(&[]), None);
        });
        let small = payload.slice(..MIN_PAYLOAD - 1);
        lend(&small, || assert_eq!(share(&small), None));
    }

    #[test]
    fn a_slice_that_only_overlaps_is_not_shared() {
        let memory = payload();
        let part = memory.slice(10..MIN_PAYLOAD + 10);
        lend(&part, || {
            assert_eq!(share(&memory[9..MIN_PAYLOAD]), None);
            assert_eq!(share(&memory[11..MIN_PAYLOAD + 11]), None);
            assert!(share(&memory[11..MIN_PAYLOAD]).is_some());
        });
    }

    #[test]
    fn the_payload_around_comes_back_after_one_inside() {
        let (outer, inner) = (payload(), payload());
        lend(&outer, || {
            lend(&inner, || {
                assert!(share(&inner).is_some());
                assert!(share(&outer).is_none());
            });
            assert!(share(&outer).is_some());
            assert!(share(&inner).is_none());
        });
    }

    #[test]
    fn a_panic_leaves_no_payload_behind() {
        let payload = payload();
        let panicked = catch_unwind(|| lend(&payload, || panic!("in Deserialize")));
        assert!(panicked.is_err());
        assert_eq!(share(&payload), None);
    }
}
