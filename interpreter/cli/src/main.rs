//! The `ms` command.

fn main() {}
