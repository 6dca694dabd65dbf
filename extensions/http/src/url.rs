//! URLs of requests: parsing, quoting, joining.
//!
//! Only `http` and `https`, and only what a request needs. Host names are ASCII (an
//! internationalised name is given in its `xn--` form): the tables that map the rest would be
//! larger than all of this extension's own code.

use std::fmt::Write;

/// A parsed URL. Path and query are quoted as they go on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether the scheme is `https`.
    pub secure: bool,
    /// Host name or address; an IPv6 address without its brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User and password, unquoted.
    pub user: Option<(String, String)>,
    /// Path, starting with `/`.
    pub path: String,
    /// Query without the `?`.
    pub query: Option<String>,
}

impl Url {
    /// Parses an absolute URL. The error is a sentence without the URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.chars().any(|c| c.is_control()) {
            return Err("it contains control characters".into());
        }
        let (scheme, rest) =
            text.split_once("://").ok_or("it has no scheme (http:// or https://)")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => {
                return Err(format!("the scheme '{scheme}' is not supported (http and https are)"));
            }
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => {
                let (name, password) = user.split_once(':').unwrap_or((user, ""));
                (Some((unquote(name, false), unquote(password, false))), host)
            }
            None => (None, authority),
        };
        let (host, port) = split_port(host)?;
        let port = match port {
            "" => default_port(secure),
            digits => digits.parse().map_err(|_| format!("the port '{digits}' is not valid"))?,
        };
        let (path, query) = split_path(rest);
        let path = if path.is_empty() { "/".to_owned() } else { quote(remove_dots(path), PATH) };
        let query = query.map(|query| quote(query, QUERY));
        Ok(Self { secure, host: host.to_ascii_lowercase(), port, user, path, query })
    }

    /// Resolves a reference, such as that of a `Location` header, against this URL.
    pub fn join(&self, reference: &str) -> Result<Self, String> {
        let reference = reference.trim();
        let scheme_end = reference.find([':', '/', '?', '#']);
        if scheme_end.is_some_and(|at| at > 0 && reference[at..].starts_with(':')) {
            return Self::parse(reference);
        }
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.scheme()));
        }
        let (path, query) = split_path(reference);
        let mut joined = Self { user: None, ..self.clone() };
        if path.is_empty() {
            if query.is_some() {
                joined.query = query.map(|query| quote(query, QUERY));
            }
            return Ok(joined);
        }
        let merged = if path.starts_with('/') {
            remove_dots(path)
        } else {
            let dir = self.path.rfind('/').map_or("/", |at| &self.path[..=at]);
            remove_dots(&format!("{dir}{path}"))
        };
        joined.path = quote(merged, PATH);
        joined.query = query.map(|query| quote(query, QUERY));
        Ok(joined)
    }

    /// Adds quoted pairs to the query.
    pub fn add_query(&mut self, pairs: &str) {
        if pairs.is_empty() {
            return;
        }
        match &mut self.query {
            Some(query) if !query.is_empty() => {
                query.push('&');
                query.push_str(pairs);
            }
            query => *query = Some(pairs.to_owned()),
        }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// Path and query.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Value of the `Host` header: the host, and the port if it is not the scheme's own.
    pub fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        if self.port == default_port(self.secure) { host } else { format!("{host}:{}", self.port) }
    }

    /// Whether credentials for this URL may also be sent to another one.
    pub fn same_origin(&self, other: &Self) -> bool {
        let same_host = self.host == other.host;
        let upgrade = !self.secure && other.secure && self.port == 80 && other.port == 443;
        same_host && ((self.secure == other.secure && self.port == other.port) || upgrade)
    }
}

/// The URL without user and password.
impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority(), self.target())
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

fn split_port(host: &str) -> Result<(&str, &str), String> {
    if let Some(rest) = host.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or("'[' of its address is not closed")?;
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(format!("'{address}' is not an IPv6 address"));
        }
        return match port.strip_prefix(':') {
            Some(port) => Ok((address, port)),
            None if port.is_empty() => Ok((address, "")),
            None => Err(format!("'{port}' stands where a port should be")),
        };
    }
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    if name.is_empty() {
        return Err("it has no host".into());
    }
    if !name.is_ascii() {
        return Err(format!("the host '{name}' is not ASCII (give its xn-- form)"));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
    match name.chars().find(|c| !fits(*c)) {
        Some(c) => Err(format!("the host '{name}' contains '{c}'")),
        None => Ok((name, port)),
    }
}

fn split_path(rest: &str) -> (&str, Option<&str>) {
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    }
}

