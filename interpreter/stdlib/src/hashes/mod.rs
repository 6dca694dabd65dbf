//! Natives of `hashlib` and `hmac`: hash objects over the RustCrypto and BLAKE2 crates.

mod algorithm;
mod blake2;

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use crate::{ClassDef, args};
use algorithm::{Algorithm, Hmac, State};

/// Bytes that are hashed between two polls.
const PIECE: usize = 1 << 20;

macro_rules! functions {
    ($($name:literal)*; $($more:expr),* $(,)?) => {
        &[$(NativeDef::new(
            $name,
            "string=b'', *, usedforsecurity=True",
            |vm, a| make(vm, $name, a[0]),
            concat!("A ", $name, " hash object; optionally initialized with a string."),
        ),)* $($more),*]
    };
}

/// The functions of `hashlib`.
pub(crate) static FUNCTIONS: &[NativeDef] = functions! {
    "md5" "sha1" "sha224" "sha256" "sha384" "sha512" "sha3_224" "sha3_256" "sha3_384" "sha3_512"
    "shake_128" "shake_256";
    NativeDef::new(
        "_new",
        "name, string, /",
        |vm, a| {
            let name = args::text(vm, a[0], "name")?.to_display();
            make(vm, &name, a[1])
        },
        "A hash object by name.",
    ),
    NativeDef::new(
        "_pbkdf2",
        "hash_name, password, salt, iterations, dklen, /",
        pbkdf2,
        "Derive a key from a password.",
    ),
};

/// Those of `hmac`.
pub(crate) static HMAC: &[NativeDef] = &[
    NativeDef::new("compare_digest", "a, b, /", compare_digest, "Return 'a == b' in even time."),
    NativeDef::new(
        "_hmac",
        "key, msg, name, /",
        |vm, a| {
            let name = args::text(vm, a[2], "name")?.to_display();
            match Algorithm::find(&name) {
                Some(algorithm) if algorithm.start().size() > 0 => {
                    let (key, msg) = (args::buffer(vm, a[0])?, args::buffer(vm, a[1])?);
                    vm.ticks(msg.len() / 100)?;
                    vm.bytes(&Hmac::new(algorithm, &key).of(&[&msg]))
                }
                _ => Ok(Value::NONE),
            }
        },
        "The keyed hash of a message; None if the hash function is not known.",
    ),
];

/// The classes of `hashlib`.
pub(crate) static CLASSES: &[&ClassDef] = &[&blake2::BLAKE2B, &blake2::BLAKE2S];

const UPDATE: NativeDef =
    NativeDef::new("update", "self, obj, /", update, "Update this hash object's state.");
const COPY: NativeDef =
    NativeDef::new("copy", "self, /", copy, "Return a copy of the hash object.");
const NAME: NativeDef =
    NativeDef::getter("name", |vm, a| with(vm, a[0], |h| vm.intern(h.name)), "its name");
const BLOCK_SIZE: NativeDef = NativeDef::getter(
    "block_size",
    |vm, a| with(vm, a[0], |h| Value::len(h.block_size)),
    "bytes of a block",
);
const DIGEST_SIZE: NativeDef = NativeDef::getter(
    "digest_size",
    |vm, a| with(vm, a[0], |h| Value::len(h.state.size())),
    "bytes of a digest",
);
const DIGEST: NativeDef = NativeDef::new(
    "digest",
    "self, /",
    |vm, a| vm.bytes(&result(vm, a[0], 0)?),
    "Return the digest value as a bytes object.",
);
const HEXDIGEST: NativeDef = NativeDef::new(
    "hexdigest",
    "self, /",
    |vm, a| hex(vm, &result(vm, a[0], 0)?),
    "Return the digest value as a string of hexadecimal digits.",
);
const REPR: NativeDef = NativeDef::new(
    "__repr__",
    "self, /",
    |vm, a| {
        let (name, class) = (with(vm, a[0], |h| h.name)?, vm.type_name(a[0]));
        vm.str(&format!(
            "<{name} _hashlib.{class} object @ 0x{:x}>",
            a[0].word() & 0xFFFF_FFFF_FFFF
        ))
    },
    "Return repr(self).",
);

static HASH: ClassDef = ClassDef::closed(
    "_hashlib",
    "HASH",
    "A hash that is being computed.",
    &[UPDATE, COPY, NAME, BLOCK_SIZE, DIGEST_SIZE, DIGEST, HEXDIGEST, REPR],
);

static HASH_XOF: ClassDef = ClassDef::closed(
    "_hashlib",
    "HASHXOF",
    "A hash whose length the caller chooses.",
    &[
        UPDATE,
        COPY,
        NAME,
        BLOCK_SIZE,
        DIGEST_SIZE,
        NativeDef::new(
            "digest",
            "self, length, /",
            |vm, a| {
                let n = length(vm, a[1])?;
                vm.bytes(&result(vm, a[0], n)?)
            },
            "Return so many bytes of the digest.",
        ),
        NativeDef::new(
            "hexdigest",
            "self, length, /",
            |vm, a| {
                let n = length(vm, a[1])?;
                hex(vm, &result(vm, a[0], n)?)
            },
            "The same in hexadecimal digits.",
        ),
        REPR,
    ],
);

struct Hash {
    name: &'static str,
    block_size: usize,
    state: State,
}

impl Payload for Hash {}

fn with<'v, R>(vm: &'v Vm, v: Value<'v>, f: impl FnOnce(&mut Hash) -> R) -> Result<R, Exit<'v>> {
    let found = v.get::<Opaque>().and_then(|o| o.with(f));
    found.ok_or_else(|| vm.type_error("a hash object is required"))
}

