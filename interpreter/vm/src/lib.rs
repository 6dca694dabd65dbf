//! Compiler, heap, objects and dispatch loop of MiniScript.
