//! The file extension of MiniScript.
