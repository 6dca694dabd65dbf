//! Write MiniScript extensions in Rust.
