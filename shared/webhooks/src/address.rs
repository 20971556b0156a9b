//! Which addresses are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address can be reached by everybody, as far as the registries of special-purpose addresses say: RFC 6890
/// and what IANA entered since. An IPv4 address written as an IPv6 one counts as what it leads to, or is refused.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Whether an address leads to this machine.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    canonical(address).is_loopback()
}

/// An IPv4 address in the clothes of an IPv6 one is the IPv4 address.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// What machines of a cloud ask about themselves, where the address looks like any other.
const METADATA: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Not in the IANA registry of special-purpose IPv4 addresses, as far as those are not global.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = (a, b, c) == (192, 0, 0);
    let relay = (a, b, c) == (192, 88, 99);
    let benchmarks = a == 198 && (18..20).contains(&b);
    !(a == 0
        || a >= 224
        || shared
        || protocols
        || relay
        || benchmarks
        || address == METADATA
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

/// Global unicast, less the parts of it that lead elsewhere: documentation, 6to4, Teredo and other protocol ranges.
/// IPv4-compatible and NAT64 addresses are not global unicast.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global = (0x2000..0x4000).contains(&a);
    let protocols = a == 0x2001 && b < 0x200;
    let documentation = (a, b) == (0x2001, 0xdb8) || (a == 0x3fff && b < 0x1000);
    let six_to_four = a == 0x2002;
    global && !protocols && !documentation && !six_to_four
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_public_are_refused() {
        let ranges = [
            ("this network", "0.0.0.0 0.1.2.3"),
            ("private", "10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1"),
            ("carriers", "100.64.0.1 100.127.255.254 100.100.100.200"),
            ("loopback", "127.0.0.1 127.255.255.254 ::1"),
            ("link-local", "169.254.1.1 fe80::1 febf::1"),
            (
                "metadata",
                "169.254.169.254 169.254.170.2 fd00:ec2::254 192.0.0.192 168.63.129.16",
            ),
            (
                "protocols",
                "192.0.0.1 192.88.99.1 2001::1 2001:1ff::1 64:ff9b:1::1 100::1 5f00::1",
            ),
            ("benchmarks", "198.18.0.1 198.19.255.255 2001:2::1"),
            (
                "documentation",
                "192.0.2.1 198.51.100.1 203.0.113.9 2001:db8::1 3fff::1 3fff:fff::1",
            ),
            ("multicast", "224.0.0.1 239.255.255.255 ff02::1 ff0e::1"),
            ("reserved", "240.0.0.1 255.255.255.255 4000::1"),
            ("unspecified", "::"),
            ("unique local", "fc00::1 fdff::1"),
            ("site-local", "fec0::1"),
            (
                "IPv4-mapped",
                "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:100.64.0.1",
            ),
            ("IPv4-compatible", "::10.0.0.1 ::8.8.8.8"),
            ("NAT64", "64:ff9b::a00:1 64:ff9b::7f00:1 64:ff9b::808:808"),
            ("6to4 and Teredo", "2002:a00:1:: 2002:7f00:1:: 2001:0:a00:1::"),
        ];
        for (range, addresses) in ranges {
            for text in addresses.split(' ') {
                assert!(!is_public(text.parse().unwrap()), "{range}: {text}");
            }
        }
    }

    #[test]
    fn addresses_beside_those_ranges_are_public() {
        let addresses = "1.1.1.1 93.184.216.34 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.0.0.1 128.0.0.1 \
                         169.253.0.1 172.15.0.1 172.32.0.1 192.167.0.1 192.169.0.1 198.17.0.1 198.20.0.1 223.255.255.255 \
                         ::ffff:1.1.1.1 2606:4700::1111 2001:200::1 2003::1 3ffe::1";
        for text in addresses.split_whitespace() {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }
}
