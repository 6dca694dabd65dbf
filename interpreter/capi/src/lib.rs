//! The C API of MiniScript.
