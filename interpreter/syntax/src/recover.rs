//! Finding more than the first error.

/// So many errors of one text are enough.
pub const MAX_ERRORS: usize = 100;
