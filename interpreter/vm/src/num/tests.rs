//! Numbers against CPython's results (see `oracle/gen_num.py`), and the limits.

use super::complex::Complex;
use super::int::{Endian, Int};
use super::literal::Shown;
use super::{complex, float, int, int_text};
use crate::fault::{ErrKind, Fault, Interrupted, no_poll};
use num_bigint::BigInt;

fn unhex(word: &str) -> Vec<u8> {
    let digits = word.trim_end_matches('~');
    (0..digits.len() / 2)
        .map(|i| u8::from_str_radix(&digits[i * 2..i * 2 + 2], 16).unwrap())
        .collect()
}

fn shown(n: Int) -> String {
    BigInt::from(n).to_string()
}

fn fault(e: Fault) -> String {
    let class = match e.kind {
        ErrKind::Value => "ValueError",
        ErrKind::Type => "TypeError",
        ErrKind::Overflow => "OverflowError",
        ErrKind::ZeroDivision => "ZeroDivisionError",
        ErrKind::Memory => "MemoryError",
        other => panic!("{other:?}"),
    };
    format!("!{class}:{}", e.message)
}

const BITS: u64 = 1 << 30;

fn call(op: &str, args: &[&str]) -> Result<String, Fault> {
    let f = |n: usize| args[n].parse::<f64>().unwrap();
    let i = |n: usize| args[n].parse::<BigInt>().unwrap();
    let small = |n: usize| args[n].parse::<i64>().unwrap();
    let order = |n: usize| if args[n] == "big" { Endian::Big } else { Endian::Little };
    let c = |n: usize| Complex { re: f(n), im: f(n + 1) };
    let floats = |x: f64| float::repr(x);
    let poll = &mut no_poll;
    Ok(match op {
        "repr" => floats(f(0)),
        "hex" => float::hex(f(0)),
        "fdiv" => floats(float::true_div(f(0), f(1))?),
        "ffloor" => floats(float::floor_div(f(0), f(1))?),
        "fmod" => floats(float::modulo(f(0), f(1))?),
        "fdivmod" => {
            let (q, r) = float::divmod(f(0), f(1))?;
            format!("{},{}", floats(q), floats(r))
        }
        "fpow" => match float::pow(f(0), f(1))? {
            float::Power::Real(x) => floats(x),
            float::Power::Complex => "complex".into(),
        },
        "ratio" => {
            let (n, d) = float::as_integer_ratio(f(0))?;
            format!("{n},{d}")
        }
        "toint" => shown(float::to_int(f(0))?),
        "round0" => shown(float::round_to_int(f(0))?),
        "round" => floats(float::round(f(0), small(1))?),
        "cmp" => {
            let by_big = float::cmp_big(f(0), &i(1)).unwrap();
            if let Ok(n) = args[1].parse::<i64>() {
                assert_eq!(float::cmp_i64(f(0), n), Some(by_big), "{args:?}");
            }
            (by_big as i8).to_string()
        }
        "float" => floats(float::parse(&unhex(args[0]), Shown::Str)?),
        "fromhex" => floats(float::from_hex(&unhex(args[0]))?),
        "complex" => complex::parse(&unhex(args[0]))?.repr(),
        "int" => {
            let base = args[1].parse().unwrap();
            shown(int_text::parse(&unhex(args[0]), base, Shown::Str, 4300, poll)?)
        }
        "intbytes" => shown(int_text::parse(&unhex(args[0]), 10, Shown::Bytes, 4300, poll)?),
        "floordiv" => {
            if let (Ok(a), Ok(b)) = (args[0].parse(), args[1].parse()) {
                let fast = int::floor_div_i64(a, b).map(Int::Small);
                assert!(fast.is_none() || fast == int::floor_div(&i(0), &i(1), poll).ok());
            }
            shown(int::floor_div(&i(0), &i(1), poll)?)
        }
        "mod" => {
            if let (Ok(a), Ok(b)) = (args[0].parse(), args[1].parse()) {
                let fast = int::mod_i64(a, b).map(Int::Small);
                assert_eq!(fast, int::modulo(&i(0), &i(1), poll).ok());
            }
            shown(int::modulo(&i(0), &i(1), poll)?)
        }
        "divmod" => {
            let (q, r) = int::divmod(&i(0), &i(1), poll)?;
            format!("{},{}", shown(q), shown(r))
        }
        "truediv" => floats(int::true_div(&i(0), &i(1))?),
        "pow" => shown(int::pow(&i(0), &i(1), BITS, poll)?),
        "powmod" => shown(int::pow_mod(&i(0), &i(1), &i(2), poll)?),
        "shl" => shown(int::shl(&i(0), &i(1), BITS)?),
        "shr" => shown(int::shr(&i(0), &i(1))?),
        "bits" => format!("{},{}", i(0).bits(), int::bit_count(&i(0))),
        "tobytes" => {
            let bytes = int::to_bytes(&i(0), small(1) as usize, order(2), args[3] == "1")?;
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            if hex.is_empty() { "~".into() } else { hex }
        }
        "frombytes" => shown(int::from_bytes(&unhex(args[0]), order(1), args[2] == "1")),
        "tofloat" => floats(int::to_f64(&i(0))?),
        "str" => {
            if let Ok(n) = args[0].parse() {
                assert_eq!(int_text::print_i64(n), args[0]);
            }
            int_text::print(&i(0), 4300, poll)?
        }
        "isqrt" => shown(int::isqrt(&i(0))?),
        "gcd" => shown(int::gcd(&i(0), &i(1))),
        "iround" => shown(int::round(&i(0), small(1))),
        "crepr" => c(0).repr(),
        "cmul" => c(0).mul(c(2)).repr(),
        "cdiv" => c(0).true_div(c(2))?.repr(),
        "cpow" => c(0).pow(c(2))?.repr(),
        "cabs" => floats(c(0).abs()?),
        other => panic!("{other}"),
    })
}

