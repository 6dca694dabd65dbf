//! The math extension of MiniScript.
