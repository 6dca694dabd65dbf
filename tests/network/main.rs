//! HTTP as scripts use it: client and server of the `http` extension in processes of their own,
//! against each other and against peers that misbehave. Everything is on loopback and bounded.

mod hostile;
mod many;
mod server;
mod support;
mod tls;