#[test]
fn numbers_behave_as_in_cpython() {
    let mut wrong = Vec::new();
    let cases = include_str!("../../oracle/num.txt");
    assert!(cases.lines().count() > 2500);
    for line in cases.lines() {
        let words: Vec<&str> = line.split('|').collect();
        let got = call(words[0], &words[1..words.len() - 1]).unwrap_or_else(fault);
        if got != words[words.len() - 1] {
            wrong.push(format!("{line}  got {got}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
}

#[test]
fn what_would_be_too_large_fails_at_once() {
    let (one, two) = (BigInt::from(1), BigInt::from(2));
    let huge = BigInt::from(10).pow(15);
    let kind = |r: Result<Int, Fault>| r.unwrap_err().kind;
    assert_eq!(kind(int::shl(&one, &huge, BITS)), ErrKind::Memory);
    assert_eq!(kind(int::shl(&one, &huge.pow(2), BITS)), ErrKind::Overflow);
    assert_eq!(int::shl(&BigInt::ZERO, &huge.pow(2), BITS), Ok(Int::Small(0)));
    assert_eq!(int::shr(&BigInt::from(-5), &huge.pow(2)), Ok(Int::Small(-1)));
    assert_eq!(kind(int::pow(&two, &huge, BITS, &mut no_poll)), ErrKind::Memory);
    assert_eq!(kind(int::pow(&two, &huge.pow(2), BITS, &mut no_poll)), ErrKind::Memory);
    assert_eq!(int::pow(&BigInt::from(-1), &huge.pow(2), BITS, &mut no_poll), Ok(Int::Small(1)));
    assert!(int::to_bytes(&one, usize::MAX / 2, Endian::Little, false).is_err());
    assert_eq!(int::round(&huge, i64::MIN), Int::from(huge.clone()));
    assert_eq!(int::round(&huge, -i64::MAX), Int::Small(0));
}

#[test]
fn long_numbers_go_both_ways() {
    let digits: String =
        (0..30_011).map(|n| (b'0' + (n * n % 7 + n % 3 + 1) as u8) as char).collect();
    let mut polls = 0;
    let mut poll = || {
        polls += 1;
        Ok(())
    };
    let n = int_text::parse(digits.as_bytes(), 10, Shown::Str, 0, &mut poll).unwrap();
    assert_eq!(n, Int::Big(digits.parse().unwrap()));
    let n = -BigInt::from(n);
    assert_eq!(int_text::print(&n, 0, &mut poll).unwrap(), format!("-{digits}"));
    assert!(polls > 20);
    let ten = BigInt::from(10).pow(16_000);
    assert_eq!(int_text::print(&ten, 0, &mut no_poll).unwrap(), format!("1{}", "0".repeat(16_000)));
    let limit = int_text::print(&ten, 4300, &mut no_poll).unwrap_err();
    assert!(
        limit
            .message
            .starts_with("Exceeds the limit (4300 digits) for integer string conversion; use")
    );
    assert!(int_text::print(&BigInt::from(10).pow(4300), 4300, &mut no_poll).is_err());
    assert!(int_text::print(&(BigInt::from(10).pow(4300) - 1), 4300, &mut no_poll).is_ok());
}

#[test]
fn a_poll_stops_long_operations() {
    let mut left = 5;
    let mut poll = || {
        left -= 1;
        if left == 0 { Err(Interrupted) } else { Ok(()) }
    };
    let three = BigInt::from(3);
    let stopped = int::pow(&three, &BigInt::from(1_000_000), BITS, &mut poll).unwrap_err();
    assert_eq!(stopped.kind, ErrKind::Interrupted);
    left = 5;
    let mut poll = || {
        left -= 1;
        if left == 0 { Err(Interrupted) } else { Ok(()) }
    };
    let n = BigInt::from(3).pow(40_000);
    let stopped = int_text::print(&n, 0, &mut poll).unwrap_err();
    assert_eq!(stopped.kind, ErrKind::Interrupted);
}
