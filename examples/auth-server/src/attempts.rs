//! Limits how often one address may try to log in or to register.

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// How many addresses are counted separately: they take some megabytes. Above this number, whole networks are counted.
const MOST: usize = 100_000;

/// Counts attempts by address. It does not count by name, because anyone who knows a name could then lock its owner out.
pub struct Attempts {
    table: DefaultKeyedRateLimiter<IpAddr>,
    most: usize,
}

impl Attempts {
    /// Creates a counter that allows this many attempts at once, and as many in each following minute.
    pub fn new(per_minute: NonZeroU32) -> Self {
        Self { table: RateLimiter::keyed(Quota::per_minute(per_minute)), most: MOST }
    }

    /// Takes one attempt, or returns how long to wait.
    pub fn take(&self, address: IpAddr) -> Result<(), Duration> {
        let key = if self.table.len() < self.most { site(address) } else { network(address) };
        self.table
            .check_key(&key)
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    /// Forgets the addresses without an attempt in the last minute. Call it about once a minute, so that the table holds the
    /// addresses of two minutes.
    pub fn forget_the_quiet(&self) {
        self.table.retain_recent();
        self.table.shrink_to_fit();
    }
}

/// Returns the /64 of an IPv6 address, because every customer has at least that. A customer with a /48 can take this many
/// attempts 65,536 times.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

/// Returns the network of one provider: a /32 of IPv6, or a /16 of IPv4. A customer with a /44 of IPv6 can use a million
/// networks of /64, which would fill the memory.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            std::net::Ipv4Addr::new(a, b, 0, 0).into()
        }
        IpAddr::V6(address) => {
            let [a, b, ..] = address.segments();
            std::net::Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_network_cannot_fill_the_table_and_keeps_no_others_out() {
        let attempts = Attempts { most: 10, ..Attempts::new(NonZeroU32::new(2).unwrap()) };
        let taken = (1..=1000_u32).filter(|number| {
            let address = format!("2001:db8:{:x}:{:x}::1", number >> 8, number & 0xff);
            attempts.take(address.parse().unwrap()).is_ok()
        });
        // Each of the first ten separately, and all others together.
        assert_eq!(taken.count(), 12);
        let other = |address: &str| attempts.take(address.parse().unwrap());
        assert_eq!(other("2001:db9::1"), Ok(()));
        for number in 0..1000 {
            let _ = other(&format!("192.0.{}.{}", number >> 8, number & 0xff));
        }
        assert!(other("192.0.2.1").is_err());
        assert_eq!(other("198.51.100.1"), Ok(()));
        assert_eq!(attempts.table.len(), 14);
    }

    #[test]
    fn the_attempt_after_the_last_has_to_wait_and_other_addresses_need_not() {
        let attempts = Attempts::new(NonZeroU32::new(3).unwrap());
        let one = "192.0.2.1".parse().unwrap();
        for _ in 0..3 {
            assert_eq!(attempts.take(one), Ok(()));
        }
        assert!(attempts.take(one).is_err_and(|wait| wait <= Duration::from_secs(20)));
        // The same address, written as one of IPv6.
        assert!(attempts.take("::ffff:192.0.2.1".parse().unwrap()).is_err());
        assert_eq!(attempts.take("192.0.2.2".parse().unwrap()), Ok(()));
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let attempts = Attempts::new(NonZeroU32::new(1).unwrap());
        assert_eq!(attempts.take("2001:db8::1".parse().unwrap()), Ok(()));
        assert!(attempts.take("2001:db8::2".parse().unwrap()).is_err());
        assert_eq!(attempts.take("2001:db8:0:1::1".parse().unwrap()), Ok(()));
    }
}
