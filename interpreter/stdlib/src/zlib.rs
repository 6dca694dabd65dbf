//! `zlib`: compressed data, over flate2 with the zlib-rs backend.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use miniscript_vm::builtins::Type;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::{Value, Vm};

use crate::{ClassDef, args, binascii};

/// Bytes of output that are made room for at once.
const PIECE: usize = 1 << 16;

/// The functions.
pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "compress",
        "data, /, level=-1, wbits=15",
        compress,
        "Returns a bytes object containing compressed data.",
    ),
    NativeDef::new(
        "decompress",
        "data, /, wbits=15, bufsize=16384",
        decompress,
        "Returns a bytes object containing the uncompressed data.",
    ),
    NativeDef::new(
        "compressobj",
        "level=-1, method=8, wbits=15, memLevel=8, strategy=0, zdict=None",
        compressobj,
        "Return a compressor object.",
    ),
    NativeDef::new(
        "decompressobj",
        "wbits=15, zdict=b''",
        decompressobj,
        "Return a decompressor object.",
    ),
    NativeDef::new("crc32", "data, value=0, /", binascii::crc32, "Compute a CRC-32 checksum."),
    NativeDef::new("adler32", "data, value=1, /", adler32, "Compute an Adler-32 checksum."),
];

static ERROR: ClassDef = ClassDef {
    name: "error",
    module: "zlib",
    doc: "What is wrong with compressed data or with an option.",
    base: Type::Exception,
    layout: Kind::Exception,
    second_base: None,
    open: true,
    has_dict: false,
    methods: &[],
};

/// The classes.
pub(crate) static CLASSES: &[&ClassDef] = &[&ERROR];

static COMPRESSOR: ClassDef = ClassDef::closed(
    "zlib",
    "Compress",
    "A compressor.",
    &[
        NativeDef::new("compress", "self, data, /", compressor_feed, "Compress more data."),
        NativeDef::new("flush", "self, mode=4, /", compressor_flush, "Return what is pending."),
    ],
);

static DECOMPRESSOR: ClassDef = ClassDef::closed(
    "zlib",
    "Decompress",
    "A decompressor.",
    &[
        NativeDef::new(
            "decompress",
            "self, data, /, max_length=0",
            decompressor_feed,
            "Decompress more data.",
        ),
        NativeDef::new("flush", "self, length=16384, /", decompressor_flush, "Return the rest."),
        NativeDef::getter(
            "unused_data",
            |vm, a| {
                let data = with(vm, a[0], |i: &mut Inflater| i.unused.clone())?;
                vm.bytes_owned(data)
            },
            "what follows the compressed data",
        ),
        NativeDef::getter(
            "unconsumed_tail",
            |vm, a| {
                let data = with(vm, a[0], |i: &mut Inflater| i.tail.clone())?;
                vm.bytes_owned(data)
            },
            "what was not read because of max_length",
        ),
        NativeDef::getter(
            "eof",
            |vm, a| Ok(Value::bool(with(vm, a[0], |i: &mut Inflater| i.done)?)),
            "whether the end of the compressed data was read",
        ),
    ],
);

/// The constants.
pub(crate) fn fill<'v>(vm: &'v Vm, d: &'v Dict) -> Result<(), Exit<'v>> {
    for (name, n) in [
        ("DEFLATED", 8),
        ("DEF_BUF_SIZE", 16384),
        ("DEF_MEM_LEVEL", 8),
        ("MAX_WBITS", 15),
        ("Z_BEST_COMPRESSION", 9),
        ("Z_BEST_SPEED", 1),
        ("Z_BLOCK", 5),
        ("Z_DEFAULT_COMPRESSION", -1),
        ("Z_DEFAULT_STRATEGY", 0),
        ("Z_FILTERED", 1),
        ("Z_FINISH", 4),
        ("Z_FIXED", 4),
        ("Z_FULL_FLUSH", 3),
        ("Z_HUFFMAN_ONLY", 2),
        ("Z_NO_COMPRESSION", 0),
        ("Z_NO_FLUSH", 0),
        ("Z_PARTIAL_FLUSH", 1),
        ("Z_RLE", 3),
        ("Z_SYNC_FLUSH", 2),
        ("Z_TREES", 6),
    ] {
        vm.dict_set_name(d, vm.intern(name), Value::int32(n))?;
    }
    // The version of zlib whose format and interface these are.
    for name in ["ZLIB_VERSION", "ZLIB_RUNTIME_VERSION"] {
        vm.dict_set_name(d, vm.intern(name), vm.str("1.3.1")?)?;
    }
    vm.dict_set_name(d, vm.intern("__version__"), vm.str("1.0")?)
}

