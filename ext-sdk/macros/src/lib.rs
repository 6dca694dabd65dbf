//! Attribute macros of the MiniScript extension SDK.
