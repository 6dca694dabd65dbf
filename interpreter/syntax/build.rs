//! Generates the parser from `src/grammar.lalrpop` into the build directory.

fn main() {
    lalrpop::Configuration::new()
        .use_cargo_dir_conventions()
        .emit_rerun_directives(true)
        .process()
        .unwrap_or_else(|error| panic!("src/grammar.lalrpop: {error}"));
}
