//! The `ms` command.

mod args;
mod check;
mod ext;
mod interrupt;
mod repl;
mod source;

use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use args::{Command, Run, What};
use miniscript_engine::access::Grants;
use miniscript_engine::{Config, Engine, Program};

fn main() -> ExitCode {
    let command = match args::parse() {
        Ok(command) => command,
        Err(args::BadLine { error, help }) => {
            eprintln!("ms: {error}\ntry '{help}'");
            return ExitCode::from(2);
        }
    };
    match command {
        Command::Help => print_out(Ok(args::HELP.into())),
        Command::Version => {
            print_out(Ok(concat!("MiniScript ", env!("CARGO_PKG_VERSION"), "\n").into()))
        }
        Command::Check { files, json } => ExitCode::from(check::check(&files, json)),
        Command::Ast(file) => print_out(source::ast(&file)),
        Command::Dis(file) => print_out(source::dis(&file)),
        Command::Ext(command, folders) => ExitCode::from(ext::run(command, &folders)),
        Command::Run(run) => ExitCode::from(run_program(run) as u8),
    }
}

fn run_program(run: Run) -> i32 {
    let mut config = Config::command();
    config.limits = run.limits;
    config.args = run.args;
    config.ext_path = run.ext_path;
    config.explain_import = run.explain_import;
    let grants = match (run.grants, &run.what) {
        (None, Some(What::File(path))) => Grants::of_project(path),
        (grants, _) => Ok(grants.map(|grants| *grants)),
    };
    match grants {
        Ok(Some(grants)) => config.access = Arc::new(grants),
        Ok(None) => {}
        Err(why) => {
            eprintln!("ms: {}", why.trim_end());
            return 2;
        }
    }
    let prompt = run.what.is_none() && std::io::stdin().is_terminal();
    let mut engine = Engine::new(config);
    interrupt::install(&engine);
    if prompt {
        if let Err(failure) = engine.start_prompt() {
            return engine.report(failure);
        }
        return repl::run(&mut engine);
    }
    let program = match run.what {
        Some(What::File(path)) => Program::File(path),
        Some(What::Module(name)) => Program::Module(name),
        Some(What::Code(code)) => {
            Program::Text { name: "<string>".into(), bytes: code.into_bytes() }
        }
        Some(What::Tree(path)) => match source::from_json(&path) {
            Ok(proto) => Program::Code(proto),
            Err(text) => {
                eprint!("{text}");
                return 2;
            }
        },
        Some(What::Stdin) | None => {
            let mut bytes = Vec::new();
            if let Err(error) = std::io::stdin().read_to_end(&mut bytes) {
                eprintln!("ms: cannot read standard input: {error}");
                return 2;
            }
            Program::Text { name: "<stdin>".into(), bytes }
        }
    };
    let status = engine.run_program(&program);
    if run.stats {
        eprint!("{}", engine.stats());
    }
    status
}

/// Writes to standard output; a text for standard error is a failure.
fn print_out(text: Result<String, String>) -> ExitCode {
    match text {
        Ok(text) => match std::io::stdout().write_all(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(text) => {
            eprint!("{text}");
            ExitCode::from(2)
        }
    }
}
