//! The frames of a traceback: file lines, source lines and carets.

use crate::Vm;
use crate::code::proto::{CodeProto, PosRow};
use crate::native::{NResult, NativeDef};
use crate::object::exc::{Exception, Traceback};
use crate::object::func::Code;
use crate::object::read;
use crate::value::Value;

/// Rows of traceback objects.
pub(crate) static TRACEBACK: &[&[NativeDef]] = &[&[
    NativeDef::getter(
        "tb_next",
        |_, a| Ok(tb(a[0]).map_or(Value::NONE, |t| shown(read(&t.next)))),
        "",
    ),
    NativeDef::setter("tb_next", set_next),
    NativeDef::getter(
        "tb_lineno",
        |_, a| Ok(tb(a[0]).map_or(Value::NONE, |t| Value::len(line_of(t)))),
        "",
    ),
    NativeDef::getter(
        "tb_lasti",
        |_, a| Ok(tb(a[0]).map_or(Value::NONE, |t| Value::len(t.pc.get() as usize * 2))),
        "",
    ),
    NativeDef::getter("tb_frame", frame, ""),
]];

fn tb<'v>(v: Value<'v>) -> Option<&'v Traceback> {
    v.get::<Traceback>()
}

fn shown(v: Value<'_>) -> Value<'_> {
    if v.is_empty() { Value::NONE } else { v }
}

fn set_next<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let v = args[1];
    if !v.is_none() && !v.is_a::<Traceback>() {
        return Err(
            vm.type_error(format!("expected traceback object or None, got '{}'", vm.type_name(v)))
        );
    }
    let mut at = v;
    while let Some(t) = tb(at) {
        if at.is(args[0]) {
            return Err(vm.value_error("traceback loop detected"));
        }
        at = read(&t.next);
    }
    if let Some(t) = tb(args[0]) {
        t.next.set(if v.is_none() { Value::EMPTY.word() } else { v.word() });
    }
    Ok(Value::NONE)
}

fn line_of(t: &Traceback) -> usize {
    read(&t.code).get::<Code>().map_or(0, |c| line_at(&c.proto, t.pc.get()) as usize)
}

/// What little there is of a frame after the fact: code, globals and line.
fn frame<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(t) = tb(args[0]) else { return Ok(Value::NONE) };
    Ok(vm.new_frame(read(&t.func), line_of(t), Value::object(vm.dict()), Value::NONE))
}

/// The position of word `at` of a code object.
pub(crate) fn position(p: &CodeProto, at: u32) -> Option<PosRow> {
    p.positions.find(at)
}

/// The line of word `at`.
pub(crate) fn line_at(p: &CodeProto, at: u32) -> u32 {
    match (&p.source, position(p, at)) {
        (Some(s), Some(row)) if row.span.end > row.span.start => s.line(row.span.start),
        _ => p.first_line,
    }
}

/// Equal lines are shown this often.
const REPEATS: usize = 3;
/// Frames nearest to the raise that are shown.
const LIMIT: usize = 1000;

struct Frame<'v> {
    code: &'v CodeProto,
    at: u32,
    name: &'v str,
}

/// The frame lines of an exception's traceback, or `None` without one.
pub(super) fn render(vm: &Vm, exc: Value<'_>) -> Option<String> {
    let e = exc.get::<Exception>()?;
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut at = vm.word_value(e.traceback.get());
    at.get::<Traceback>()?;
    while let Some(t) = at.get::<Traceback>() {
        if let Some(c) = read(&t.code).get::<Code>() {
            let code: &CodeProto = &c.proto;
            let mut name = code.name.as_str();
            if code.flags.comprehension
                && let Some(outer) = frames.pop()
            {
                // A comprehension counts as part of its function.
                name = outer.name;
            }
            frames.push(Frame { code, at: t.pc.get(), name });
        }
        at = read(&t.next);
    }
    let skip = frames.len().saturating_sub(LIMIT);
    let mut out = String::new();
    let mut last: Option<(&str, u32, &str)> = None;
    let mut count = 0usize;
    for f in &frames[skip..] {
        let file = f.code.source.as_ref().map_or("<unknown>", |s| s.filename.as_str());
        let line = line_at(f.code, f.at);
        if last != Some((file, line, f.name)) {
            repeated(&mut out, count);
            last = Some((file, line, f.name));
            count = 0;
        }
        count += 1;
        if count <= REPEATS {
            out.push_str(&format!("  File \"{file}\", line {line}, in {}\n", f.name));
            source_line(&mut out, f, line);
        }
    }
    repeated(&mut out, count);
    Some(out)
}

fn repeated(out: &mut String, count: usize) {
    if count > REPEATS {
        let n = count - REPEATS;
        let s = if n > 1 { "s" } else { "" };
        out.push_str(&format!("  [Previous line repeated {n} more time{s}]\n"));
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

/// The source line and its carets.
fn source_line(out: &mut String, f: &Frame<'_>, line: u32) {
    let Some(source) = &f.code.source else { return };
    // Code that came from no file (`exec`, `-c`) shows no lines.
    if source.filename.starts_with('<') && source.filename.ends_with('>') {
        return;
    }
    let text = source.line_text(line);
    let stripped = text.trim_start_matches(is_blank);
    let shown = stripped.trim_end_matches(|c: char| is_blank(c) || c == '\r');
    if shown.is_empty() {
        return;
    }
    out.push_str("    ");
    out.push_str(shown);
    out.push('\n');
    let Some(row) = position(f.code, f.at).filter(|r| r.span.end > r.span.start) else { return };
    let start_of_line = source.line_starts().get(line as usize - 1).copied().unwrap_or(0) as usize;
    let cut = text.len() - stripped.len();
    // Byte columns within the stripped line.
    let column = |offset: u32| (offset as usize).saturating_sub(start_of_line + cut);
    let start = column(row.span.start).min(shown.len());
    let one_line = source.line(row.span.end.saturating_sub(1).max(row.span.start)) == line;
    let end = if one_line { column(row.span.end).min(shown.len()) } else { shown.len() };
    let anchor = (one_line && row.anchor.end > row.anchor.start)
        .then(|| (column(row.anchor.start), column(row.anchor.end)))
        .filter(|(a, b)| start <= *a && a < b && *b <= end);
    if anchor.is_none() && start == 0 && end == shown.len() {
        return;
    }
    if start >= end {
        return;
    }
    out.push_str("    ");
    for (i, c) in shown.char_indices() {
        if i >= end {
            break;
        }
        let mark = if i < start {
            if c == '\t' { '\t' } else { ' ' }
        } else {
            match anchor {
                Some((a, b)) if i < a || i >= b => '~',
                _ => '^',
            }
        };
        out.extend(std::iter::repeat_n(mark, width(c)));
    }
    out.push('\n');
}

/// Columns that a character takes in a terminal: two for East Asian wide ones.
fn width(c: char) -> usize {
    let wide = matches!(u32::from(c),
        0x1100..=0x115F | 0x231A..=0x231B | 0x2E80..=0x303E | 0x3041..=0x4DBF | 0x4E00..=0xA4CF
        | 0xA960..=0xA97C | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6B | 0xFF01..=0xFF60
        | 0xFFE0..=0xFFE6 | 0x1F300..=0x1F64F | 0x1F680..=0x1F6FF | 0x1F900..=0x1F9FF
        | 0x1FA70..=0x1FAFF | 0x20000..=0x3FFFD);
    if wide { 2 } else { 1 }
}
