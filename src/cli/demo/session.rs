//! Sessions and carts, in memory and bounded.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// The oldest session makes room for one more.
const MAX_SESSIONS: usize = 1_000;
/// Of one product; a cart holds no more than the shop has products.
const MAX_QUANTITY: u8 = 99;

/// What the shop knows of one visitor.
#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    /// Who signed in.
    pub(super) user: Option<Box<str>>,
    /// Quantity by product.
    pub(super) cart: BTreeMap<u8, u8>,
    /// Scripts read it from a cookie and send it back in a header.
    pub(super) csrf: Box<str>,
}

impl Session {
    /// Puts one more of a product into the cart.
    pub(super) fn add(&mut self, product: u8) {
        let quantity = self.cart.entry(product).or_default();
        *quantity = MAX_QUANTITY.min(*quantity + 1);
    }

    /// How many things are in the cart.
    pub(super) fn items(&self) -> u32 {
        self.cart.values().map(|quantity| u32::from(*quantity)).sum()
    }
}

/// All sessions, oldest first.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_id: HashMap<Box<str>, Session>,
    order: VecDeque<Box<str>>,
}

impl Sessions {
    /// The session of this id, if it is one of ours.
    pub(super) fn find(&mut self, id: &str) -> Option<&mut Session> {
        self.by_id.get_mut(id)
    }

    /// Opens a session under a new id.
    pub(super) fn open(&mut self, session: Session) -> Box<str> {
        if self.order.len() >= MAX_SESSIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
        let id: Box<str> = token().into();
        self.by_id.insert(id.clone(), session);
        self.order.push_back(id.clone());
        id
    }

    /// Ends a session and gives back what it held.
    pub(super) fn close(&mut self, id: &str) -> Option<Session> {
        self.order.retain(|other| &**other != id);
        self.by_id.remove(id)
    }
}

/// 128 random bits in hexadecimal.
pub(super) fn token() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_session_makes_room() {
        let mut sessions = Sessions::default();
        let first = sessions.open(Session::default());
        let second = sessions.open(Session::default());
        for _ in 1..MAX_SESSIONS {
            sessions.open(Session::default());
        }
        assert!(sessions.find(&first).is_none());
        assert!(sessions.find(&second).is_some());
        assert_eq!(sessions.by_id.len(), sessions.order.len());
    }

    #[test]
    fn a_cart_does_not_overflow() {
        let mut session = Session::default();
        for _ in 0..300 {
            session.add(1);
        }
        assert_eq!(session.items(), u32::from(MAX_QUANTITY));
    }
}
