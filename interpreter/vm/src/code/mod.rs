//! Code: the opcode table, compiled bodies, and what the compiler and the VM agree on.

pub mod intrinsic;
pub mod op;
pub mod proto;
