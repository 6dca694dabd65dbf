//! The http extension of MiniScript.
