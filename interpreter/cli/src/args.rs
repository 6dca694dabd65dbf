//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};
use miniscript_engine::Limits;
use miniscript_engine::access::{Grants, Right};

use crate::ext::{self, ExtCommand};

/// What `--help` shows.
pub const HELP: &str = "\
usage: ms [OPTION].. [FILE | -c CODE | -m MODULE | -] [ARGUMENT]..
       ms check [--json] FILE..
       ms ast FILE | ms ast --run FILE.json
       ms dis FILE
       ms ext list | info | check | new | build | install ..

Without a program and on a terminal, statements are read at a prompt.

  FILE                   run a script
  -c CODE                run CODE
  -m MODULE              run a module, or the __main__ of a package
  -                      run what standard input brings

  --timeout SECONDS      raise TimeoutError after that time, and end the process
                         if it goes on
  --max-memory N[K|M|G]  raise MemoryError beyond that size of the heap
  --recursion-limit N    raise RecursionError beyond that depth of calls
  --ext-path DIR         look for extensions in DIR first (may be repeated)
  --sandbox              grant nothing but what these flags grant, each of
                         which implies it:
  --allow-read[=PATH,..]    looking at files
  --allow-write[=PATH,..]   changing files
  --allow-net[=HOST,..]     the network: HOST, HOST:PORT, *.HOST, ADDRESS, :PORT
  --allow-env[=NAME,..]     the environment
  --allow-run[=NAME,..]     running programs
  --allow-import[=NAME,..]  modules of the script's folder and sys.path
  --allow-ext[=NAME,..]     extensions that are not part of the installation
  --explain-import NAME  show where NAME is looked for when it is imported;
                         without a program, import it
  --stats                show counters of the interpreter at the end

  check                  show all syntax errors of some files
  ast                    show the syntax tree of a file as JSON, or run one
  dis                    show the code of a file
  ext                    extensions; 'ms ext --help' tells more

  --version              show the version
  -h, --help             show this
";

/// A command line that is wrong.
#[derive(Debug)]
pub struct BadLine {
    /// What is wrong.
    pub error: lexopt::Error,
    /// The command that helps.
    pub help: &'static str,
}

impl From<lexopt::Error> for BadLine {
    fn from(error: lexopt::Error) -> BadLine {
        BadLine { error, help: "ms --help" }
    }
}

/// What the command is asked to do.
#[derive(Debug)]
pub enum Command {
    /// Show the help.
    Help,
    /// Show the version.
    Version,
    /// Show all syntax errors of some files.
    Check {
        /// The files.
        files: Vec<PathBuf>,
        /// As JSON.
        json: bool,
    },
    /// Show a syntax tree.
    Ast(PathBuf),
    /// Show code.
    Dis(PathBuf),
    /// Extensions, with the folders in which they are looked for first.
    Ext(ExtCommand, Vec<PathBuf>),
    /// Run a program.
    Run(Run),
}

/// How a program is run.
#[derive(Debug)]
pub struct Run {
    /// The program; without, a prompt, or what standard input brings.
    pub what: Option<What>,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its limits.
    pub limits: Limits,
    /// Folders in which extensions are looked for first.
    pub ext_path: Vec<PathBuf>,
    /// The module whose import is to be explained.
    pub explain_import: Option<String>,
    /// Show counters at the end.
    pub stats: bool,
    /// What it may do, if not everything.
    pub grants: Option<Box<Grants>>,
}

/// A program.
#[derive(Debug, PartialEq, Eq)]
pub enum What {
    /// A file.
    File(PathBuf),
    /// A syntax tree in JSON.
    Tree(PathBuf),
    /// A module found by name.
    Module(String),
    /// Text on the command line.
    Code(String),
    /// Standard input.
    Stdin,
}

/// Reads the command line of the process.
pub fn parse() -> Result<Command, BadLine> {
    parse_from(Parser::from_env())
}

