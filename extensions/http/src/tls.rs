//! TLS over the host's sockets: rustls driven by polls, and whom to trust.

use miniscript_sdk::net::TcpStream;
use miniscript_sdk::{Error, Result, fs, task};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::task::{Context, Poll};

/// Whose certificates a request accepts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Those of the system's authorities (or of `SSL_CERT_FILE` and `SSL_CERT_DIR`).
    System,
    /// Those of the authorities in a file.
    File(String),
    /// Those of the authorities in this text.
    Pem(Vec<u8>),
    /// Any. The connection is encrypted, but with whom is unknown.
    Anyone,
}

/// The configurations that were made, so that the roots are read once.
#[derive(Default)]
pub struct Configs(RefCell<HashMap<Trust, Arc<ClientConfig>>>);

/// More than a script uses; beyond it the cache starts anew.
const MAX_CONFIGS: usize = 32;

impl Configs {
    /// The configuration for a kind of trust; made at its first use.
    pub async fn get(&self, trust: &Trust) -> Result<Arc<ClientConfig>> {
        if let Some(config) = self.0.borrow().get(trust) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(make(trust).await?);
        let mut configs = self.0.borrow_mut();
        if configs.len() >= MAX_CONFIGS {
            configs.clear();
        }
        // Another task may have been faster: connections are shared by configuration.
        Ok(Arc::clone(configs.entry(trust.clone()).or_insert(config)))
    }
}

async fn make(trust: &Trust) -> Result<ClientConfig> {
    let given = match trust {
        Trust::System | Trust::Anyone => Vec::new(),
        Trust::File(path) => certificates(&fs::read(path).await?, path)?,
        Trust::Pem(text) => certificates(text, "the given text")?,
    };
    let roots = match trust {
        Trust::System => {
            task::blocking(system_roots).await?.map_err(|why| Error::new("TLSError", why))?
        }
        Trust::File(path) => roots_of(&given, path)?,
        Trust::Pem(_) => roots_of(&given, "the given text")?,
        Trust::Anyone => RootCertStore::empty(),
    };
    let broken = |error: String| Error::new("TLSError", error);
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| broken(error.to_string()))?;
    let mut config = match trust {
        Trust::System => builder.with_root_certificates(roots).with_no_client_auth(),
        Trust::Anyone => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAnyone(provider)))
            .with_no_client_auth(),
        Trust::File(_) | Trust::Pem(_) => {
            let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| broken(error.to_string()))?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptGiven { chains, given }))
                .with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn system_roots() -> std::result::Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(format!(
            "no certificate authorities found on this system{why}; install its package of CA \
             certificates, set SSL_CERT_FILE, or pass ca="
        ));
    }
    Ok(roots)
}

fn bad_certificate(name: &str, why: &str) -> Error {
    Error::new("TLSError", format!("bad CA certificate in {name}: {why}"))
}

fn certificates(pem: &[u8], name: &str) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem)
        .map(|found| found.map_err(|error| bad_certificate(name, &format!("{error:?}"))))
        .collect()
}

fn roots_of(given: &[CertificateDer<'static>], name: &str) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in given {
        roots
            .add(certificate.clone())
            .map_err(|error| bad_certificate(name, &error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(Error::new("TLSError", format!("no CA certificate in {name}"))),
        false => Ok(roots),
    }
}

/// `ca=`: what these authorities signed, and the given certificates themselves, such as the one
/// that a server for tests signed itself.
#[derive(Debug)]
struct AcceptGiven {
    chains: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for AcceptGiven {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let checked = self.chains.verify_server_cert(certificate, intermediates, name, ocsp, now);
        match checked {
            Err(_) if self.given.iter().any(|given| given == certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            checked => checked,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// `verify=False`. Signatures are still checked: they cost nothing extra.
#[derive(Debug)]
struct AcceptAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// An encrypted connection.
pub struct TlsStream {
    tcp: TcpStream,
    tls: ClientConnection,
}

/// The socket as rustls wants it; "not ready" is `WouldBlock`.
struct Wire<'a, 'b> {
    tcp: &'a TcpStream,
    cx: &'a mut Context<'b>,
}

fn or_would_block<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// The way back: the waker was registered when the socket was asked.
fn or_pending<T>(result: io::Result<T>) -> Poll<io::Result<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        result => Poll::Ready(result),
    }
}

impl Read for Wire<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        or_would_block(self.tcp.poll_read(self.cx, buffer))
    }
}

impl Write for Wire<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        or_would_block(self.tcp.poll_write(self.cx, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TlsStream {
    /// Shakes hands. The error is a sentence.
    pub async fn connect(
        tcp: TcpStream,
        config: Arc<ClientConfig>,
        host: &str,
    ) -> std::result::Result<Self, String> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("'{host}' is not a name that a certificate can have"))?;
        let tls = ClientConnection::new(config, name).map_err(|error| error.to_string())?;
        let mut stream = Self { tcp, tls };
        poll_fn(|cx| stream.poll_handshake(cx)).await.map_err(|error| {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(rustls::Error::InvalidCertificate(why)) => {
                    format!("its certificate is not accepted: {why:?}")
                }
                _ => error.to_string(),
            }
        })?;
        Ok(stream)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.tls.is_handshaking() {
            let flushed = self.flush_tls(cx);
            if !self.tls.is_handshaking() {
                break;
            }
            if let Err(error) = self.fill(cx) {
                return or_pending(Err(error));
            }
            if let Err(error) = flushed
                && error.kind() != io::ErrorKind::WouldBlock
            {
                return Poll::Ready(Err(error));
            }
        }
        or_pending(self.flush_tls(cx))
    }

    /// Takes in what the socket has; `UnexpectedEof` at its end.
    fn fill(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let count = self.tls.read_tls(&mut Wire { tcp: &self.tcp, cx })?;
        let processed = self.tls.process_new_packets();
        if let Err(error) = processed {
            // The other end learns why, if the socket takes it at once.
            let _ = self.flush_tls(cx);
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        if count == 0 && self.tls.is_handshaking() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the connection was closed during the handshake",
            ));
        }
        Ok(())
    }

    fn flush_tls(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while self.tls.wants_write() {
            if self.tls.write_tls(&mut Wire { tcp: &self.tcp, cx })? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    /// Reads decrypted bytes; 0 at the end.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
            if let Err(error) = self.fill(cx) {
                return or_pending(Err(error));
            }
            // What was read may need an answer (a key update).
            if let Err(error) = self.flush_tls(cx)
                && error.kind() != io::ErrorKind::WouldBlock
            {
                return Poll::Ready(Err(error));
            }
        }
    }

    /// Takes bytes to encrypt and send.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let count = self.tls.writer().write(bytes)?;
            let flushed = self.flush_tls(cx);
            if count > 0 || bytes.is_empty() {
                return match flushed {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                        Poll::Ready(Err(error))
                    }
                    _ => Poll::Ready(Ok(count)),
                };
            }
            // The buffer is full.
            if let Err(error) = flushed {
                return or_pending(Err(error));
            }
        }
    }

    /// Sends what is buffered.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        or_pending(self.flush_tls(cx))
    }

    /// Says goodbye.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tls.send_close_notify();
        match self.poll_flush(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(self.tcp.shutdown_write()),
            other => other,
        }
    }
}
