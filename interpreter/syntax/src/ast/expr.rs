//! Expressions.

use serde::{Deserialize, Serialize};

use super::{Constant, Ident, StrLit};
use crate::Span;

/// An expression with its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expr {
    /// Where it stands; enclosing parentheses belong to tuples and generator expressions only.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// The kinds of expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ExprKind {
    /// A literal; adjacent string literals are joined.
    Constant(Constant),
    /// A name.
    Name(Box<str>),
    /// An f-string, or adjacent strings of which one is.
    JoinedStr(Vec<FStringPart>),
    /// `a, b` or `(a, b)`
    Tuple(Vec<Expr>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{a, b}`, never empty
    Set(Vec<Expr>),
    /// `{a: b, **c}`
    Dict(Vec<DictItem>),
    /// `target := value`; the target is a [`ExprKind::Name`].
    NamedExpr {
        /// The name that is bound.
        target: Box<Expr>,
        /// Its value.
        value: Box<Expr>,
    },
    /// `a and b and c`; at least two values.
    BoolOp {
        /// `and` or `or`.
        op: BoolOpKind,
        /// The operands.
        values: Vec<Expr>,
    },
    /// Left-associative operators of one precedence level: `((first op a) op b) ...`. `**` alone
    /// associates to the right and always has one step.
    BinOp {
        /// The leftmost operand.
        first: Box<Expr>,
        /// The steps that follow it, at least one.
        rest: Box<[BinOpStep]>,
    },
    /// `-a`
    UnaryOp {
        /// The operator.
        op: UnaryOpKind,
        /// The operand.
        operand: Box<Expr>,
    },
    /// `lambda params: body`
    Lambda(Box<Lambda>),
    /// `body if test else orelse`
    IfExp {
        /// The condition.
        test: Box<Expr>,
        /// The value if it holds.
        body: Box<Expr>,
        /// The value if not.
        orelse: Box<Expr>,
    },
    /// `[elt for ...]`
    ListComp(Box<Comp>),
    /// `{elt for ...}`
    SetComp(Box<Comp>),
    /// `(elt for ...)`
    GeneratorExp(Box<Comp>),
    /// `{key: value for ...}`
    DictComp(Box<DictComp>),
    /// `await value`
    Await(Box<Expr>),
    /// `yield` or `yield value`
    Yield(Option<Box<Expr>>),
    /// `yield from value`
    YieldFrom(Box<Expr>),
    /// `left < a <= b ...`
    Compare {
        /// The leftmost operand.
        left: Box<Expr>,
        /// The comparisons that follow it, at least one.
        rest: Box<[CompareStep]>,
    },
    /// `func(args, keywords)`
    Call(Box<Call>),
    /// `value.attr`
    Attribute {
        /// The object.
        value: Box<Expr>,
        /// The attribute's name.
        attr: Box<str>,
        /// Where the name starts; it ends where the expression ends.
        attr_start: u32,
    },
    /// `value[index]`; the index may be a slice, or a tuple of them.
    Subscript {
        /// The object.
        value: Box<Expr>,
        /// What stands between the brackets.
        index: Box<Expr>,
    },
    /// `*value` in a display, a call, a subscript or a target
    Starred(Box<Expr>),
    /// `lower:upper:step` inside a subscript
    Slice {
        /// Before the first colon.
        lower: Option<Box<Expr>>,
        /// After the first colon.
        upper: Option<Box<Expr>>,
        /// After the second colon.
        step: Option<Box<Expr>>,
    },
}

/// One item of a dict display.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DictItem {
    /// The key; absent in `**value`.
    pub key: Option<Expr>,
    /// The value.
    pub value: Expr,
    /// From the key or `**` to the value.
    pub span: Span,
}

/// One further operand of a chain of binary operators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinOpStep {
    /// The operator.
    pub op: BinOpKind,
    /// Where the operator stands. The step as a whole spans from the chain's start to the end of
    /// `operand`.
    pub op_span: Span,
    /// The right operand.
    pub operand: Expr,
}

/// One further operand of a chain of comparisons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompareStep {
    /// The operator.
    pub op: CompareOpKind,
    /// Where the operator stands.
    pub op_span: Span,
    /// The right operand.
    pub operand: Expr,
}

/// `and`, `or`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "names as in Python's ast")]
pub enum BoolOpKind {
    And,
    Or,
}

/// Binary operators, also those of augmented assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "names as in Python's ast")]
pub enum BinOpKind {
    Add,
    Sub,
    Mult,
    MatMult,
    Div,
    FloorDiv,
    Mod,
    Pow,
    LShift,
    RShift,
    BitOr,
    BitXor,
    BitAnd,
}

/// Unary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "names as in Python's ast")]
pub enum UnaryOpKind {
    Invert,
    Not,
    UAdd,
    USub,
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "names as in Python's ast")]
pub enum CompareOpKind {
    Eq,
    NotEq,
    Lt,
    LtE,
    Gt,
    GtE,
    Is,
    IsNot,
    In,
    NotIn,
}

/// The parts of a list, set or generator comprehension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comp {
    /// What each round gives.
    pub elt: Expr,
    /// The `for` clauses, at least one.
    pub generators: Vec<Comprehension>,
}

/// The parts of a dict comprehension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DictComp {
    /// The key of each round.
    pub key: Expr,
    /// The value of each round.
    pub value: Expr,
    /// The `for` clauses, at least one.
    pub generators: Vec<Comprehension>,
}

/// `for target in iter if test ...` inside a comprehension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comprehension {
    /// From `for` (or `async`) to the last condition.
    pub span: Span,
    /// The target.
    pub target: Expr,
    /// What is iterated over.
    pub iter: Expr,
    /// The conditions.
    pub ifs: Vec<Expr>,
    /// `async for`
    pub is_async: bool,
}

/// A call. Positional arguments (with [`ExprKind::Starred`] among them) are evaluated before the
/// keywords, as in CPython.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// What is called.
    pub func: Expr,
    /// Positional and starred arguments.
    pub args: Vec<Expr>,
    /// Keyword and double-starred arguments.
    pub keywords: Vec<Keyword>,
}

/// `name=value` or `**value` in a call or among a class's bases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyword {
    /// From the name or `**` to the value.
    pub span: Span,
    /// The name; absent in `**value`.
    pub arg: Option<Ident>,
    /// The value.
    pub value: Expr,
}

/// A lambda.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lambda {
    /// Its parameters, without annotations.
    pub params: Parameters,
    /// Its value.
    pub body: Expr,
}

/// The parameters of a function. Names are not checked for duplicates here.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Before `/`.
    pub posonly: Vec<Parameter>,
    /// After `/`, before `*`.
    pub args: Vec<Parameter>,
    /// `*args`; it has no default.
    pub vararg: Option<Box<Parameter>>,
    /// After `*` or `*args`.
    pub kwonly: Vec<Parameter>,
    /// `**kwargs`; it has no default.
    pub kwarg: Option<Box<Parameter>>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Name and annotation, without stars and default.
    pub span: Span,
    /// Its name.
    pub name: Ident,
    /// Its annotation; only that of `*args` may be [`ExprKind::Starred`].
    pub annotation: Option<Expr>,
    /// Its default. A positional parameter after one with a default has one too.
    pub default: Option<Expr>,
}

/// One part of an f-string.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum FStringPart {
    /// Text between the fields; never empty, never two in a row.
    Literal {
        /// Where it stands.
        span: Span,
        /// Decoded text.
        value: StrLit,
    },
    /// `{expr}`
    FormattedValue(Box<FormattedValue>),
}

/// A replacement field of an f-string.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormattedValue {
    /// From `{` to `}`.
    pub span: Span,
    /// The expression.
    pub expr: Expr,
    /// In `{expr = }` the text up to and after `=`, to be printed before the value. If there is
    /// neither conversion nor format spec, the value is then formatted with `repr`.
    pub debug_text: Option<StrLit>,
    /// `s`, `r` or `a`.
    pub conversion: Option<char>,
    /// The format spec after `:`; may hold fields of its own.
    pub format_spec: Option<Vec<FStringPart>>,
}
