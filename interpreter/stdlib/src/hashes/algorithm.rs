//! The hash functions, behind one type.

use blake2b_simd::State as Blake2b;
use blake2s_simd::State as Blake2s;
use digest::{DynDigest, ExtendableOutput, Update, XofReader};
use shake::{Shake128, Shake256};

/// A hash function.
pub(super) struct Algorithm {
    /// Its name, as `hash.name`.
    pub(super) name: &'static str,
    /// Bytes of its blocks.
    pub(super) block_size: usize,
    start: fn() -> State,
}

/// A hash that is being computed.
pub(super) enum State {
    Fixed(Box<dyn DynDigest>),
    Shake128(Shake128),
    Shake256(Shake256),
    Blake2b(Box<Blake2b>, usize),
    Blake2s(Box<Blake2s>, usize),
}

fn fixed<D: DynDigest + Default + 'static>() -> State {
    State::Fixed(Box::new(D::default()))
}

macro_rules! algorithms {
    ($($name:literal $block:literal $start:expr;)*) => {
        /// All of them.
        pub(super) static ALGORITHMS: &[Algorithm] =
            &[$(Algorithm { name: $name, block_size: $block, start: $start }),*];
    };
}

algorithms! {
    "md5" 64 fixed::<md5::Md5>;
    "sha1" 64 fixed::<sha1::Sha1>;
    "sha224" 64 fixed::<sha2::Sha224>;
    "sha256" 64 fixed::<sha2::Sha256>;
    "sha384" 128 fixed::<sha2::Sha384>;
    "sha512" 128 fixed::<sha2::Sha512>;
    "sha512_224" 128 fixed::<sha2::Sha512_224>;
    "sha512_256" 128 fixed::<sha2::Sha512_256>;
    "sha3_224" 144 fixed::<sha3::Sha3_224>;
    "sha3_256" 136 fixed::<sha3::Sha3_256>;
    "sha3_384" 104 fixed::<sha3::Sha3_384>;
    "sha3_512" 72 fixed::<sha3::Sha3_512>;
    "shake_128" 168 || State::Shake128(Shake128::default());
    "shake_256" 136 || State::Shake256(Shake256::default());
    "blake2b" 128 || State::Blake2b(Box::new(Blake2b::new()), 64);
    "blake2s" 64 || State::Blake2s(Box::new(Blake2s::new()), 32);
}

impl Algorithm {
    /// The one of a name, in any case and with `-` for `_`.
    pub(super) fn find(name: &str) -> Option<&'static Algorithm> {
        let exact = ALGORITHMS.iter().find(|a| a.name == name);
        exact.or_else(|| {
            let name = name.to_ascii_lowercase().replace('-', "_");
            // The names of the BLAKE2 functions are exact.
            ALGORITHMS.iter().find(|a| a.name == name && !a.name.starts_with("blake"))
        })
    }

    pub(super) fn start(&self) -> State {
        (self.start)()
    }
}

impl State {
    pub(super) fn update(&mut self, data: &[u8]) {
        match self {
            State::Fixed(d) => d.update(data),
            State::Shake128(d) => d.update(data),
            State::Shake256(d) => d.update(data),
            State::Blake2b(d, _) => {
                d.update(data);
            }
            State::Blake2s(d, _) => {
                d.update(data);
            }
        }
    }

    /// Bytes of the result; 0 if the caller chooses.
    pub(super) fn size(&self) -> usize {
        match self {
            State::Fixed(d) => d.output_size(),
            State::Shake128(_) | State::Shake256(_) => 0,
            State::Blake2b(_, size) | State::Blake2s(_, size) => *size,
        }
    }

    /// The hash of what it was given so far, in `out` for those whose length is chosen.
    pub(super) fn result(&self, out: &mut Vec<u8>) {
        match self {
            State::Fixed(d) => out.extend_from_slice(&d.box_clone().finalize()),
            State::Shake128(d) => d.clone().finalize_xof().read(out),
            State::Shake256(d) => d.clone().finalize_xof().read(out),
            State::Blake2b(d, _) => out.extend_from_slice(d.finalize().as_bytes()),
            State::Blake2s(d, _) => out.extend_from_slice(d.finalize().as_bytes()),
        }
    }
}

impl Clone for State {
    fn clone(&self) -> State {
        match self {
            State::Fixed(d) => State::Fixed(d.box_clone()),
            State::Shake128(d) => State::Shake128(d.clone()),
            State::Shake256(d) => State::Shake256(d.clone()),
            State::Blake2b(d, size) => State::Blake2b(d.clone(), *size),
            State::Blake2s(d, size) => State::Blake2s(d.clone(), *size),
        }
    }
}

/// A keyed hash, as RFC 2104 makes it of a hash function.
#[derive(Clone)]
pub(super) struct Hmac {
    inner: State,
    outer: State,
}

impl Hmac {
    pub(super) fn new(algorithm: &Algorithm, key: &[u8]) -> Hmac {
        let mut block = Vec::new();
        if key.len() > algorithm.block_size {
            let mut hash = algorithm.start();
            hash.update(key);
            hash.result(&mut block);
        } else {
            block.extend_from_slice(key);
        }
        block.resize(algorithm.block_size, 0);
        let begin = |pad: u8| {
            let mut state = algorithm.start();
            state.update(&block.iter().map(|b| b ^ pad).collect::<Vec<_>>());
            state
        };
        Hmac { inner: begin(0x36), outer: begin(0x5C) }
    }

    pub(super) fn of(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut inner = self.inner.clone();
        for part in parts {
            inner.update(part);
        }
        let mut hash = Vec::new();
        inner.result(&mut hash);
        let mut outer = self.outer.clone();
        outer.update(&hash);
        hash.clear();
        outer.result(&mut hash);
        hash
    }
}