/// Resolves `.` and `..` segments.
fn remove_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_open = false;
    for segment in path.split('/').skip(1) {
        ends_open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    if ends_open {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

const PATH: &str = "-._~!$&'()*+,;=:@/%";
const QUERY: &str = "-._~!$&'()*+,;=:@/?%";

/// Quotes what may not stand in a URL; `%` is left, since the text may be quoted already.
fn quote(text: impl AsRef<str>, safe: &str) -> String {
    let text = text.as_ref();
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || safe.as_bytes().contains(&byte) {
            quoted.push(byte as char);
        } else {
            let _ = write!(quoted, "%{byte:02X}");
        }
    }
    quoted
}

/// Adds `name=value` to a form or query, quoted as `urllib.parse.urlencode` does.
pub fn push_pair(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push('&');
    }
    quote_plus(out, name);
    out.push('=');
    quote_plus(out, value);
}

fn quote_plus(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ if byte.is_ascii_alphanumeric() => out.push(byte as char),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

/// The pairs of a form or query.
pub fn parse_pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unquote(name, true), unquote(value, true))
        })
        .collect()
}

/// Resolves `%XX`, and `+` as a space where asked for. What is not UTF-8 is replaced.
pub fn unquote(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|byte| (*byte as char).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
                continue;
            }
            (b'+', ..) if plus => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match Url::parse(text) {
            Ok(url) => url.to_string(),
            Err(error) => error,
        }
    }

    #[test]
    fn urls_are_parsed_and_quoted() {
        assert_eq!(shown("http://Example.COM"), "http://example.com/");
        assert_eq!(shown("HTTPS://a:443/x?y#z"), "https://a/x?y");
        assert_eq!(
            shown("http://a:8080/b c/é?q=ü &p=%41"),
            "http://a:8080/b%20c/%C3%A9?q=%C3%BC%20&p=%41"
        );
        assert_eq!(shown("http://[::1]:80/"), "http://[::1]/");
        assert_eq!(shown("http://a?x"), "http://a/?x");
        assert_eq!(shown("http://a/b/../c/./d/.."), "http://a/c/");
        let url = Url::parse("http://us%40er:p%3Aw@h/").expect("a URL");
        assert_eq!(url.user, Some(("us@er".into(), "p:w".into())));
        assert_eq!(url.to_string(), "http://h/");
    }

    #[test]
    fn bad_urls_say_why() {
        assert_eq!(shown("example.com"), "it has no scheme (http:// or https://)");
        assert_eq!(shown("ftp://a"), "the scheme 'ftp' is not supported (http and https are)");
        assert_eq!(shown("http://"), "it has no host");
        assert_eq!(shown("http://a:b"), "the port 'b' is not valid");
        assert_eq!(shown("http://a:99999"), "the port '99999' is not valid");
        assert_eq!(shown("http://a\r\nX: y"), "it contains control characters");
        assert_eq!(shown("http://[::g]/"), "'::g' is not an IPv6 address");
        assert_eq!(shown("http://a b/"), "the host 'a b' contains ' '");
        assert_eq!(
            shown("http://bücher.de/"),
            "the host 'bücher.de' is not ASCII (give its xn-- form)"
        );
    }

    #[test]
    fn references_are_joined() {
        let base = Url::parse("http://u:p@h:81/a/b/c?q").expect("a URL");
        let join = |text: &str| base.join(text).expect("a URL").to_string();
        assert_eq!(join("d"), "http://h:81/a/b/d");
        assert_eq!(join("../d?e"), "http://h:81/a/d?e");
        assert_eq!(join("/d"), "http://h:81/d");
        assert_eq!(join("?e"), "http://h:81/a/b/c?e");
        assert_eq!(join(""), "http://h:81/a/b/c?q");
        assert_eq!(join("//other/x"), "http://other/x");
        assert_eq!(join("https://other/x"), "https://other/x");
        assert!(base.join("javascript:alert(1)").is_err());
    }

    #[test]
    fn origins_decide_about_credentials() {
        let url = |text| Url::parse(text).expect("a URL");
        assert!(url("http://a/x").same_origin(&url("http://a/y")));
        assert!(url("http://a/").same_origin(&url("https://a/")));
        assert!(!url("https://a/").same_origin(&url("http://a/")));
        assert!(!url("http://a/").same_origin(&url("http://b/")));
        assert!(!url("http://a/").same_origin(&url("http://a:81/")));
    }

    #[test]
    fn pairs_go_both_ways() {
        let mut text = String::new();
        push_pair(&mut text, "a b", "c&d=é/~");
        push_pair(&mut text, "e", "");
        assert_eq!(text, "a+b=c%26d%3D%C3%A9%2F~&e=");
        let pairs = parse_pairs(&text);
        assert_eq!(pairs[0], ("a b".into(), "c&d=é/~".into()));
        assert_eq!(
            parse_pairs("x&&y=%zz%4"),
            [("x".into(), "".into()), ("y".into(), "%zz%4".into())]
        );
    }
}
