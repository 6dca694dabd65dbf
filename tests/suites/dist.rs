//! The installed product: `dist/` is made of this profile's artifacts, moved elsewhere, and used
//! with an empty environment, as a user who has nothing else would.

#[path = "dist/commands.rs"]
mod commands;
#[path = "dist/imports.rs"]
mod imports;
#[path = "dist/installation.rs"]
mod installation;
#[path = "dist/libraries.rs"]
mod libraries;
#[path = "dist/projects.rs"]
mod projects;
#[path = "dist/support.rs"]
mod support;
