//! Which URLs may be called.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use reqwest::Url;

use crate::address::{is_loopback, is_public};

/// What a callback URL may be. By default: `https`, port 443, a public address.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Whether `http` and any port to loopback addresses are allowed, for use on one machine. Default no.
    pub allow_loopback: bool,
    /// Ports that are allowed beside 443. Default none.
    pub ports: Ports,
}

/// Ports, as a setting writes them: numbers from 1 to 65535 with commas between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ports(Vec<u16>);

/// The text is not a list of ports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a port from 1 to 65535")]
pub struct BadPort(String);

impl FromStr for Ports {
    type Err = BadPort;

    fn from_str(text: &str) -> Result<Self, BadPort> {
        let ports = text.split(',').map(|port| match port.trim().parse() {
            Ok(0) | Err(_) => Err(BadPort(port.to_owned())),
            Ok(port) => Ok(port),
        });
        ports.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_fold((), |(), port| write!(f, ", {port}"))
    }
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
    /// Another port than those that are called.
    #[error("port {0} is not allowed; allowed: 443{1}")]
    Port(u16, Ports),
    /// It names an address that is not public.
    #[error("{0} is not a public address")]
    NotPublic(IpAddr),
    /// It has a name that means this machine or this network wherever it is asked for.
    #[error("{0} is not a public name")]
    LocalName(String),
    /// It has no host.
    #[error("no host")]
    NoHost,
}

/// A name leads to no address that may be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} leads to no public address")]
pub(crate) struct NoPublicAddress(String);

impl Policy {
    /// Checks what can be known without asking anyone: form, scheme, port, an address in place of a name, and names that
    /// are local by definition.
    ///
    /// # Errors
    ///
    /// [`RefusedUrl`].
    pub fn check(&self, url: &str) -> Result<Url, RefusedUrl> {
        let url = Url::parse(url).map_err(|_| RefusedUrl::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RefusedUrl::Userinfo);
        }
        let (local, refused) = match url.host() {
            None => return Err(RefusedUrl::NoHost),
            Some(url::Host::Ipv4(address)) => judge(address.into()),
            Some(url::Host::Ipv6(address)) => judge(address.into()),
            Some(url::Host::Domain(name)) => {
                let refused = is_local_name(name).then(|| RefusedUrl::LocalName(name.to_owned()));
                (is_localhost(name), refused)
            }
        };
        if self.allow_loopback && local && matches!(url.scheme(), "http" | "https") {
            return Ok(url);
        }
        if url.scheme() != "https" {
            return Err(RefusedUrl::Scheme);
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        match url.port_or_known_default().unwrap_or_default() {
            443 => Ok(url),
            port if self.ports.0.contains(&port) => Ok(url),
            port => Err(RefusedUrl::Port(port, self.ports.clone())),
        }
    }

    /// Where to connect to for `name`, of the addresses that it was `found` to have. Only a name that means this machine
    /// leads to this machine, and to nowhere else.
    pub(crate) fn choose(
        &self,
        name: &str,
        found: impl IntoIterator<Item = IpAddr>,
    ) -> Result<Vec<IpAddr>, NoPublicAddress> {
        if self.allow_loopback && is_localhost(name) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let public: Vec<IpAddr> = found.into_iter().filter(|address| is_public(*address)).collect();
        if public.is_empty() {
            return Err(NoPublicAddress(name.to_owned()));
        }
        Ok(public)
    }
}

/// Whether an address is loopback, and why it is refused where loopback is.
fn judge(address: IpAddr) -> (bool, Option<RefusedUrl>) {
    let refused = (!is_public(address)).then_some(RefusedUrl::NotPublic(address));
    (is_loopback(address), refused)
}

/// RFC 6761, section 6.3: these names are loopback, whatever a resolver says.
fn is_localhost(name: &str) -> bool {
    is_below(name, "localhost")
}

/// Names that no public resolver may know: RFC 6761 (localhost), RFC 6762 (local), RFC 8375 (home.arpa), and `internal`,
/// which ICANN reserved in 2024 and clouds use for their metadata.
fn is_local_name(name: &str) -> bool {
    ["localhost", "local", "internal", "home.arpa"]
        .iter()
        .any(|zone| is_below(name, zone))
}

