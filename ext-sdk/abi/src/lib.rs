//! Every type that crosses the boundary between MiniScript and its extensions.
