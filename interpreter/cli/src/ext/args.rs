//! The command line of `ms ext`.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Error, Parser, ValueExt};

use super::probe::Request;

/// What `ms ext --help` shows.
pub const HELP: &str = "\
usage: ms ext list [--json]
       ms ext info [--json] NAME|FILE
       ms ext check [--json] [--verbose] NAME|FILE
       ms ext new NAME --rust|--c [--path DIR]
       ms ext build [--debug] [--offline] [DIR]
       ms ext install [--user | --to DIR] [--offline] [DIR|FILE]

  list      what programs of this folder can import; reads files, opens no library
  info      what an extension offers: functions, classes, constants, needs
  check     whether an extension can be used, and if not, what to do
  new       make a project for an extension, in DIR or a folder NAME
  build     build the project of this folder (or DIR), with cargo or the C compiler
  install   check a library and copy it into ms_modules of the project around this
            folder; of a project (this folder or DIR) build it first

  --rust, --c     the language of a new project
  --path DIR      where the new project goes
  --debug         build without optimisation
  --offline       let cargo use only what was downloaded before
  --user          install for all projects of this user
  --to DIR        install into DIR
  --json          print JSON
  --verbose       show what the library writes, and the whole of a report
  --ext-path DIR  look for extensions in DIR first (may be repeated)
  -h, --help      show this
";

/// What `ms ext` is asked to do.
#[derive(Debug)]
pub enum ExtCommand {
    /// Show the help.
    Help,
    /// Show what is on the path.
    List {
        /// As JSON.
        json: bool,
    },
    /// Show what an extension offers.
    Info {
        /// Its name or file.
        what: OsString,
        /// As JSON.
        json: bool,
    },
    /// Say whether an extension can be used.
    Check {
        /// Its name or file.
        what: OsString,
        /// As JSON.
        json: bool,
        /// With the library's own output and the whole report.
        verbose: bool,
    },
    /// Make a project.
    New(NewOptions),
    /// Build a project.
    Build(BuildOptions),
    /// Install a library.
    Install(InstallOptions),
    /// Open a library in this process and tell the parent; not for people.
    Probe(Request),
}

/// In what a new extension is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// With the SDK.
    Rust,
    /// With the header.
    C,
}

/// Options of `ms ext new`.
#[derive(Debug)]
pub struct NewOptions {
    /// The module's name.
    pub name: String,
    /// The language.
    pub language: Language,
    /// The folder to make; otherwise one of the module's name.
    pub path: Option<PathBuf>,
}

/// Options of `ms ext build`.
#[derive(Debug, Default)]
pub struct BuildOptions {
    /// The project; otherwise the current folder.
    pub folder: Option<PathBuf>,
    /// Without optimisation.
    pub debug: bool,
    /// Without network.
    pub offline: bool,
}

/// Options of `ms ext install`.
#[derive(Debug, Default)]
pub struct InstallOptions {
    /// A library, or a project to build; otherwise the current folder.
    pub what: Option<PathBuf>,
    /// Where it goes.
    pub place: Place,
    /// Without network.
    pub offline: bool,
}

/// Where an extension is installed.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// `ms_modules` of the project around the current folder.
    #[default]
    Project,
    /// The user's own folder.
    User,
    /// A folder.
    Folder(PathBuf),
}

/// Reads what follows `ms ext`. Folders of `--ext-path` are added to `folders`.
///
/// # Errors
/// What is wrong with the command line.
pub fn parse(parser: &mut Parser, folders: &mut Vec<PathBuf>) -> Result<ExtCommand, Error> {
    let verb = match parser.next()? {
        Some(Arg::Short('h') | Arg::Long("help")) => return Ok(ExtCommand::Help),
        Some(Arg::Value(verb)) => verb.string()?,
        Some(other) => return Err(other.unexpected()),
        None => return Err("ext needs one of: list, info, check, new, build, install".into()),
    };
    let mut line = Line::read(&verb, parser, folders)?;
    if line.help {
        return Ok(ExtCommand::Help);
    }
    let command = match verb.as_str() {
        "list" => ExtCommand::List { json: line.json },
        "info" => ExtCommand::Info { what: line.required("a NAME or FILE")?, json: line.json },
        "check" => {
            let what = line.required("a NAME or FILE")?;
            ExtCommand::Check { what, json: line.json, verbose: line.verbose }
        }
        "new" => {
            let name = line.required("a NAME")?.string()?;
            let language = line.language.ok_or("ext new needs --rust or --c")?;
            ExtCommand::New(NewOptions { name, language, path: line.path })
        }
        "build" => {
            let folder = line.value.take().map(Into::into);
            let Line { debug, offline, .. } = line;
            ExtCommand::Build(BuildOptions { folder, debug, offline })
        }
        "install" => {
            let what = line.value.take().map(Into::into);
            let place = match (line.user, line.to) {
                (true, Some(_)) => return Err("--user and --to exclude each other".into()),
                (true, None) => Place::User,
                (false, Some(folder)) => Place::Folder(folder),
                (false, None) => Place::Project,
            };
            ExtCommand::Install(InstallOptions { what, place, offline: line.offline })
        }
        "probe" => ExtCommand::Probe(Request {
            file: line.required("a FILE")?.into(),
            mark: line.mark.ok_or("ext probe is not for people; see 'ms ext --help'")?,
            import: line.import,
        }),
        _ => {
            let text = format!("no command 'ext {verb}'; there are list, info, check, new, build");
            return Err((text + " and install").into());
        }
    };
    Ok(command)
}