/// Whether `name` is `zone` or a name in it. A dot at the end changes nothing; a parsed URL has small letters.
fn is_below(name: &str, zone: &str) -> bool {
    let name = name.trim_end_matches('.');
    let rest = name.strip_suffix(zone);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: Policy = Policy {
        allow_loopback: true,
        ports: Ports(Vec::new()),
    };

    fn refusal(url: &str) -> RefusedUrl {
        Policy::default().check(url).unwrap_err()
    }

    #[test]
    fn a_url_is_refused_for_what_can_be_seen_in_it() {
        assert_eq!(refusal("http://example.org/"), RefusedUrl::Scheme);
        assert_eq!(refusal("ftp://example.org/"), RefusedUrl::Scheme);
        assert_eq!(refusal("https://u:p@example.org/"), RefusedUrl::Userinfo);
        assert_eq!(refusal("https://u@example.org/"), RefusedUrl::Userinfo);
        assert_eq!(refusal("data:text/plain,x"), RefusedUrl::NoHost);
        for url in [
            "nonsense",
            "",
            "https://",
            "https://[::1",
            "https://example.org:99999/",
            "//example.org",
        ] {
            assert_eq!(refusal(url), RefusedUrl::NotAUrl, "{url}");
        }
        assert!(Policy::default().check("https://example.org/hook?a=b").is_ok());
        assert!(Policy::default().check("https://example.org.:443/").is_ok());
    }

    #[test]
    fn an_address_that_is_not_public_is_refused_however_it_is_written() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "①②⑦.0.0.1",
            "１２７.0.0.1",
            "127。0。0。1",
            "0",
            "169.254.169.254",
            "0xa9fea9fe",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:7f00:1]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[fd00:ec2::254]",
        ] {
            let refused = refusal(&format!("https://{host}/"));
            assert!(matches!(refused, RefusedUrl::NotPublic(_)), "{host}: {refused}");
        }
    }

    #[test]
    fn a_name_that_is_local_everywhere_is_refused() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "api.localhost",
            "api.localhost.",
            "ｌocalhost",
            "printer.local",
            "metadata.google.internal",
            "nas.home.arpa",
        ] {
            let refused = refusal(&format!("https://{host}/"));
            assert!(matches!(refused, RefusedUrl::LocalName(_)), "{host}: {refused}");
        }
        for host in ["notlocalhost", "localhost.example.org", "internal.example.org"] {
            assert!(Policy::default().check(&format!("https://{host}/")).is_ok(), "{host}");
        }
    }

    #[test]
    fn ports_are_those_of_the_setting() {
        let policy = Policy {
            ports: "8443, 9443".parse().unwrap(),
            ..Policy::default()
        };
        for port in ["", ":443", ":8443", ":9443"] {
            assert!(policy.check(&format!("https://example.org{port}/")).is_ok(), "{port}");
        }
        let refused = policy.check("https://example.org:8444/").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "port 8444 is not allowed; allowed: 443, 8443, 9443"
        );
        assert!(policy.check("https://10.0.0.1:8443/").is_err());
        for text in ["0", "65536", "443;80", "https", "443,"] {
            assert!(text.parse::<Ports>().is_err(), "{text}");
        }
    }

    #[test]
    fn loopback_is_called_only_where_a_setting_allows_it() {
        for url in [
            "http://127.0.0.1:9000/hook",
            "http://[::1]:9/",
            "https://localhost:1/",
            "http://a.localhost/",
        ] {
            assert!(LOCAL.check(url).is_ok(), "{url}");
            assert!(Policy::default().check(url).is_err(), "{url}");
        }
        assert_eq!(LOCAL.check("http://example.org/").unwrap_err(), RefusedUrl::Scheme);
        assert!(LOCAL.check("http://10.0.0.1/").is_err());
        assert!(LOCAL.check("http://0.0.0.0:80/").is_err());
    }

    #[test]
    fn a_name_leads_to_its_public_addresses_alone() {
        let addresses = |texts: &[&str]| -> Vec<IpAddr> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        let found = addresses(&["10.0.0.1", "1.1.1.1", "::1", "127.0.0.1", "2606:4700::1111"]);
        for policy in [LOCAL, Policy::default()] {
            let chosen = policy.choose("example.org", found.clone()).unwrap();
            assert_eq!(chosen, addresses(&["1.1.1.1", "2606:4700::1111"]));
            let inside = addresses(&["127.0.0.1", "10.0.0.1"]);
            assert!(policy.choose("rebinding.example.org", inside).is_err());
        }
        assert_eq!(
            LOCAL.choose("localhost", found.clone()).unwrap(),
            addresses(&["127.0.0.1", "::1"])
        );
    }
}
