//! The test suites of MiniScript.
