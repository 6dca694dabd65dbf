//! Scopes of the right to use the network.

use std::net::{IpAddr, SocketAddr};

/// Hosts or addresses, with one port or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NetScope {
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    Address(IpAddr),
    /// A name in lower case.
    Name(String),
    /// All names below this one.
    Below(String),
}

impl NetScope {
    /// Reads `host`, `host:port`, `*.host`, an address, `address:port`, `[v6]:port` or `:port`.
    pub(super) fn parse(text: &str) -> Result<NetScope, &'static str> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(NetScope { host: Host::Address(address.to_canonical()), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            None => (text, None),
            Some((host, port)) => {
                (host, Some(port.parse().map_err(|_| "the port is no number up to 65535")?))
            }
        };
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let host = if let Some(v6) = bare {
            let address: IpAddr = v6.parse().map_err(|_| "there is no address in the brackets")?;
            Host::Address(address.to_canonical())
        } else if let Ok(address) = host.parse::<IpAddr>() {
            if address.is_ipv6() {
                return Err("an IPv6 address with a port is written in brackets");
            }
            Host::Address(address)
        } else if host.is_empty() || host == "*" {
            Host::Any
        } else {
            let (below, name) = match host.strip_prefix("*.") {
                Some(name) => (true, name),
                None => (false, host),
            };
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
            if name.is_empty() || !name.chars().all(plain) {
                return Err("it is neither a host name nor an address");
            }
            let name = same_case(name);
            if below { Host::Below(name) } else { Host::Name(name) }
        };
        Ok(NetScope { host, port })
    }

    fn has_port(&self, port: u16) -> bool {
        self.port.is_none_or(|granted| granted == port)
    }

    /// Whether a socket may use the address, without any name having been looked up.
    pub(super) fn has_address(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.has_port(address.port())
            && match &self.host {
                Host::Any => true,
                Host::Address(granted) => *granted == ip,
                Host::Name(name) => name == "localhost" && ip.is_loopback(),
                Host::Below(_) => false,
            }
    }

    /// Whether the name may be looked up for the port.
    pub(super) fn has_host(&self, name: &str, port: u16) -> bool {
        let name = same_case(name);
        self.has_port(port)
            && match &self.host {
                Host::Any => true,
                Host::Address(_) => false,
                Host::Name(granted) => *granted == name,
                Host::Below(granted) => {
                    name.strip_suffix(granted.as_str()).is_some_and(|rest| rest.ends_with('.'))
                }
            }
    }
}

/// Names differ neither by case nor by a dot at the end.
fn same_case(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::NetScope;

    fn address(scope: &str, address: &str) -> bool {
        NetScope::parse(scope).unwrap().has_address(address.parse().unwrap())
    }

    fn host(scope: &str, name: &str, port: u16) -> bool {
        NetScope::parse(scope).unwrap().has_host(name, port)
    }

    #[test]
    fn addresses() {
        assert!(address("127.0.0.1", "127.0.0.1:80"));
        assert!(!address("127.0.0.1", "127.0.0.2:80"));
        assert!(!address("127.0.0.1:8080", "127.0.0.1:80"));
        assert!(address("127.0.0.1", "[::ffff:127.0.0.1]:80"));
        assert!(!address("127.0.0.1", "0.0.0.0:80"));
        assert!(address("::1", "[::1]:80"));
        assert!(address("[::1]:80", "[::1]:80"));
        assert!(!address("[::1]:80", "[::1]:81"));
        assert!(address(":443", "10.0.0.1:443") && !address(":443", "10.0.0.1:80"));
        assert!(address("localhost", "127.0.0.1:5") && address("localhost:5", "[::1]:5"));
        assert!(!address("localhost", "10.0.0.1:5"));
        assert!(!address("example.com", "10.0.0.1:80"));
    }

    #[test]
    fn hosts() {
        assert!(host("Example.com", "example.COM.", 80));
        assert!(!host("example.com", "www.example.com", 80));
        assert!(!host("example.com:443", "example.com", 80));
        assert!(host("*.example.com", "a.b.example.com", 80));
        assert!(!host("*.example.com", "example.com", 80));
        assert!(!host("*.example.com", "badexample.com", 80));
        assert!(!host("127.0.0.1", "localhost", 80));
        assert!(host("*:80", "x", 80) && !host("*:80", "x", 81));
    }

    #[test]
    fn bad_scopes() {
        for text in ["host:port", "host:70000", "::1:x", "[1]:2", "a b", "http://x", "*.", "x/y"] {
            assert!(NetScope::parse(text).is_err(), "{text}");
        }
    }
}
