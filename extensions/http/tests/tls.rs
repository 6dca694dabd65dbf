//! TLS: who is trusted, and who is not.

mod common;

use common::*;
use miniscript_sdk::testing::Py;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

/// An authority, and a server with a certificate of it for `name`; the authority as PEM.
fn tls_server(name: &str, answer: &'static str) -> (SocketAddr, String) {
    let ca_key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&ca_key).expect("an authority");
    let issuer = Issuer::from_params(&params, &ca_key);
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec![name.to_owned()])
        .and_then(|params| params.signed_by(&key, &issuer))
        .expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("a configuration");
    let config = Arc::new(config);
    let address = raw_server(move |tcp| {
        let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
        let mut stream = StreamOwned::new(session, tcp);
        while read_request(&mut stream).is_some() {
            let body = answer.repeat(20_000);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let sent =
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
            if sent.and_then(|()| stream.flush()).is_err() {
                return;
            }
        }
    });
    (address, ca.pem())
}

#[test]
fn a_server_is_accepted_with_its_authority_and_refused_without() {
    let (address, ca) = tls_server("localhost", "secret");
    let vm = vm();
    let url = format!("https://localhost:{}/", address.port());
    let ca = [("ca", bytes(ca.as_bytes()))];
    for _ in 0..2 {
        let response = get(&vm, &url, &ca).expect("an answer");
        assert_eq!(show(&vm, &response, "text").len(), 6 * 20_000 + 2);
    }
    assert_eq!(vm.open_sockets(), 1);
    let (_, other) = tls_server("localhost", "x");
    let text = raised(get(&vm, &url, &[("ca", bytes(other.as_bytes()))]));
    let expected = format!(
        "TLSError: no secure connection to localhost:{}: its certificate is not accepted: UnknownIssuer",
        address.port()
    );
    // The signature does not fit the authority of the same name.
    let unfit = expected.replace("UnknownIssuer", "BadSignature");
    assert!(text == expected || text == unfit, "{text}");
    let text = raised(get(&vm, &url, &[]));
    assert!(text.starts_with("TLSError: "), "{text}");
    let insecure = [("verify", Py::Bool(false))];
    let response = get(&vm, &url, &insecure).expect("an answer");
    assert_eq!(show(&vm, &response, "status"), "200");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let (address, ca) = tls_server("example.org", "x");
    let vm = vm();
    let url = format!("https://localhost:{}/", address.port());
    let text = raised(get(&vm, &url, &[("ca", bytes(ca.as_bytes()))]));
    assert!(text.contains("its certificate is not accepted: NotValidForName"), "{text}");
}

#[test]
fn an_address_can_have_a_certificate() {
    let (address, ca) = tls_server("127.0.0.1", "x");
    let vm = vm();
    let url = format!("https://{address}/");
    get(&vm, &url, &[("ca", bytes(ca.as_bytes()))]).expect("an answer");
}

#[test]
fn a_server_without_tls_is_a_clear_error() {
    let (address, _) = server(|_| ok("plain"));
    let vm = vm();
    let options = [("verify", Py::Bool(false)), ("timeout", Py::Int(5))];
    // It waits for the end of a request head that never comes, or answers what is no TLS.
    let talker = raw_server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let text = raised(get(&vm, &format!("https://{talker}/"), &options));
    assert!(text.starts_with("TLSError: no secure connection to"), "{text}");
    let short = [("verify", Py::Bool(false)), ("timeout", Py::Float(0.2))];
    let text = raised(get(&vm, &format!("https://{address}/"), &short));
    assert!(text.starts_with("TimeoutError: no connection within the time limit"), "{text}");
}

#[test]
fn bad_authorities_are_named() {
    let vm = vm();
    let text = raised(get(&vm, "https://localhost:1/", &[("ca", bytes(b"no PEM"))]));
    assert_eq!(text, "TLSError: no CA certificate in the given text");
    let text = raised(get(&vm, "https://localhost:1/", &[("ca", Py::str("no/such.pem"))]));
    assert_eq!(text, "FileNotFoundError: [Errno 2] No such file or directory: 'no/such.pem'");
}