struct Deflater {
    stream: Compress,
    done: bool,
}

impl Payload for Deflater {}

struct Inflater {
    /// Made when the first byte is there, which tells the kind if `wbits` leaves it open.
    stream: Option<Decompress>,
    wbits: i64,
    dictionary: Vec<u8>,
    unused: Vec<u8>,
    tail: Vec<u8>,
    done: bool,
}

impl Payload for Inflater {}

fn with<'v, T: Payload, R>(
    vm: &'v Vm,
    v: Value<'v>,
    f: impl FnOnce(&mut T) -> R,
) -> Result<R, Exit<'v>> {
    let found = v.get::<Opaque>().and_then(|o| o.with(f));
    found.ok_or_else(|| vm.type_error("a zlib object is required"))
}

#[cold]
fn error<'v>(vm: &'v Vm, msg: impl AsRef<str>) -> Exit<'v> {
    ERROR.raise(vm, msg.as_ref())
}

/// A compressor, if the options are good.
fn deflater(level: i64, wbits: i64) -> Option<Compress> {
    let level = match level {
        -1 => Compression::default(),
        0..=9 => Compression::new(level as u32),
        _ => return None,
    };
    // A window of 256 bytes cannot be made; zlib takes 512, too.
    let bits = |n: i64| n.max(9) as u8;
    Some(match wbits {
        8..=15 => Compress::new_with_window_bits(level, true, bits(wbits)),
        -15..=-9 => Compress::new_with_window_bits(level, false, bits(-wbits)),
        25..=31 => Compress::new_gzip(level, bits(wbits - 16)),
        _ => return None,
    })
}

fn inflater(wbits: i64, first: u8) -> Option<Decompress> {
    let bits = |n: i64| if n == 0 { 15 } else { n.max(9) as u8 };
    Some(match wbits {
        0 | 8..=15 => Decompress::new_with_window_bits(true, bits(wbits)),
        -15..=-8 => Decompress::new_with_window_bits(false, bits(-wbits)),
        16 | 24..=31 => Decompress::new_gzip(bits(wbits - 16)),
        32 | 40..=47 if first == 0x1F => Decompress::new_gzip(bits(wbits - 32)),
        32 | 40..=47 => Decompress::new_with_window_bits(true, bits(wbits - 32)),
        _ => return None,
    })
}

/// Compresses `data`, and all that is pending as `flush` says, behind `out`.
fn deflate<'v>(
    vm: &'v Vm,
    stream: &mut Compress,
    mut data: &[u8],
    flush: FlushCompress,
    out: &mut Vec<u8>,
) -> Result<(), Exit<'v>> {
    loop {
        vm.ticks(1000)?;
        vm.check(PIECE)?;
        out.try_reserve(PIECE).map_err(|_| vm.memory_error())?;
        let (read, written) = (stream.total_in(), out.len());
        // A piece at a time, so that a deadline holds.
        let piece = &data[..data.len().min(PIECE * 4)];
        let last = piece.len() == data.len();
        let how = if last { flush } else { FlushCompress::None };
        let status = stream.compress_vec(piece, out, how);
        data = &data[(stream.total_in() - read) as usize..];
        match status {
            Ok(Status::StreamEnd) => return Ok(()),
            Ok(_) if data.is_empty() && out.len() < out.capacity() && last => {
                if flush != FlushCompress::Finish || out.len() == written {
                    return Ok(());
                }
            }
            Ok(_) => {}
            Err(_) => {
                return Err(error(
                    vm,
                    "Error -2 while compressing data: inconsistent stream state",
                ));
            }
        }
    }
}

