//! Code: the opcode table, compiled bodies, and what the compiler and the VM agree on.

pub mod intrinsic;
#[macro_use]
pub mod op;
mod positions;
pub mod proto;
pub mod store;

use op::{Extra, Op};

/// Turns cache numbers in `words` into constant indices: caches lie behind the constants.
pub(crate) fn link(words: &mut [u32], const_count: usize) {
    let mut at = 0;
    while at < words.len() {
        let Some(op) = Op::decode(words[at]) else { return };
        if op.extra() == Extra::Cache
            && let Some(w) = words.get_mut(at + 1)
        {
            *w = (const_count + *w as usize * crate::object::func::CACHE_WORDS) as u32;
        }
        at += op.len();
    }
}
