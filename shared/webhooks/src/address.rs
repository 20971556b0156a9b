//! Which addresses may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// What a callback URL may be.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Whether `http` and any port to loopback addresses are allowed, for use on one machine. Default no.
    pub allow_loopback: bool,
}

/// Why a URL is not called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedUrl {
    /// It does not parse.
    #[error("not a URL")]
    NotAUrl,
    /// Only https is called.
    #[error("only https is allowed")]
    Scheme,
    /// Names and passwords in URLs end up in logs.
    #[error("a user name or password in the URL is not allowed")]
    Userinfo,
    /// Only port 443 is called.
    #[error("only port 443 is allowed")]
    Port,
    /// It names an address that is not public.
    #[error("{0} is not a public address")]
    NotPublic(IpAddr),
    /// It has no host.
    #[error("no host")]
    NoHost,
}

impl Policy {
    /// Checks what can be known without asking anyone: form, scheme, port, and an address in place of a name.
    ///
    /// # Errors
    ///
    /// [`RefusedUrl`].
    pub fn check(&self, url: &str) -> Result<Url, RefusedUrl> {
        let url = Url::parse(url).map_err(|_| RefusedUrl::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RefusedUrl::Userinfo);
        }
        let address = match url.host() {
            None => return Err(RefusedUrl::NoHost),
            Some(url::Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(url::Host::Domain(_)) => None,
        };
        let local =
            url.host_str() == Some("localhost") || address.is_some_and(|address| canonical(address).is_loopback());
        if self.allow_loopback && local && matches!(url.scheme(), "http" | "https") {
            return Ok(url);
        }
        if url.scheme() != "https" {
            return Err(RefusedUrl::Scheme);
        }
        if url.port_or_known_default() != Some(443) {
            return Err(RefusedUrl::Port);
        }
        match address {
            Some(address) if !self.allows(address) => Err(RefusedUrl::NotPublic(address)),
            _ => Ok(url),
        }
    }

    /// Whether a connection to `address` may be made.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        match canonical(address) {
            local if local.is_loopback() => self.allow_loopback,
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => is_public_v6(address),
        }
    }
}

/// An IPv4 address in the clothes of an IPv6 one is the IPv4 address.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

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
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

/// Global unicast, less the parts of it that lead elsewhere: documentation, 6to4, Teredo and other protocol ranges.
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
        let policy = Policy::default();
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "192.0.0.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2002:a00:1::",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert!(!policy.allows(address), "{text}");
        }
        for text in ["1.1.1.1", "93.184.216.34", "2606:4700::1111"] {
            let address: IpAddr = text.parse().unwrap();
            assert!(policy.allows(address), "{text}");
        }
    }

    #[test]
    fn a_url_is_refused_for_what_can_be_seen_in_it() {
        let refusal = |url: &str| Policy::default().check(url).unwrap_err();
        assert_eq!(refusal("http://example.org/"), RefusedUrl::Scheme);
        assert_eq!(refusal("https://example.org:8443/"), RefusedUrl::Port);
        assert_eq!(refusal("https://u:p@example.org/"), RefusedUrl::Userinfo);
        assert_eq!(refusal("nonsense"), RefusedUrl::NotAUrl);
        // Other ways to write 127.0.0.1.
        for url in ["https://2130706433/", "https://0x7f.1/", "https://[::ffff:7f00:1]/"] {
            assert!(matches!(refusal(url), RefusedUrl::NotPublic(_)), "{url}");
        }
        assert!(Policy::default().check("https://example.org/hook?a=b").is_ok());
    }

    #[test]
    fn loopback_is_called_only_where_a_setting_allows_it() {
        let local = Policy { allow_loopback: true };
        assert!(local.check("http://127.0.0.1:9000/hook").is_ok());
        assert_eq!(local.check("http://example.org/").unwrap_err(), RefusedUrl::Scheme);
        assert!(!local.allows("10.0.0.1".parse().unwrap()));
    }
}
