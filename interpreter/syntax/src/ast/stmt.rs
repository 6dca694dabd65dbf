//! Statements.

use serde::{Deserialize, Serialize};

use super::{BinOpKind, Expr, Ident, Keyword, Parameters, Pattern};
use crate::Span;

/// A statement with its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stmt {
    /// From its first token (decorators excluded) to the last token of its last line.
    pub span: Span,
    /// What it is.
    pub kind: StmtKind,
}

/// The kinds of statement. No body is ever empty; an absent `else` or `finally` is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum StmtKind {
    /// `def` and `async def`
    FunctionDef(Box<FunctionDef>),
    /// `class`
    ClassDef(Box<ClassDef>),
    /// `return value`
    Return(Option<Box<Expr>>),
    /// `del targets`
    Delete(Vec<Expr>),
    /// `a = b = value`
    Assign {
        /// The targets, at least one, from the left.
        targets: Vec<Expr>,
        /// What is assigned.
        value: Box<Expr>,
    },
    /// `type name[params] = value`
    TypeAlias(Box<TypeAlias>),
    /// `target += value`
    AugAssign {
        /// A name, attribute or subscript.
        target: Box<Expr>,
        /// The operator.
        op: BinOpKind,
        /// Where the operator (with its `=`) stands.
        op_span: Span,
        /// The right operand.
        value: Box<Expr>,
    },
    /// `target: annotation = value`
    AnnAssign(Box<AnnAssign>),
    /// `for` and `async for`
    For(Box<For>),
    /// `while`
    While(Box<While>),
    /// `if` with all its `elif`
    If(Box<If>),
    /// `with` and `async with`
    With(Box<With>),
    /// `match`
    Match(Box<Match>),
    /// `raise exc from cause`
    Raise {
        /// The exception.
        exc: Option<Box<Expr>>,
        /// Its cause; only with an exception.
        cause: Option<Box<Expr>>,
    },
    /// `try`
    Try(Box<Try>),
    /// `assert test, msg`
    Assert {
        /// The condition.
        test: Box<Expr>,
        /// The message.
        msg: Option<Box<Expr>>,
    },
    /// `import a.b as c, d`
    Import(Vec<Alias>),
    /// `from ..module import names`
    ImportFrom(Box<ImportFrom>),
    /// `global names`
    Global(Vec<Ident>),
    /// `nonlocal names`
    Nonlocal(Vec<Ident>),
    /// An expression as a statement.
    Expr(Box<Expr>),
    /// `pass`
    Pass,
    /// `break`
    Break,
    /// `continue`
    Continue,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionDef {
    /// Its name.
    pub name: Ident,
    /// `[T, *Ts, **P]`
    pub type_params: Vec<TypeParam>,
    /// Its parameters.
    pub params: Parameters,
    /// After `->`.
    pub returns: Option<Expr>,
    /// Its body.
    pub body: Vec<Stmt>,
    /// The expressions after `@`, from the top.
    pub decorators: Vec<Expr>,
    /// `async def`
    pub is_async: bool,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassDef {
    /// Its name.
    pub name: Ident,
    /// `[T, *Ts, **P]`
    pub type_params: Vec<TypeParam>,
    /// Its bases, possibly starred.
    pub bases: Vec<Expr>,
    /// `metaclass=...` and others.
    pub keywords: Vec<Keyword>,
    /// Its body.
    pub body: Vec<Stmt>,
    /// The expressions after `@`, from the top.
    pub decorators: Vec<Expr>,
}

/// A type parameter (PEP 695).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeParam {
    /// From the stars or name to the bound.
    pub span: Span,
    /// Its name.
    pub name: Ident,
    /// What kind.
    pub kind: TypeParamKind,
}

/// The kinds of type parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum TypeParamKind {
    /// `T: bound`
    TypeVar {
        /// The bound, or a tuple of constraints.
        bound: Option<Expr>,
    },
    /// `*Ts`
    TypeVarTuple,
    /// `**P`
    ParamSpec,
}

/// A type alias statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeAlias {
    /// Its name.
    pub name: Ident,
    /// `[T, *Ts, **P]`
    pub type_params: Vec<TypeParam>,
    /// What it stands for.
    pub value: Expr,
}

/// An annotated assignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnAssign {
    /// A name, attribute or subscript.
    pub target: Expr,
    /// After `:`.
    pub annotation: Expr,
    /// After `=`.
    pub value: Option<Expr>,
    /// The target is a name without parentheses, so the annotation is recorded.
    pub simple: bool,
}

/// A `for` loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct For {
    /// The target.
    pub target: Expr,
    /// What is iterated over.
    pub iter: Expr,
    /// The body.
    pub body: Vec<Stmt>,
    /// The `else` block, or empty.
    pub orelse: Vec<Stmt>,
    /// `async for`
    pub is_async: bool,
}

/// A `while` loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct While {
    /// The condition.
    pub test: Expr,
    /// The body.
    pub body: Vec<Stmt>,
    /// The `else` block, or empty.
    pub orelse: Vec<Stmt>,
}

/// An `if` statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct If {
    /// `if` and each `elif`, at least one.
    pub branches: Vec<IfBranch>,
    /// The `else` block, or empty.
    pub orelse: Vec<Stmt>,
}

/// `if test: body` or `elif test: body`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IfBranch {
    /// From the keyword to the end of the body.
    pub span: Span,
    /// The condition.
    pub test: Expr,
    /// The body.
    pub body: Vec<Stmt>,
}

/// A `with` statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The managers, at least one.
    pub items: Vec<WithItem>,
    /// The body.
    pub body: Vec<Stmt>,
    /// `async with`
    pub is_async: bool,
}

/// `context_expr as target`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithItem {
    /// From the expression to the target.
    pub span: Span,
    /// The manager.
    pub context_expr: Expr,
    /// The target.
    pub target: Option<Expr>,
}

/// A `match` statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// What is matched.
    pub subject: Expr,
    /// The cases, at least one.
    pub cases: Vec<MatchCase>,
}

/// `case pattern if guard: body`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchCase {
    /// From `case` to the end of the body.
    pub span: Span,
    /// The pattern.
    pub pattern: Pattern,
    /// After `if`.
    pub guard: Option<Expr>,
    /// The body.
    pub body: Vec<Stmt>,
}

/// A `try` statement; it has handlers or a `finally` block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Try {
    /// The body.
    pub body: Vec<Stmt>,
    /// The handlers.
    pub handlers: Vec<ExceptHandler>,
    /// The `else` block, or empty.
    pub orelse: Vec<Stmt>,
    /// The `finally` block, or empty.
    pub finalbody: Vec<Stmt>,
    /// The handlers are `except*`.
    pub is_star: bool,
}

/// `except type as name: body`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExceptHandler {
    /// From `except` to the end of the body.
    pub span: Span,
    /// The class or tuple of classes; absent only in the last handler.
    pub typ: Option<Expr>,
    /// The name it is bound to.
    pub name: Option<Ident>,
    /// The body.
    pub body: Vec<Stmt>,
}

/// `name as asname` in an import.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// From the name to the `as` name.
    pub span: Span,
    /// A dotted name, a name, or `*`.
    pub name: Ident,
    /// After `as`.
    pub asname: Option<Ident>,
}

/// `from ..module import names`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportFrom {
    /// The dotted name after the dots; absent only if there are dots.
    pub module: Option<Ident>,
    /// The names; `*` stands alone.
    pub names: Vec<Alias>,
    /// The number of leading dots.
    pub level: u32,
}
