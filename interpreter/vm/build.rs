//! Tells the dispatch loop whether the optimiser turns its tail calls into jumps.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(miniscript_loop)");
    if std::env::var("OPT_LEVEL").as_deref() == Ok("0") {
        println!("cargo::rustc-cfg=miniscript_loop");
    }
}
