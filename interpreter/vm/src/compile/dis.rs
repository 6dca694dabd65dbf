//! The disassembler: one line an instruction, names and constants resolved, jumps as labels.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::verify::{register_b, register_c};
use crate::code::intrinsic::Intrinsic;
use crate::code::op::{Extra, Ins, Op, Shape, Special};
use crate::code::proto::{Capture, CodeProto, Const};

/// Longer texts are cut.
const MAX_TEXT: usize = 40;

/// Shows `code` and all code inside it.
pub fn disassemble(code: &CodeProto) -> String {
    let mut out = String::new();
    let mut todo = vec![code];
    while let Some(code) = todo.pop() {
        if !out.is_empty() {
            out.push('\n');
        }
        show(code, &mut out);
        let inner = code.consts.iter().filter_map(|c| match c {
            Const::Code(inner) => Some(&**inner),
            _ => None,
        });
        let at = todo.len();
        todo.extend(inner);
        todo[at..].reverse();
    }
    out
}

fn show(code: &CodeProto, out: &mut String) {
    // Writing to a String does not fail.
    let _ = write!(out, "{}: {} registers", code.qualname, code.reg_count);
    let flags = [
        (code.flags.varargs, "*args"),
        (code.flags.varkw, "**kwargs"),
        (code.flags.generator, "generator"),
        (code.flags.coroutine, "coroutine"),
        (code.flags.class_body, "class"),
        (code.flags.namespaced, "namespaced"),
        (code.flags.comprehension, "comprehension"),
    ];
    for (_, name) in flags.iter().filter(|(on, _)| *on) {
        let _ = write!(out, ", {name}");
    }
    out.push('\n');
    if !code.locals.is_empty() {
        let names = code.locals.iter().enumerate();
        let names: Vec<_> = names.map(|(i, n)| format!("r{}={n}", code.local_reg(i))).collect();
        let _ = writeln!(out, "  locals {}", names.join(" "));
    }
    for (i, (name, capture)) in code.free.iter().zip(&code.captures).enumerate() {
        let from = match capture {
            Capture::Local(r) => format!("r{r}"),
            Capture::Free(n) => format!("free {n}"),
        };
        let _ = writeln!(out, "  free {i} {name} from {from}");
    }
    let labels = labels(code);
    let mut line = 0;
    let mut pc = 0;
    while pc < code.words.len() {
        let Some(op) = Op::decode(code.words[pc]) else {
            let _ = writeln!(out, "  ?{:08x}", code.words[pc]);
            pc += 1;
            continue;
        };
        if let Some(n) = labels.get(&(pc as i64)) {
            let _ = writeln!(out, " L{n}:");
        }
        let now = source_line(code, pc).unwrap_or(line);
        let margin = if now != line { format!("{now:4}") } else { "    ".to_owned() };
        line = now;
        let text = instruction(code, pc, op, &labels);
        let _ = writeln!(out, "{margin} {pc:4} {}", text.trim_end());
        pc += op.len();
    }
    for row in &code.handlers {
        let target = labels.get(&i64::from(row.target)).copied().unwrap_or(0);
        let _ = writeln!(out, "  {}..{} -> L{target} r{}", row.start, row.end, row.reg);
    }
}

fn source_line(code: &CodeProto, pc: usize) -> Option<u32> {
    let row = code.positions.find(pc as u32)?;
    Some(code.source.as_ref()?.line(row.span.start))
}

/// Numbers for all jump targets, in order.
fn labels(code: &CodeProto) -> BTreeMap<i64, usize> {
    let mut labels = BTreeMap::new();
    let mut pc = 0;
    while pc < code.words.len() {
        let Some(op) = Op::decode(code.words[pc]) else {
            pc += 1;
            continue;
        };
        if let Some(target) = target(code, pc, op) {
            labels.insert(target, 0);
        }
        pc += op.len();
    }
    for row in &code.handlers {
        labels.insert(i64::from(row.target), 0);
    }
    for (n, value) in labels.values_mut().enumerate() {
        *value = n + 1;
    }
    labels
}

fn target(code: &CodeProto, pc: usize, op: Op) -> Option<i64> {
    let ins = Ins(code.words[pc]);
    match (op.shape(), op.extra()) {
        (Shape::Jump, _) => Some(pc as i64 + 1 + i64::from(ins.sj())),
        (Shape::Branch, _) => Some(pc as i64 + 1 + i64::from(ins.sbx())),
        (_, Extra::Jump) => Some(pc as i64 + 2 + i64::from(*code.words.get(pc + 1)? as i32)),
        _ => None,
    }
}

