//! How many choices one network may post: a bounded table of networks, one a worker.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::cookie::UnixTime;

/// Networks that are remembered; one more than that is let through uncounted, for a refusal must never be kept out.
const MOST: usize = 4096;

const MINUTE: u64 = 60_000;

/// When each network will have used up what it took in advance, in milliseconds (the "virtual scheduling" of GCRA).
#[derive(Debug, Default)]
pub struct Rates(Mutex<HashMap<u64, u64>>);

impl Rates {
    /// Takes one choice of `a_minute`, all of which may come at once; `false` if there is none left.
    pub fn take(&self, address: IpAddr, a_minute: u32, now: UnixTime) -> bool {
        let now = u64::try_from(now.0).unwrap_or(0).saturating_mul(1000);
        let each = MINUTE / u64::from(a_minute.max(1));
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = network(address);
        if table.len() >= MOST && !table.contains_key(&key) {
            table.retain(|_, until| *until > now);
            if table.len() >= MOST {
                return true;
            }
        }
        let until = table.entry(key).or_insert(now);
        let next = (*until).max(now) + each;
        let some_left = next <= now + MINUTE;
        if some_left {
            *until = next;
        }
        some_left
    }
}

/// An IPv4 network of 24 bits or an IPv6 network of 56, which cannot be taken for each other.
fn network(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits() >> 8),
        IpAddr::V6(v6) => (1 << 63) | ((v6.to_bits() >> 72) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_waits_its_turn_and_no_other_does() {
        let rates = Rates::default();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let now = UnixTime(1_800_000_000);
        for n in 0..10 {
            assert!(rates.take(address(&format!("192.0.2.{n}")), 10, now), "{n}");
        }
        assert!(!rates.take(address("192.0.2.200"), 10, now));
        assert!(!rates.take(address("::ffff:192.0.2.1"), 10, now));
        assert!(rates.take(address("192.0.3.1"), 10, now));
        assert!(rates.take(address("192.0.2.1"), 10, now.after(6)));
        assert!(!rates.take(address("192.0.2.1"), 10, now.after(6)));
        for n in 0..10 {
            assert!(rates.take(address(&format!("2001:db8:1:{n:x}::1")), 10, now), "{n}");
        }
        assert!(!rates.take(address("2001:db8:1:ff::1"), 10, now));
        assert!(rates.take(address("2001:db8:1:100::1"), 10, now));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_who_was_silent() {
        let rates = Rates::default();
        let now = UnixTime(1_800_000_000);
        let address = |n: u32| IpAddr::from((n << 8).to_be_bytes());
        for n in 0..10_000 {
            assert!(rates.take(address(n), 1, now));
        }
        assert_eq!(rates.0.lock().unwrap().len(), MOST);
        assert!(rates.take(address(20_000), 1, now.after(61)));
        assert_eq!(rates.0.lock().unwrap().len(), 1);
        assert!(!rates.take(address(20_000), 1, now.after(61)));
    }
}
