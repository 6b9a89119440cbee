//! How many client connections a worker may hold, which a reload may change.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A permit a connection. When none is left the kernel's backlog holds the next ones.
#[derive(Debug)]
pub(super) struct Room {
    permits: Arc<Semaphore>,
    size: Mutex<usize>,
    /// Permits to be taken away as connections end, since there were fewer free than a smaller limit wanted.
    owed: AtomicUsize,
}

/// The place of one connection; free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    room: Arc<Room>,
}

impl Room {
    /// At least for one.
    pub(super) fn new(size: usize) -> Self {
        let size = size.max(1);
        Self { permits: Arc::new(Semaphore::new(size)), size: Mutex::new(size), owed: AtomicUsize::new(0) }
    }

    /// Waits for a place.
    pub(super) async fn enter(self: Arc<Self>) -> Place {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        Place { permit: Some(permit), room: self }
    }

    /// Connections beyond a smaller size stay until they end by themselves.
    pub(super) fn resize(&self, size: usize) {
        let mut current = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        let size = size.max(1);
        if size > *current {
            let more = size - *current;
            // What was to be taken away need not be, then.
            let paid = self.owed.fetch_update(Relaxed, Relaxed, |owed| Some(owed.saturating_sub(more)));
            self.permits.add_permits(more.saturating_sub(paid.unwrap_or_default()));
        } else {
            let less = *current - size;
            self.owed.fetch_add(less - self.permits.forget_permits(less), Relaxed);
        }
        *current = size;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let owed = self.room.owed.fetch_update(Relaxed, Relaxed, |owed| owed.checked_sub(1)).is_ok();
        if let Some(permit) = self.permit.take()
            && owed
        {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_grows_and_shrinks_under_those_who_are_in_it() {
        let room = Arc::new(Room::new(3));
        let free = |room: &Room| room.permits.available_permits();
        let place = |room: &Arc<Room>| Place {
            permit: Some(Arc::clone(&room.permits).try_acquire_owned().unwrap()),
            room: Arc::clone(room),
        };
        let (a, b, c) = (place(&room), place(&room), place(&room));
        room.resize(1);
        assert_eq!(free(&room), 0);
        drop(a);
        drop(b);
        assert_eq!(free(&room), 0, "two of three are gone, and one is all that may be");
        room.resize(2);
        assert_eq!(free(&room), 1);
        drop(c);
        assert_eq!(free(&room), 2);
        room.resize(0);
        assert_eq!(free(&room), 1, "never none at all");
        let last = place(&room);
        room.resize(5);
        assert_eq!(free(&room), 4);
        room.resize(1);
        room.resize(4);
        drop(last);
        assert_eq!(free(&room), 4);
    }
}