/// The options of all commands, each taken only by those that know it.
#[derive(Default)]
struct Line {
    verb: String,
    value: Option<OsString>,
    help: bool,
    json: bool,
    verbose: bool,
    debug: bool,
    offline: bool,
    user: bool,
    import: bool,
    language: Option<Language>,
    path: Option<PathBuf>,
    to: Option<PathBuf>,
    mark: Option<String>,
}

impl Line {
    fn read(verb: &str, parser: &mut Parser, folders: &mut Vec<PathBuf>) -> Result<Line, Error> {
        let mut line = Line { verb: verb.to_owned(), ..Line::default() };
        let of = |verbs: &[&str]| verbs.contains(&verb);
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Short('h') | Arg::Long("help") => line.help = true,
                Arg::Long("ext-path") => folders.push(parser.value()?.into()),
                Arg::Long("json") if of(&["list", "info", "check"]) => line.json = true,
                Arg::Long("verbose") if of(&["check"]) => line.verbose = true,
                Arg::Long("rust") if of(&["new"]) => line.set_language(Language::Rust)?,
                Arg::Long("c") if of(&["new"]) => line.set_language(Language::C)?,
                Arg::Long("path") if of(&["new"]) => line.path = Some(parser.value()?.into()),
                Arg::Long("debug") if of(&["build"]) => line.debug = true,
                Arg::Long("offline") if of(&["build", "install"]) => line.offline = true,
                Arg::Long("user") if of(&["install"]) => line.user = true,
                Arg::Long("to") if of(&["install"]) => line.to = Some(parser.value()?.into()),
                Arg::Long("mark") if of(&["probe"]) => {
                    line.mark = Some(parser.value()?.string()?);
                }
                Arg::Long("import") if of(&["probe"]) => line.import = true,
                Arg::Value(value) if line.value.is_none() && !of(&["list"]) => {
                    line.value = Some(value);
                }
                other => return Err(other.unexpected()),
            }
        }
        Ok(line)
    }

    fn set_language(&mut self, language: Language) -> Result<(), Error> {
        match self.language.replace(language) {
            Some(other) if other != language => Err("--rust and --c exclude each other".into()),
            _ => Ok(()),
        }
    }

    fn required(&mut self, what: &str) -> Result<OsString, Error> {
        self.value.take().ok_or_else(|| format!("ext {} needs {what}", self.verb).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<ExtCommand, Error> {
        let mut parser = Parser::from_iter(["ms"].iter().chain(args));
        parse(&mut parser, &mut Vec::new())
    }

    #[test]
    fn each_command_takes_its_own_options() {
        assert!(matches!(read(&["list", "--json"]), Ok(ExtCommand::List { json: true })));
        assert!(matches!(
            read(&["new", "geo", "--c", "--path", "x"]),
            Ok(ExtCommand::New(NewOptions { language: Language::C, path: Some(_), .. }))
        ));
        assert!(matches!(
            read(&["install", "../geo", "--user"]),
            Ok(ExtCommand::Install(InstallOptions { what: Some(_), place: Place::User, .. }))
        ));
        assert!(matches!(read(&["build", "--help"]), Ok(ExtCommand::Help)));
        for bad in [
            &[][..],
            &["frobnicate"],
            &["list", "geo"],
            &["list", "--user"],
            &["info"],
            &["info", "a", "b"],
            &["new", "geo"],
            &["new", "geo", "--c", "--rust"],
            &["install", "--user", "--to", "x"],
            &["probe", "x"],
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