fn compress<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[0])?;
    let (level, wbits) = (args::size(vm, a[1], -1)?, args::size(vm, a[2], 15)?);
    let Some(mut stream) = deflater(level, wbits) else {
        return Err(error(vm, "Bad compression level"));
    };
    let mut out = Vec::new();
    deflate(vm, &mut stream, &data, FlushCompress::Finish, &mut out)?;
    vm.bytes_owned(out)
}

/// What one run of a decompressor came to.
struct Inflated {
    out: Vec<u8>,
    /// Bytes read of the data.
    read: usize,
    done: bool,
}

/// Decompresses `data` up to `limit` bytes.
fn inflate<'v>(
    vm: &'v Vm,
    stream: &mut Decompress,
    dictionary: &[u8],
    data: &[u8],
    limit: usize,
) -> Result<Inflated, Exit<'v>> {
    let mut made = Inflated { out: Vec::new(), read: 0, done: false };
    let begin = stream.total_in();
    loop {
        vm.ticks(1000)?;
        let room = (limit - made.out.len()).min(PIECE);
        vm.check(made.out.len() + room)?;
        let mut piece = vec![0; room];
        let before = stream.total_out();
        let status = stream.decompress(&data[made.read..], &mut piece, FlushDecompress::None);
        let written = (stream.total_out() - before) as usize;
        made.read = (stream.total_in() - begin) as usize;
        made.out.extend_from_slice(&piece[..written]);
        match status {
            Ok(Status::StreamEnd) => {
                made.done = true;
                return Ok(made);
            }
            Ok(_) if made.out.len() >= limit => return Ok(made),
            Ok(_) if written < room => return Ok(made),
            Ok(_) => {}
            Err(e) if e.needs_dictionary().is_some() => {
                if dictionary.is_empty() {
                    return Err(error(vm, "Error 2 while decompressing data"));
                }
                if stream.set_dictionary(dictionary).is_err() {
                    return Err(error(vm, "Error -3 while setting zdict"));
                }
            }
            Err(e) => {
                let what = e.message().unwrap_or("invalid data");
                return Err(error(vm, format!("Error -3 while decompressing data: {what}")));
            }
        }
    }
}

fn decompress<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[0])?;
    let (wbits, bufsize) = (args::size(vm, a[1], 15)?, args::size(vm, a[2], 16384)?);
    if bufsize < 0 {
        return Err(vm.value_error("bufsize must be non-negative"));
    }
    let Some(mut stream) = inflater(wbits, data.first().copied().unwrap_or(0)) else {
        let text = "Error -2 while preparing to decompress data: inconsistent stream state";
        return Err(error(vm, text));
    };
    let made = inflate(vm, &mut stream, &[], &data, usize::MAX)?;
    if !made.done {
        let text = "Error -5 while decompressing data: incomplete or truncated stream";
        return Err(error(vm, text));
    }
    vm.bytes_owned(made.out)
}

fn compressobj<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let wrong = || vm.value_error("Invalid initialization option");
    let (method, memory) = (args::size(vm, a[1], 8)?, args::size(vm, a[3], 8)?);
    let strategy = args::size(vm, a[4], 0)?;
    if method != 8 || !(1..=9).contains(&memory) || !(0..=4).contains(&strategy) {
        return Err(wrong());
    }
    let stream = deflater(args::size(vm, a[0], -1)?, args::size(vm, a[2], 15)?);
    let mut stream = stream.ok_or_else(wrong)?;
    if !a[5].is_empty() && !a[5].is_none() {
        let dictionary = args::buffer(vm, a[5])?;
        stream.set_dictionary(&dictionary).map_err(|_| vm.value_error("Invalid dictionary"))?;
    }
    Ok(vm.opaque(COMPRESSOR.of(vm)?, Some(Box::new(Deflater { stream, done: false }))))
}

