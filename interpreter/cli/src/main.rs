//! The `ms` command.

mod args;
mod interrupt;

use std::io::Read;
use std::process::ExitCode;

use args::{Command, What};
use miniscript_engine::{Config, Engine, Program};

fn main() -> ExitCode {
    let command = match args::parse() {
        Ok(command) => command,
        Err(error) => {
            eprintln!("ms: {error}\ntry 'ms --help'");
            return ExitCode::from(2);
        }
    };
    match command {
        Command::Help => print_out(args::HELP),
        Command::Version => print_out(concat!("MiniScript ", env!("CARGO_PKG_VERSION"), "\n")),
        Command::Run(run) => {
            let mut config = Config::command();
            config.limits = run.limits;
            config.args = run.args;
            config.explain_import = run.explain_import;
            let program = match run.what {
                What::File(path) => Program::File(path),
                What::Module(name) => Program::Module(name),
                What::Code(code) => {
                    Program::Text { name: "<string>".into(), bytes: code.into_bytes() }
                }
                What::Stdin => {
                    let mut bytes = Vec::new();
                    if let Err(error) = std::io::stdin().read_to_end(&mut bytes) {
                        eprintln!("ms: cannot read standard input: {error}");
                        return ExitCode::from(2);
                    }
                    Program::Text { name: "<stdin>".into(), bytes }
                }
            };
            let mut engine = Engine::new(config);
            interrupt::install(&engine);
            let status = engine.run_program(&program);
            ExitCode::from(status as u8)
        }
    }
}

fn print_out(text: &str) -> ExitCode {
    use std::io::Write;
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
