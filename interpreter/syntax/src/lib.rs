//! Lexer, parser, syntax tree and syntax errors of MiniScript.
