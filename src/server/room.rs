//! How many client connections there may be, in all and from one client, and what becomes of those beyond: a few are
//! told, the others closed. One for all workers; touched when a connection comes, when it tells for whom, and when it
//! goes, by no request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Limits;

/// So many connections beyond the limit are told 503 at a time. Each costs a TLS handshake, so their number is small.
const TOLD: usize = 64;

/// And so many of one client.
const TOLD_EACH: usize = 4;

/// Counts connections.
#[derive(Debug)]
pub(super) struct Room {
    open: AtomicUsize,
    most: AtomicUsize,
    most_each: AtomicUsize,
    /// Those that have a connection, and how many.
    clients: Mutex<HashMap<u64, usize>>,
}

/// The place of one connection; free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Arc<Room>,
    /// Whose it is, unless that is not counted.
    client: Option<u64>,
    /// There is no room for it: it may be told so, and no more.
    pub(super) surplus: bool,
}

impl Room {
    pub(super) fn new(limits: &Limits) -> Self {
        let room = Self {
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            most_each: AtomicUsize::new(0),
            clients: Mutex::default(),
        };
        room.resize(limits);
        room
    }

    /// Connections beyond a smaller limit stay until they end by themselves.
    pub(super) fn resize(&self, limits: &Limits) {
        self.most.store(limits.connections, Relaxed);
        self.most_each.store(limits.connections_per_client, Relaxed);
    }

    /// A place for a connection; `None` if it has to be closed. Whose it is [`Place::of`] says.
    pub(super) fn enter(self: Arc<Self>) -> Option<Place> {
        let (open, most) = (self.open.fetch_add(1, Relaxed) + 1, self.most.load(Relaxed));
        // From here on dropping it counts it out.
        let place = Place { room: self, client: None, surplus: open > most };
        (open <= most.saturating_add(TOLD)).then_some(place)
    }
}

impl Place {
    /// The same for a connection of this client; `None` if it has to be closed. Not asked of who stands for many
    /// clients: such a connection is held to what there is in all.
    pub(super) fn of(mut self, address: IpAddr) -> Option<Self> {
        if self.client.is_some() {
            return Some(self);
        }
        let (client, most) = (client(address), self.room.most_each.load(Relaxed));
        let mut clients = self.room.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let count = clients.entry(client).or_default();
        *count += 1;
        let count = *count;
        drop(clients);
        self.client = Some(client);
        self.surplus |= count > most;
        (count <= most.saturating_add(TOLD_EACH)).then_some(self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.open.fetch_sub(1, Relaxed);
        let Some(client) = self.client else { return };
        let mut clients = self.room.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = clients.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                clients.remove(&client);
            }
        }
    }
}

/// An IPv4 address or an IPv6 network of 64 bits, which is what one client has of them; they cannot be taken for each
/// other, since no global address begins with 16 zero bits.
fn client(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(connections: usize, connections_per_client: usize) -> Arc<Room> {
        Arc::new(Room::new(&Limits { connections, connections_per_client, ..Limits::default() }))
    }

    fn enter(room: &Arc<Room>, address: &str) -> Option<Place> {
        Arc::clone(room).enter()?.of(address.parse().unwrap())
    }

    #[test]
    fn beyond_the_limit_some_are_told_and_the_rest_are_closed() {
        let room = room(2, 100);
        let mut places: Vec<Place> = (0..2 + TOLD).map(|n| enter(&room, &format!("192.0.2.{n}")).unwrap()).collect();
        let surplus: Vec<bool> = places.iter().map(|place| place.surplus).collect();
        assert!(!surplus[0] && !surplus[1] && surplus[2..].iter().all(|surplus| *surplus));
        assert!(enter(&room, "198.51.100.1").is_none());
        assert_eq!(room.open.load(Relaxed), places.len(), "who was closed holds no place");
        places.clear();
        assert!(!enter(&room, "198.51.100.1").unwrap().surplus);
        assert!(room.clients.lock().unwrap().is_empty(), "nobody is remembered who is gone");
    }

    #[test]
    fn a_client_has_its_share_whatever_addresses_of_its_network_it_uses() {
        let room = room(1000, 2);
        for (one, another) in
            [("192.0.2.1", "192.0.2.2"), ("2001:db8:0:1::1", "2001:db8:0:2::1"), ("::ffff:192.0.2.3", "::1")]
        {
            let mine: Vec<Place> = (0..2 + TOLD_EACH).map(|_| enter(&room, one).unwrap()).collect();
            assert!(mine.iter().skip(2).all(|place| place.surplus) && !mine[1].surplus, "{one}");
            assert!(enter(&room, one).is_none(), "{one}");
            assert!(!enter(&room, another).unwrap().surplus, "{another}");
        }
        let _mine = [enter(&room, "2001:db8::1"), enter(&room, "2001:db8::2")];
        assert!(enter(&room, "2001:db8::3").unwrap().surplus, "of one /64");
        let _v4 = [enter(&room, "192.0.2.9"), enter(&room, "::ffff:192.0.2.9")];
        assert!(enter(&room, "192.0.2.9").unwrap().surplus, "IPv4 in IPv6 is IPv4");
    }

    #[test]
    fn who_stands_for_many_is_not_held_to_the_share_of_one() {
        let room = room(20, 1);
        let places: Vec<_> = (0..20).map(|_| Arc::clone(&room).enter().unwrap()).collect();
        assert!(places.iter().all(|place| !place.surplus));
        room.resize(&Limits { connections: 30, connections_per_client: 1, ..Limits::default() });
        assert!(!enter(&room, "192.0.2.1").unwrap().surplus);
        room.resize(&Limits { connections: 1, connections_per_client: 1, ..Limits::default() });
        assert!(enter(&room, "192.0.2.1").unwrap().surplus);
    }
}