fn instruction(code: &CodeProto, pc: usize, op: Op, labels: &BTreeMap<i64, usize>) -> String {
    let ins = Ins(code.words[pc]);
    let mut text = format!("{:<10}", op.name());
    let operand = |is_reg: bool, n: usize| if is_reg { format!(" r{n}") } else { format!(" {n}") };
    match op.shape() {
        Shape::None | Shape::Jump => {}
        Shape::A | Shape::Branch => text += &format!(" r{}", ins.a()),
        Shape::AB if op == Op::LOADS => {
            text += &format!(" r{} {}", ins.a(), special(ins.b()));
        }
        Shape::AB => text += &(operand(true, ins.a()) + &operand(register_b(op), ins.b())),
        Shape::ABC => {
            text += &operand(true, ins.a());
            text += &operand(register_b(op), ins.b());
            text += &operand(register_c(op), ins.c());
        }
        Shape::ABi => text += &format!(" r{} r{} {}", ins.a(), ins.b(), ins.imm()),
        Shape::ABx if op == Op::LOADK => {
            text += &format!(" r{} {}", ins.a(), constant(code, ins.bx()));
        }
        Shape::ABx => text += &format!(" r{} {}", ins.a(), ins.bx()),
        Shape::AsBx => text += &format!(" r{} {}", ins.a(), ins.sbx()),
    }
    if let Some(target) = target(code, pc, op) {
        text += &format!(" L{}", labels.get(&target).copied().unwrap_or(0));
        return text;
    }
    let extra = code.words.get(pc + 1).copied().unwrap_or(0);
    match op.extra() {
        Extra::None | Extra::Jump => {}
        Extra::Const => text += &format!(" {}", constant(code, extra as usize)),
        Extra::Cache => {
            let name = code.caches.get(extra as usize).and_then(|n| code.consts.get(*n as usize));
            let name = match name {
                Some(Const::Str(s)) => String::from_utf8_lossy(s).into_owned(),
                _ => "?".to_owned(),
            };
            text += &format!(" {name}");
        }
        Extra::Num if op == Op::INPLACE => {
            let inner = Op::decode(extra).map_or("?", Op::name);
            text += &format!(" {inner}");
        }
        Extra::Num if op == Op::UNPACKEX => {
            text += &format!(" {}, *, {}", extra & 0xffff, extra >> 16);
        }
        Extra::Num => text += &format!(" r{extra}"),
        Extra::Intrinsic => {
            let which = Intrinsic::from_index((extra & 0xffff) as usize);
            text += &format!(" {} {}", which.map_or("?", Intrinsic::name), extra >> 16);
        }
    }
    text
}

fn special(n: usize) -> String {
    let all = [
        Special::Empty,
        Special::None,
        Special::False,
        Special::True,
        Special::Ellipsis,
        Special::NotImplemented,
    ];
    all.get(n).map_or_else(|| "?".to_owned(), |s| format!("{s:?}"))
}

fn constant(code: &CodeProto, k: usize) -> String {
    code.consts.get(k).map_or_else(|| format!("?{k}"), value)
}

fn value(c: &Const) -> String {
    let list = |list: &[Const]| {
        let shown: Vec<_> = list.iter().take(8).map(value).collect();
        let more =
            if list.len() > 8 { format!(", .. {} in all", list.len()) } else { String::new() };
        shown.join(", ") + &more
    };
    let cut = |text: String| match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text,
    };
    match c {
        Const::None => "None".to_owned(),
        Const::Bool(true) => "True".to_owned(),
        Const::Bool(false) => "False".to_owned(),
        Const::Ellipsis => "...".to_owned(),
        Const::Int(n) => n.to_string(),
        Const::BigInt { negative, magnitude } => {
            let sign = if *negative { "-" } else { "" };
            let digits: String = magnitude.iter().rev().map(|b| format!("{b:02x}")).collect();
            cut(format!("{sign}0x{}", digits.trim_start_matches('0')))
        }
        Const::Float(x) => format!("{x:?}"),
        Const::Complex(a, b) => format!("({a:?}, {b:?}j)"),
        Const::Str(s) => cut(format!("{:?}", String::from_utf8_lossy(s))),
        Const::Bytes(b) => cut(format!("b{:?}", String::from_utf8_lossy(b))),
        Const::Tuple(items) => format!("({})", list(items)),
        Const::FrozenSet(items) => format!("{{{}}}", list(items)),
        Const::Code(inner) => format!("<{}>", inner.qualname),
    }
}
