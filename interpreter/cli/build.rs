//! Links `ms` at a fixed address where that is known to work: otherwise the loader writes some
//! seventeen thousand addresses into the tables of natives at each start, a tenth of a short run
//! and a third of a MiB of memory of its own. (Debian links `python3` so.) Libraries are not
//! concerned.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(bare_start)");
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    let linux = target("OS") == "linux" && target("ENV") == "gnu";
    if linux {
        // There the standard library knows the arguments without having started the process.
        println!("cargo::rustc-cfg=bare_start");
    }
    if linux && target("ARCH") == "x86_64" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
