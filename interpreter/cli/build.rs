//! Links `ms` at a fixed address where that is known to work: otherwise the loader writes some
//! seventeen thousand addresses into the tables of natives at each start, a tenth of a short run
//! and a third of a MiB of memory of its own. (Debian links `python3` so.) Libraries are not
//! concerned.
//!
//! A release has the functions of a start beside each other (`startup.ld`, which
//! `tests/bench/startup_order.py` writes): two MiB less of the file are then looked at.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=startup.ld");
    println!("cargo::rustc-check-cfg=cfg(bare_start)");
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    let linux = target("OS") == "linux" && target("ENV") == "gnu";
    if linux {
        // There the standard library knows the arguments without having started the process.
        println!("cargo::rustc-cfg=bare_start");
    }
    if linux && target("ARCH") == "x86_64" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        // A linker that somebody chose may know no scripts.
        let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
        let usual = !flags.contains("linker") && !flags.contains("fuse-ld");
        if usual && std::env::var("PROFILE").as_deref() == Ok("release") {
            let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
            println!("cargo::rustc-link-arg-bins=-Wl,-T,{folder}/startup.ld");
        }
    }
}