fn parse_from(mut parser: Parser) -> Result<Command, BadLine> {
    let mut limits = Limits::default();
    let mut explain_import = None;
    let mut ext_path = Vec::new();
    let mut stats = false;
    let mut grants: Option<Box<Grants>> = None;
    let what = loop {
        match parser.next()? {
            Some(Arg::Short('h') | Arg::Long("help")) => return Ok(Command::Help),
            Some(Arg::Short('V') | Arg::Long("version")) => return Ok(Command::Version),
            Some(Arg::Long("timeout")) => limits.timeout = Some(seconds(&mut parser)?),
            Some(Arg::Long("max-memory")) => limits.max_memory = Some(size(&mut parser)?),
            Some(Arg::Long("recursion-limit")) => limits.recursion = Some(depth(&mut parser)?),
            Some(Arg::Long("ext-path")) => ext_path.push(parser.value()?.into()),
            Some(Arg::Long("explain-import")) => explain_import = Some(parser.value()?.string()?),
            Some(Arg::Long("stats")) => stats = true,
            Some(Arg::Long("sandbox")) => {
                grants.get_or_insert_with(|| Box::new(Grants::command()));
            }
            Some(Arg::Short('c')) => break Some(What::Code(parser.value()?.string()?)),
            Some(Arg::Short('m')) => break Some(What::Module(parser.value()?.string()?)),
            Some(Arg::Value(v)) if v == "-" => break Some(What::Stdin),
            Some(Arg::Value(v)) if v == "check" => return Ok(check(parser)?),
            Some(Arg::Value(v)) if v == "ext" => {
                let command = ext::parse(&mut parser, &mut ext_path)
                    .map_err(|error| BadLine { error, help: "ms ext --help" })?;
                return Ok(Command::Ext(command, ext_path));
            }
            Some(Arg::Value(v)) if v == "dis" => return Ok(Command::Dis(one_file(parser)?)),
            Some(Arg::Value(v)) if v == "ast" => match parser.next()? {
                Some(Arg::Long("run")) => break Some(What::Tree(parser.value()?.into())),
                Some(Arg::Value(v)) => return Ok(Command::Ast(v.into())),
                Some(other) => return Err(other.unexpected().into()),
                None => return Err(lexopt::Error::from("ast needs a file").into()),
            },
            Some(Arg::Value(v)) => break Some(What::File(v.into())),
            Some(Arg::Long(flag)) => match allowed(flag) {
                Some(right) => {
                    let grants = grants.get_or_insert_with(|| Box::new(Grants::command()));
                    grant(grants, right, parser.optional_value())?;
                }
                None => return Err(Arg::Long(flag).unexpected().into()),
            },
            Some(other) => return Err(other.unexpected().into()),
            None => break explain_import.as_ref().map(|name| What::Code(format!("import {name}"))),
        }
    };
    let args = parser.raw_args()?.collect();
    Ok(Command::Run(Run { what, args, limits, ext_path, explain_import, stats, grants }))
}

/// The right that a flag grants.
fn allowed(flag: &str) -> Option<Right> {
    let name = flag.strip_prefix("allow-")?;
    Right::SCOPED.into_iter().find(|right| right.name() == name)
}

/// Grants a right for the scopes of a list, or without a list as a whole.
fn grant(grants: &mut Grants, right: Right, scopes: Option<OsString>) -> Result<(), lexopt::Error> {
    let Some(scopes) = scopes else {
        grants.grant_all(right);
        return Ok(());
    };
    // Only ASCII is cut at, so that paths may hold any bytes.
    for scope in scopes.as_encoded_bytes().split(|byte| *byte == b',') {
        let scope = match std::str::from_utf8(scope) {
            Ok(text) => OsString::from(text),
            Err(_) if scope.len() == scopes.len() => scopes.clone(),
            Err(_) => return Err("a list of scopes must be UTF-8".into()),
        };
        grants.grant(right, scope).map_err(|e| lexopt::Error::Custom(Box::new(e)))?;
    }
    Ok(())
}