fn compressor_feed<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[1])?;
    let mut out = Vec::new();
    with(vm, a[0], |d: &mut Deflater| {
        if d.done {
            let text = "Error -2 while compressing data: inconsistent stream state";
            return Err(error(vm, text));
        }
        deflate(vm, &mut d.stream, &data, FlushCompress::None, &mut out)
    })??;
    vm.bytes_owned(out)
}

fn compressor_flush<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let wrong = || error(vm, "Error -2 while flushing: inconsistent stream state");
    let flush = match args::size(vm, a[1], 4)? {
        0 => return vm.bytes(&[]),
        // Of a block all is given that makes whole bytes; a partial flush gives a little more.
        1 | 5 => FlushCompress::Partial,
        2 => FlushCompress::Sync,
        3 => FlushCompress::Full,
        4 => FlushCompress::Finish,
        _ => return Err(wrong()),
    };
    let mut out = Vec::new();
    with(vm, a[0], |d: &mut Deflater| {
        if d.done {
            return Err(wrong());
        }
        d.done = flush == FlushCompress::Finish;
        deflate(vm, &mut d.stream, &[], flush, &mut out)
    })??;
    vm.bytes_owned(out)
}

fn decompressobj<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let wbits = args::size(vm, a[0], 15)?;
    if inflater(wbits, 0).is_none() {
        return Err(vm.value_error("Invalid initialization option"));
    }
    let dictionary = match a[1] {
        v if v.is_empty() => Vec::new(),
        v => args::buffer(vm, v)?.to_vec(),
    };
    let made = Inflater {
        stream: None,
        wbits,
        dictionary,
        unused: Vec::new(),
        tail: Vec::new(),
        done: false,
    };
    Ok(vm.opaque(DECOMPRESSOR.of(vm)?, Some(Box::new(made))))
}

impl Inflater {
    fn feed<'v>(&mut self, vm: &'v Vm, data: &[u8], limit: usize) -> NResult<'v> {
        let Some(first) = data.first() else { return vm.bytes(&[]) };
        if self.done {
            self.unused.extend_from_slice(data);
            self.tail.clear();
            return vm.bytes(&[]);
        }
        if self.stream.is_none() {
            self.stream = inflater(self.wbits, *first);
            if let (Some(stream), true) = (&mut self.stream, self.wbits < 0)
                && !self.dictionary.is_empty()
            {
                let set = stream.set_dictionary(&self.dictionary);
                set.map_err(|_| error(vm, "Error -3 while setting zdict"))?;
            }
        }
        let Some(stream) = &mut self.stream else { return vm.bytes(&[]) };
        let made = inflate(vm, stream, &self.dictionary, data, limit)?;
        self.done = made.done;
        let rest = &data[made.read..];
        self.tail.clear();
        if made.done {
            self.unused.extend_from_slice(rest);
        } else {
            self.tail.extend_from_slice(rest);
        }
        vm.bytes_owned(made.out)
    }
}

fn decompressor_feed<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[1])?;
    let limit = match usize::try_from(args::size(vm, a[2], 0)?) {
        Ok(0) => usize::MAX,
        Ok(n) => n,
        Err(_) => return Err(vm.value_error("max_length must be non-negative")),
    };
    with(vm, a[0], |i: &mut Inflater| i.feed(vm, &data, limit))?
}

fn decompressor_flush<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if args::size(vm, a[1], 16384)? <= 0 {
        return Err(vm.value_error("length must be greater than zero"));
    }
    with(vm, a[0], |i: &mut Inflater| {
        let tail = std::mem::take(&mut i.tail);
        i.feed(vm, &tail, usize::MAX)
    })?
}

fn adler32<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[0])?;
    let start = binascii::checksum(vm, a[1], 1)?;
    let (mut low, mut high) = (start & 0xFFFF, start >> 16);
    // So many sums of bytes fit 32 bits.
    for piece in data.chunks(5552) {
        vm.tick()?;
        for b in piece {
            low += u32::from(*b);
            high += low;
        }
        low %= 65521;
        high %= 65521;
    }
    Ok(vm.uint(u64::from(high << 16 | low)))
}
