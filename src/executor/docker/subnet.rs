//! Networks as a packet filter knows them.

use crate::Error;
use std::{fmt, net::Ipv4Addr, str::FromStr};

/// An IPv4 network, as in `10.0.0.0/8`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    address: Ipv4Addr,
    prefix: u8,
}

impl FromStr for Subnet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Subnet, Error> {
        let wrong = |why| Error::invalid(format!("{text:?} is not an IPv4 network ({why}): write one like 10.0.0.0/8"));
        let (address, prefix) = text.split_once('/').unwrap_or((text, "32"));
        let address: Ipv4Addr = address.parse().map_err(|_| wrong("its address is none"))?;
        let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u8 =
            prefix.parse().ok().filter(|bits| digits && *bits <= 32).ok_or_else(|| wrong("0 to 32 bits"))?;
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        if address.to_bits() & !mask != 0 {
            return Err(wrong("its address has more bits than it says"));
        }
        Ok(Subnet { address, prefix })
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_one_form() {
        for (text, expected) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("192.168.7.128/25", "192.168.7.128/25"),
        ] {
            assert_eq!(text.parse::<Subnet>().expect(text).to_string(), expected);
        }
        let wrong =
            ["", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.1/8", "10.0.0.0/8/8", "::1/128", "a/8"];
        for text in wrong {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
    }
}
