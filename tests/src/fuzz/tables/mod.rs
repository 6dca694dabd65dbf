//! What expressions are made of: one table for each type.
//!
//! A template is Python text with holes: `$` and a letter. A capital stands for an operand of
//! that type ([`Type::of_letter`]), `$A` for any, `$N` for a number, `$R` for something to
//! iterate over, `$r` for the same without iterators (which what they feed might feed), `$Q` for
//! a sequence, `$H` for a key, `$h` for what hashes alike in every process, `$i` for an int so
//! small that nothing explodes by it, `$x` for an index of any size, `$c` for one character, `$f`
//! for the text of a format spec, `$p` for a literal with `%` directives, `$k` for a sort key,
//! `$X` for an exception class, `$V` for a variable, `$1`..`$9` for new names. `$~` before a
//! letter: in that operand the new names of the template do not stand.

pub mod classes;
mod containers;
mod numbers;
mod objects;
mod texts;

use self::containers::*;
use self::numbers::*;
use self::objects::*;
use self::texts::*;
use Type::*;

/// A type of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Int,
    Float,
    Complex,
    Bool,
    Str,
    Bytes,
    List,
    Tuple,
    Dict,
    Set,
    Func,
    Obj,
    Iter,
    Class,
}

/// All of them; those that stand twice are chosen more often.
pub const TYPES: &[Type] = &[
    Int, Int, Float, Complex, Bool, Str, Str, Bytes, List, List, Tuple, Dict, Set, Func, Obj, Obj,
    Iter, Class,
];

impl Type {
    /// The type that a capital in a template stands for.
    pub fn of_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'I' => Int,
            'F' => Float,
            'C' => Complex,
            'B' => Bool,
            'S' => Str,
            'Y' => Bytes,
            'L' => List,
            'T' => Tuple,
            'D' => Dict,
            'E' => Set,
            'G' => Func,
            'O' => Obj,
            'Z' => Iter,
            'K' => Class,
            _ => return None,
        })
    }

    /// Expressions that need no operands.
    pub fn literals(self) -> &'static [&'static str] {
        match self {
            Int => INTS,
            Float => FLOATS,
            Complex => COMPLEXES,
            Bool => &["True", "False"],
            Str => STRS,
            Bytes => BYTES,
            List => LISTS,
            Tuple => TUPLES,
            Dict => DICTS,
            Set => SETS,
            Func => FUNCS,
            Obj => OBJS,
            Iter => ITERS,
            Class => CLASSES,
        }
    }

    /// Templates.
    pub fn templates(self) -> &'static [&'static str] {
        match self {
            Int => INT,
            Float => FLOAT,
            Complex => COMPLEX,
            Bool => BOOL,
            Str => STR,
            Bytes => BYTE,
            List => LIST,
            Tuple => TUPLE,
            Dict => DICT,
            Set => SET,
            Func => FUNC,
            Obj => OBJ,
            Iter => ITER,
            Class => CLASS,
        }
    }
}

/// What makes a value of any type.
#[rustfmt::skip]
pub const ANY: &[&str] = &[
    "$A if $B else $A", "$A or $A", "$A and $A", "$L[$x]", "$T[$x]", "$D[$H]", "$D.get($A, $A)",
    "$D.setdefault($H, $A)", "$D.pop($A, $A)", "$G($A)", "$O.x", "$O[$A]", "$O + $A", "$A + $O",
    "-$O", "max($A, $A)", "min($A, $A, $A)", "max($R)", "min($R)", "max($R, key=$k)",
    "min($R, default=$A)", "next($Z, $A)", "next(iter($R))", "sum($R)", "sum($R, $A)",
    "getattr($A, $S, $A)", "None", "...", "NotImplemented", "$A.__class__", "slice($A, $A)",
    "slice($x, $x, $x).indices($x)", "range($i, $i, $x)", "memoryview($Y)", "bytearray($Y)",
    "frozenset(known($R))", "$A @ $A", "$A + $A", "$A * $i", "$A - $A", "$A % $A", "$A / $A",
    "$A // $A", "divmod($A, $A)", "pow($N, $i)", "$A | $A", "$A & $A", "$A ^ $A", "~$A", "+$A",
    "-$A", "abs($A)", "round($N, $i)", "$X($A)", "$X($A).args", "$A[$A]", "$A[$x:$x]",
    "$A[$x:$x:$x]", "$A.real", "$A.v", "$A($A)", "vars($O)", "type($A)",
];

/// Exception classes.
#[rustfmt::skip]
pub const EXCEPTIONS: &[&str] = &[
    "ValueError", "TypeError", "KeyError", "IndexError", "Fault", "Minor", "ZeroDivisionError",
    "StopIteration", "AttributeError", "RuntimeError", "Exception", "OSError", "LookupError",
    "ArithmeticError", "NameError", "AssertionError", "OverflowError", "UnicodeError",
    "NotImplementedError", "ImportError",
];

/// Sort keys.
#[rustfmt::skip]
pub const KEYS: &[&str] = &[
    "None", "len", "str", "repr", "abs", "lambda k: -k", "lambda k: 0", "type", "ident",
    "lambda k: [k]", "Loud", "lambda k: k[0]", "bool", "lambda k: (k, 1)", "hash",
];

/// One character.
#[rustfmt::skip]
pub const CHARS: &[&str] = &[
    "'a'", "' '", "','", "'é'", "'x'", "'*'", "'0'", "'😀'", "'\\n'", "'b'", "'l'", "''", "'ab'",
    "'\\x00'",
];

/// Ints by which nothing explodes, and some that are none.
#[rustfmt::skip]
pub const SMALL: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "7", "-1", "-3", "10", "16", "True",
];

/// What stands where [`SMALL`] is wanted, and does not fit.
#[rustfmt::skip]
pub const NOT_SMALL: &[&str] = &[
    "1.5", "None", "'a'", "Ix(2)", "[1]", "2.0", "Wrong()", "Ix('q')", "Boom()", "1j", "False",
    "-2**80",
];

/// Indices.
#[rustfmt::skip]
pub const INDICES: &[&str] = &[
    "0", "1", "2", "3", "-1", "-2", "-4", "5", "9", "None", "True", "2**70", "-2**70", "100",
    "Ix(1)", "2**63", "-2**63 - 1",
];

/// Types of format specs, and what is none.
pub const SPEC_TYPES: &[&str] =
    &["", "", "d", "s", "f", "g", "e", "x", "X", "b", "o", "c", "n", "%", "F", "G", "E", "q", "r"];

/// Conversions of `%`, and what is none.
#[rustfmt::skip]
pub const CONVERSIONS: &[&str] = &[
    "d", "s", "r", "f", "g", "e", "x", "X", "o", "c", "a", "i", "u", "E", "G", "F", "%", "y", "ld",
];