/// The bytes to hash.
fn data<'v>(vm: &'v Vm, v: Value<'v>) -> Result<miniscript_vm::object::view::Data<'v>, Exit<'v>> {
    if v.is_a::<Str>() {
        return Err(vm.type_error("Strings must be encoded before hashing"));
    }
    miniscript_vm::object::view::data_of(v)
        .ok_or_else(|| vm.type_error("object supporting the buffer API required"))
}

fn feed<'v>(vm: &'v Vm, state: &mut State, bytes: &[u8]) -> Result<(), Exit<'v>> {
    for piece in bytes.chunks(PIECE) {
        vm.ticks(piece.len() / 100)?;
        state.update(piece);
    }
    Ok(())
}

fn make<'v>(vm: &'v Vm, name: &str, string: Value<'v>) -> NResult<'v> {
    let Some(algorithm) = Algorithm::find(name) else {
        return Err(vm.value_error(format!("unsupported hash type {name}")));
    };
    let mut state = algorithm.start();
    if !string.is_empty() {
        feed(vm, &mut state, &data(vm, string)?)?;
    }
    let class = match state {
        State::Shake128(_) | State::Shake256(_) => HASH_XOF.of(vm)?,
        State::Blake2b(..) => blake2::BLAKE2B.of(vm)?,
        State::Blake2s(..) => blake2::BLAKE2S.of(vm)?,
        State::Fixed(_) => HASH.of(vm)?,
    };
    let hash = Hash { name: algorithm.name, block_size: algorithm.block_size, state };
    Ok(vm.opaque(class, Some(Box::new(hash))))
}

fn update<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let bytes = data(vm, a[1])?;
    with(vm, a[0], |h| feed(vm, &mut h.state, &bytes))??;
    Ok(Value::NONE)
}

fn copy<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let copy = with(vm, a[0], |h| Hash {
        name: h.name,
        block_size: h.block_size,
        state: h.state.clone(),
    })?;
    Ok(vm.opaque(vm.class_of(a[0]), Some(Box::new(copy))))
}

fn length<'v>(vm: &'v Vm, v: Value<'v>) -> Result<usize, Exit<'v>> {
    usize::try_from(args::size(vm, v, 0)?)
        .map_err(|_| vm.err(Type::SystemError, "Negative size passed to PyBytes_FromStringAndSize"))
}

fn result<'v>(vm: &'v Vm, v: Value<'v>, length: usize) -> Result<Vec<u8>, Exit<'v>> {
    let mut out = Vec::new();
    vm.check(length)?;
    out.try_reserve(length).map_err(|_| vm.memory_error())?;
    out.resize(length, 0);
    with(vm, v, |h| h.state.result(&mut out))?;
    Ok(out)
}

fn hex<'v>(vm: &'v Vm, bytes: &[u8]) -> NResult<'v> {
    let digit = |d: u8| b"0123456789abcdef"[usize::from(d)];
    vm.str_owned(bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect())
}

fn pbkdf2<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let name = args::text(vm, a[0], "pbkdf2_hmac() argument 'hash_name'")?.to_display();
    let (password, salt) = (args::buffer(vm, a[1])?, args::buffer(vm, a[2])?);
    let iterations = args::size(vm, a[3], 1)?;
    let Some(algorithm) = Algorithm::find(&name).filter(|f| f.start().size() > 0) else {
        return Err(vm.value_error(format!("unsupported hash type {name}")));
    };
    if iterations < 1 {
        return Err(vm.value_error("iteration value must be greater than 0."));
    }
    let size = algorithm.start().size();
    let len = if a[4].is_none() { size as i64 } else { args::size(vm, a[4], 0)? };
    if len < 1 {
        return Err(vm.value_error("key length must be greater than 0."));
    }
    let mac = Hmac::new(algorithm, &password);
    let mut out = Vec::new();
    vm.check(len as usize)?;
    for block in 1..=(len as u64).div_ceil(size as u64) {
        let mut round = mac.of(&[&salt, &(block as u32).to_be_bytes()]);
        let mut sum = round.clone();
        for _ in 1..iterations {
            vm.tick()?;
            round = mac.of(&[&round]);
            sum.iter_mut().zip(&round).for_each(|(s, r)| *s ^= r);
        }
        out.extend_from_slice(&sum);
    }
    out.truncate(len as usize);
    vm.bytes_owned(out)
}

fn compare_digest<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let same = |x: &[u8], y: &[u8]| {
        x.len() == y.len() && x.iter().zip(y).fold(0, |d, (x, y)| d | (x ^ y)) == 0
    };
    if let (Some(x), Some(y)) = (a[0].get::<Str>(), a[1].get::<Str>()) {
        if !x.is_ascii() || !y.is_ascii() {
            return Err(
                vm.type_error("comparing strings with non-ASCII characters is not supported")
            );
        }
        return Ok(Value::bool(same(x.bytes(), y.bytes())));
    }
    let has_bytes = |v| miniscript_vm::object::view::data_of(v).is_some();
    if !has_bytes(a[0]) && !has_bytes(a[1]) && !a[0].is_a::<Str>() && !a[1].is_a::<Str>() {
        return Err(vm.type_error(format!(
            "unsupported operand types(s) or combination of types: '{}' and '{}'",
            vm.type_name(a[0]),
            vm.type_name(a[1])
        )));
    }
    let (x, y) = (args::buffer(vm, a[0])?, args::buffer(vm, a[1])?);
    Ok(Value::bool(same(&x, &y)))
}
