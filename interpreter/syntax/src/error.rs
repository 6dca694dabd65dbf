//! Syntax errors as data. How they are shown is `render`'s business.

use serde::Serialize;

use crate::Span;

/// The exception class of a syntax error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[expect(missing_docs, reason = "names of Python's exception classes")]
pub enum ErrorKind {
    SyntaxError,
    IndentationError,
    TabError,
}

impl ErrorKind {
    /// The name of the exception class.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::SyntaxError => "SyntaxError",
            ErrorKind::IndentationError => "IndentationError",
            ErrorKind::TabError => "TabError",
        }
    }
}

/// Why a text is not a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyntaxError {
    /// The exception class.
    pub kind: ErrorKind,
    /// A stable short code for tools, one for each family of messages.
    pub code: &'static str,
    /// What CPython 3.12 says.
    pub message: String,
    /// Where. An empty span is one caret.
    pub span: Span,
}

impl SyntaxError {
    /// A plain `SyntaxError`.
    pub fn new(code: &'static str, message: impl Into<String>, span: Span) -> SyntaxError {
        SyntaxError { kind: ErrorKind::SyntaxError, code, message: message.into(), span }
    }

    /// An `IndentationError`.
    pub fn indentation(code: &'static str, message: impl Into<String>, span: Span) -> SyntaxError {
        SyntaxError { kind: ErrorKind::IndentationError, code, message: message.into(), span }
    }

    /// The input could go on (an open bracket, a block without its end): a prompt reads another
    /// line. Given in [`Mode::Interactive`](crate::ast::Mode::Interactive) only.
    pub fn is_incomplete_input(&self) -> bool {
        self.code == "incomplete-input"
    }
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl std::error::Error for SyntaxError {}
