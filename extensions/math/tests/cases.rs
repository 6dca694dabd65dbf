//! Every line of `cases.tsv` (made by `cases.py` with CPython 3.12) gives the same bits here.

#![allow(unsafe_code)]

use miniscript_sdk::abi::{MsDescriptor, MsExt};
use miniscript_sdk::testing::{Object, Py, Raised, Vm};
use std::fmt::Write as _;

/// Parses a value; returns what follows it.
fn value(text: &str) -> (Py, &str) {
    if let Some(rest) = text.strip_prefix(['[', '(']) {
        let is_list = text.starts_with('[');
        let (mut items, mut rest) = (Vec::new(), rest);
        loop {
            rest = rest.trim_start_matches(' ');
            if let Some(after) = rest.strip_prefix([']', ')']) {
                return (if is_list { Py::list(items) } else { Py::tuple(items) }, after);
            }
            let (item, after) = value(rest);
            items.push(item);
            rest = after;
        }
    }
    let end = text.find([' ', ']', ')']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let parsed = match word.split_once(':') {
        None => Py::None,
        Some(("f", "nan")) => Py::Float(f64::NAN),
        Some(("f", bits)) => Py::Float(f64::from_bits(u64::from_str_radix(bits, 16).unwrap())),
        Some(("i", digits)) => int(digits),
        Some(("b", flag)) => Py::Bool(flag == "1"),
        Some(("s", text)) => Py::str(text),
        Some(_) => panic!("cannot read {word}"),
    };
    (parsed, rest)
}

fn int(digits: &str) -> Py {
    if let Ok(small) = i64::from_str_radix(digits, 16) {
        return Py::Int(small);
    }
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits),
    };
    let mut limbs = Vec::new();
    let mut end = digits.len();
    while end > 0 {
        let start = end.saturating_sub(16);
        limbs.push(u64::from_str_radix(&digits[start..end], 16).unwrap());
        end = start;
    }
    Py::object(Object::BigInt(negative, limbs))
}

fn show(result: &Result<Py, Raised>) -> String {
    match result {
        Ok(value) => show_value(value),
        Err(raised) => format!("!{}:{}", raised.class, raised.message),
    }
}

fn show_value(value: &Py) -> String {
    match value {
        Py::None => "n".to_owned(),
        Py::Bool(flag) => format!("b:{}", u8::from(*flag)),
        Py::Float(number) if number.is_nan() => "f:nan".to_owned(),
        Py::Float(number) => format!("f:{:016x}", number.to_bits()),
        Py::Int(number) if *number < 0 => format!("i:-{:x}", number.unsigned_abs()),
        Py::Int(number) => format!("i:{number:x}"),
        Py::Object(object) => match &**object {
            Object::BigInt(..) => format!("i:{}", format!("{value:?}").replace("0x", "")),
            Object::Tuple(items) => {
                let items: Vec<String> = items.iter().map(show_value).collect();
                format!("({})", items.join(" "))
            }
            _ => format!("{value:?}"),
        },
    }
}

/// The descriptor of the library as it is shipped. (A program that links the extension statically
/// may get `cbrt` from Rust's runtime instead of the C library, which differs in the last bit.)
fn descriptor() -> &'static MsExt {
    let file =
        format!("{}ms_math.{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_EXTENSION);
    let test = std::env::current_exe().expect("the test has a path");
    let path = test.with_file_name(file);
    // SAFETY: our own library, of this build, which is never unloaded.
    unsafe {
        let library = libloading::Library::new(&path).expect("the library is beside the test");
        let library: &'static libloading::Library = Box::leak(Box::new(library));
        let entry = library.get::<MsDescriptor>(b"ms_ext_math").expect("its symbol");
        &*entry()
    }
}

#[test]
fn results_and_errors_are_those_of_cpython() {
    let vm = Vm::new(descriptor()).expect("the extension starts");
    let (mut count, mut wrong, mut report) = (0, 0, String::new());
    for line in include_str!("cases.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, arguments, expected] = fields[..] else { panic!("bad line: {line}") };
        let (mut args, mut named, mut rest) = (Vec::new(), Vec::new(), arguments);
        while !rest.is_empty() {
            let word = rest.split(' ').next().unwrap_or_default();
            match word.split_once('=').filter(|(key, _)| !key.contains(':')) {
                Some((key, _)) => {
                    let (parsed, after) = value(&rest[key.len() + 1..]);
                    named.push((key, parsed));
                    rest = after.trim_start_matches(' ');
                }
                None => {
                    let (parsed, after) = value(rest);
                    args.push(parsed);
                    rest = after.trim_start_matches(' ');
                }
            }
        }
        count += 1;
        let got = show(&vm.call(name, &args, &named));
        if got != expected {
            wrong += 1;
            if wrong <= 40 {
                let _ = writeln!(report, "{name}({arguments}): {got}, CPython: {expected}");
            }
        }
    }
    assert!(count > 5000, "only {count} cases");
    assert_eq!(wrong, 0, "{wrong} of {count} differ:\n{report}");
    assert_eq!(vm.retained(), 0);
}
