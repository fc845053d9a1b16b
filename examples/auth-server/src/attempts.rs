//! How often one address may try to log in or to register.

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// Counts attempts by address. Not by name: whoever knows a name could then lock its owner out.
pub struct Attempts(DefaultKeyedRateLimiter<IpAddr>);

impl Attempts {
    /// So many at once, and so many in each minute after that.
    pub fn new(per_minute: NonZeroU32) -> Self {
        Self(RateLimiter::keyed(Quota::per_minute(per_minute)))
    }

    /// Takes one attempt, or says how long to wait.
    pub fn take(&self, address: IpAddr) -> Result<(), Duration> {
        self.0
            .check_key(&site(address))
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    /// Forgets the addresses that have been quiet.
    pub fn forget_the_quiet(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

/// A customer has a whole /64 of IPv6 at least. Who has a /48 can take this many attempts 65,536 times.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