fn check(mut parser: Parser) -> Result<Command, lexopt::Error> {
    let (mut files, mut json) = (Vec::new(), false);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("json") => json = true,
            Arg::Value(v) => files.push(v.into()),
            other => return Err(other.unexpected()),
        }
    }
    if files.is_empty() {
        return Err("check needs a file".into());
    }
    Ok(Command::Check { files, json })
}

fn one_file(mut parser: Parser) -> Result<PathBuf, lexopt::Error> {
    match parser.next()? {
        Some(Arg::Value(v)) => Ok(v.into()),
        Some(other) => Err(other.unexpected()),
        None => Err("a file is needed".into()),
    }
}

fn seconds(parser: &mut Parser) -> Result<Duration, lexopt::Error> {
    let text = parser.value()?.string()?;
    let seconds = text.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
    seconds.ok_or_else(|| format!("--timeout wants seconds such as 2.5, not '{text}'").into())
}

fn depth(parser: &mut Parser) -> Result<usize, lexopt::Error> {
    let text = parser.value()?.string()?;
    let bad = || format!("--recursion-limit wants a number such as 1000, not '{text}'").into();
    text.parse().map_err(|_| bad())
}

/// A number of bytes with an optional unit.
fn size(parser: &mut Parser) -> Result<usize, lexopt::Error> {
    let text = parser.value()?.string()?;
    let digits = text.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G', 'b', 'B', 'i']);
    let unit = match text[digits.len()..].chars().next().map(|c| c.to_ascii_uppercase()) {
        None | Some('B') => 1,
        Some('K') => 1 << 10,
        Some('M') => 1 << 20,
        _ => 1 << 30,
    };
    let bad =
        || lexopt::Error::from(format!("--max-memory wants a size such as 64M, not '{text}'"));
    digits.parse::<usize>().ok().and_then(|n| n.checked_mul(unit)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str]) -> Run {
        let all = std::iter::once("ms").chain(args.iter().copied());
        match parse_from(Parser::from_iter(all)) {
            Ok(Command::Run(run)) => run,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_follows_the_program_belongs_to_it() {
        let r = run(&["--max-memory", "64M", "x.ms", "--timeout", "-c"]);
        assert_eq!(r.what, Some(What::File("x.ms".into())));
        assert_eq!(r.args, ["--timeout", "-c"]);
        assert_eq!(r.limits.max_memory, Some(64 << 20));
        let r = run(&["-c", "print(1)", "-x"]);
        assert_eq!((r.what, r.args), (Some(What::Code("print(1)".into())), vec!["-x".into()]));
        assert_eq!(run(&["-"]).what, Some(What::Stdin));
    }

    #[test]
    fn grants() {
        use miniscript_engine::access::{Access, Wanted};
        assert!(run(&["x.ms", "--sandbox"]).grants.is_none());
        assert!(!run(&["--sandbox", "x.ms"]).grants.unwrap().allows(&Wanted::Env("HOME")));
        let grants = run(&["--allow-env", "--allow-net=a:1,b", "x.ms"]).grants.unwrap();
        assert!(grants.allows(&Wanted::Env("HOME")) && grants.allows(&Wanted::Stdin));
        assert!(grants.allows(&Wanted::Host("a", 1)) && !grants.allows(&Wanted::Host("a", 2)));
        assert!(grants.allows(&Wanted::Host("b", 2)) && !grants.allows(&Wanted::Run("a")));
    }

    #[test]
    fn bad_options_are_errors() {
        let bad = ["--allow-nothing", "--allow-net=x:y", "--allow-read=", "--allow-stdin"];
        for args in bad.map(|flag| [flag, "x.ms"]) {
            let all = std::iter::once("ms").chain(args);
            assert!(parse_from(Parser::from_iter(all)).is_err(), "{args:?}");
        }
        for args in [&["--nope"][..], &["--max-memory", "5X"], &["--timeout", "-1"], &["-c"]] {
            let all = std::iter::once("ms").chain(args.iter().copied());
            assert!(parse_from(Parser::from_iter(all)).is_err(), "{args:?}");
        }
    }
}
