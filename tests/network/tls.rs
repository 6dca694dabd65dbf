//! TLS: the certificates of a test authority are accepted with it and refused without.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::{answers, output, read_message, server};

/// An authority, and a server with a certificate of it for `name`; the authority as PEM.
fn tls_server(name: &str) -> (SocketAddr, String) {
    let ca_key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&ca_key).expect("an authority");
    let issuer = Issuer::from_params(&params, &ca_key);
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec![name.to_owned()])
        .and_then(|params| params.signed_by(&key, &issuer))
        .expect("a certificate");
    (serve(leaf.der().clone(), &key), ca.pem())
}

/// A server with a certificate that nobody else signed, and the certificate.
fn self_signed(name: &str) -> (SocketAddr, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("a certificate");
    (serve(certificate.der().clone(), &key), certificate.pem())
}

fn serve(certificate: CertificateDer<'static>, key: &KeyPair) -> SocketAddr {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a configuration");
    let config = Arc::new(config);
    server(move |tcp| {
        let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
        let mut stream = StreamOwned::new(session, tcp);
        while read_message(&mut stream).is_some() {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
            if stream.write_all(answer).and_then(|()| stream.flush()).is_err() {
                return;
            }
        }
    })
}

const GET: &str = "import http, sys\n\
    url, pem = sys.argv[1:3]\n\
    open('ca.pem', 'w').write(pem)\n\
    class Path:\n    def __fspath__(self): return 'ca.pem'\n\
    def get(**options):\n    \
    try: print(http.get(url, **options).text)\n    \
    except http.ConnectionError as e:\n        \
    print(type(e).__name__, str(e).split(': ')[-1], 'certificate' in str(e))\n\
    get(ca='ca.pem')\nget(ca=pem.encode())\nget()\nget(verify=False)\n";

#[test]
fn a_test_authority_is_trusted_when_it_is_named() {
    let (address, pem) = tls_server("localhost");
    let url = format!("https://localhost:{}/", address.port());
    let shown = output(GET, &[&url, &pem]);
    let refused = "TLSError UnknownIssuer True";
    assert_eq!(shown, format!("secret\nsecret\n{refused}\nsecret\n"));
    // Another authority is none for this server.
    let (_, other) = tls_server("localhost");
    let shown = output(GET, &[&url, &other]);
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("TLSError ") && lines[2] == refused, "{shown}");
    assert_eq!(lines[3], "secret");
}

#[test]
fn a_certificate_is_for_one_name() {
    let (address, pem) = tls_server("example.org");
    let url = format!("https://localhost:{}/", address.port());
    let shown = output(GET, &[&url, &pem]);
    assert!(shown.starts_with("TLSError "), "{shown}");
    assert!(shown.ends_with("\nsecret\n"), "{shown}");
}

#[test]
fn a_certificate_may_be_given_itself() {
    let (address, pem) = self_signed("localhost");
    let url = format!("https://localhost:{}/", address.port());
    let shown = output(GET, &[&url, &pem]);
    assert!(shown.starts_with("secret\nsecret\nTLSError "), "{shown}");
    // It is for one name, too, and no other certificate will do.
    let shown = output(GET, &[&format!("https://{address}/"), &pem]);
    assert!(shown.starts_with("TLSError "), "{shown}");
    let (_, other) = self_signed("localhost");
    let shown = output(GET, &[&url, &other]);
    assert!(shown.starts_with("TLSError "), "{shown}");
}

#[test]
fn a_server_that_speaks_no_tls_is_an_error() {
    let plain = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let program = "import http, sys\n\
        try: http.get(sys.argv[1], verify=False, timeout=0.5)\n\
        except OSError as e: print(type(e).__name__)\n";
    let shown = output(program, &[&format!("https://{plain}/")]);
    assert!(shown == "TLSError\n" || shown == "TimeoutError\n", "{shown}");
}
