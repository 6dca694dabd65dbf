//! The `ms` command.

#![cfg_attr(all(bare_start, not(test)), no_main)]

mod args;
mod check;
mod ext;
mod interrupt;
mod overdue;
mod repl;
mod source;
#[cfg(all(bare_start, not(test)))]
mod start;

use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;

use args::{Command, Run, What};
use miniscript_engine::access::Grants;
use miniscript_engine::{Config, Engine, OutputStream, Program, paint};

#[cfg(not(all(bare_start, not(test))))]
fn main() -> std::process::ExitCode {
    run().into()
}

/// Does what the command line says; the exit status.
fn run() -> u8 {
    let command = match args::parse() {
        Ok(command) => command,
        Err(args::BadLine { error, help }) => {
            complain(&format!("ms: {error}\ntry '{help}'\n"));
            return 2;
        }
    };
    match command {
        Command::Help => print_out(Ok(args::HELP.into())),
        Command::Version => {
            print_out(Ok(concat!("MiniScript ", env!("CARGO_PKG_VERSION"), "\n").into()))
        }
        Command::Check { files, json } => check::check(&files, json),
        Command::Ast(file) => print_out(source::ast(&file)),
        Command::Dis(file) => print_out(source::dis(&file)),
        Command::Ext(command, folders) => ext::run(command, &folders),
        Command::Run(run) => run_program(run) as u8,
    }
}

fn run_program(run: Run) -> i32 {
    let mut config = Config::command();
    config.limits = run.limits;
    config.args = run.args;
    config.ext_path = run.ext_path;
    config.explain_import = run.explain_import;
    config.overdue = Some(overdue::end_process(config.stdout.held()));
    let grants = match (run.grants, &run.what) {
        (None, Some(What::File(path))) => Grants::of_project(path),
        // What has no file belongs to the project of the current folder, as its imports do.
        (None, _) => match std::env::current_dir() {
            Ok(folder) => Grants::of_folder(&folder),
            Err(_) => Ok(None),
        },
        (grants, _) => Ok(grants.map(|grants| *grants)),
    };
    match grants {
        Ok(Some(grants)) => config.access = Arc::new(grants),
        Ok(None) => {}
        Err(why) => {
            complain(&format!("ms: {}\n", why.trim_end()));
            return 2;
        }
    }
    let prompt = run.what.is_none() && std::io::stdin().is_terminal();
    let mut engine = Engine::new(config);
    interrupt::install(&engine);
    if run.stats {
        engine.count_instructions();
    }
    if prompt {
        if let Err(failure) = engine.start_prompt() {
            return engine.report(failure);
        }
        let status = repl::run(&mut engine);
        engine.leave();
        return status;
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
                complain(&text);
                return 2;
            }
        },
        Some(What::Stdin) | None => match read_stdin() {
            Ok(bytes) => Program::Text { name: "<stdin>".into(), bytes },
            Err(error) => {
                complain(&format!("ms: cannot read standard input: {error}\n"));
                return 2;
            }
        },
    };
    let status = engine.run_program(&program);
    if run.stats {
        complain(&engine.stats());
    }
    engine.leave();
    status
}

/// The program on standard input.
fn read_stdin() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // `read_to_end` reports a failed allocation as an error.
    io::stdin().take(source::MAX_SOURCE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > source::MAX_SOURCE {
        return Err(io::Error::other("it is too large for a program"));
    }
    Ok(bytes)
}

/// Writes to standard output; a text for standard error is a failure.
fn print_out(text: Result<String, String>) -> u8 {
    let written = match text {
        Ok(text) => io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()),
        Err(text) => {
            complain(&text);
            return 2;
        }
    };
    match written {
        Ok(()) => 0,
        Err(error) => {
            if error.kind() != io::ErrorKind::BrokenPipe {
                complain(&format!("ms: cannot write to standard output: {error}\n"));
            }
            1
        }
    }
}

/// Writes a report to standard error. There is nowhere to tell that this cannot be done.
fn complain(text: &str) {
    let stream = OutputStream::stderr();
    let painted = if stream.has_colour() { paint(text) } else { text.to_owned() };
    let _ = stream.write(painted.as_bytes());
}
