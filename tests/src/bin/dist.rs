//! Builds the product and lays it out as it is installed.
//!
//!     cargo run --release -p miniscript-tests --bin dist -- [--debug] [--out DIR]
//!
//! `DIR` is `dist` in the workspace unless named. What it is made of: `miniscript_tests::dist`.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use miniscript_tests::{build_packages, dist, workspace_root};

fn main() -> ExitCode {
    match run() {
        Ok(out) => {
            println!("made {}", out.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("dist: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<PathBuf, String> {
    let root = workspace_root();
    let (mut out, mut profile) = (root.join("dist"), "release");
    let mut args = env::args_os().skip(1);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--debug") => profile = "dev",
            Some("--out") => out = args.next().ok_or("--out needs a folder")?.into(),
            _ => {
                return Err(format!(
                    "unknown argument {}; there are --debug, --out DIR",
                    arg.display()
                ));
            }
        }
    }
    let out = std::path::absolute(&out).map_err(|error| error.to_string())?;
    let profile_dir = build_packages(&dist::PACKAGES, Some(profile))?;
    dist::make(&root, &profile_dir, &out)?;
    Ok(out)
}
