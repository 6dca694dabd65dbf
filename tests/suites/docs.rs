//! What the documents and examples promise: every `python` block of the README and of `docs/`, and
//! every script of `examples/`, is one test. A `c` block is an extension, compiled for the `python`
//! blocks behind it. (Rust code in documents is tested with the crate it is about.)
//!
//! They say what they print in the suites' own format (`# expect: TEXT`), and printing anything
//! else is a failure. `MS=PATH` tests another `ms`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use miniscript_tests::{Mode, ScriptTest, Subject, discover, workspace_root};

fn main() -> ExitCode {
    match run(&Arguments::from_args()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("docs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let root = workspace_root();
    let blocks = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut scripts = Vec::new();
    for document in documents(&root)? {
        scripts.extend(scripts_of(&document, &root, blocks.path())?);
    }
    if scripts.is_empty() {
        return Err("no python block in any document".to_owned());
    }
    let examples = discover(&root, "examples").map_err(|error| format!("examples: {error}"))?;
    scripts.extend(examples.into_iter().filter(|script| script.mode == Mode::Plain));
    let subject = if arguments.list { None } else { Some(Subject::locate()?) };
    let trials = scripts.into_iter().map(|script| {
        let subject = subject.clone();
        Trial::test(script.name.clone(), move || {
            let subject = subject.ok_or("no ms to test")?;
            script.run(&subject.path).map_err(Failed::from)
        })
    });
    Ok(libtest_mimic::run(arguments, trials.collect()).exit_code())
}

/// The README and everything in `docs/`.
fn documents(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut documents = vec![root.join("README.md")];
    for folder in [root.join("docs"), root.join("docs/modules")] {
        let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                documents.push(path);
            }
        }
    }
    documents.sort();
    Ok(documents)
}

/// Writes the blocks of a document as scripts, each with as many empty lines in front as put its
/// lines where they stand in the document.
fn scripts_of(document: &Path, root: &Path, folder: &Path) -> Result<Vec<ScriptTest>, String> {
    let shown = document.strip_prefix(root).unwrap_or(document).display().to_string();
    let text = fs::read_to_string(document).map_err(|error| format!("{shown}: {error}"))?;
    let mut scripts = Vec::new();
    let mut extension = None;
    for Block { line, language, text } in blocks(&text).map_err(|e| format!("{shown}: {e}"))? {
        let path = folder.join(format!("{}_{line}.ms", shown.replace(['/', '.'], "_")));
        match language {
            "c" => extension = Some(text),
            "python" => {
                let source = format!("{}{text}", "\n".repeat(line));
                fs::write(&path, source).map_err(|e| format!("{}: {e}", path.display()))?;
                if let Some(extension) = &extension {
                    compile(extension, &path.with_extension(""), root)
                        .map_err(|error| format!("{shown}: {error}"))?;
                }
                let name = format!("{shown}:{line}");
                scripts.push(ScriptTest { name, path, mode: Mode::Plain });
            }
            _ => {}
        }
    }
    Ok(scripts)
}

/// Makes a library of a C extension in a folder, which a script of that name finds beside it.
fn compile(source: &str, folder: &Path, root: &Path) -> Result<(), String> {
    let name = source
        .split_once("\nMS_EXTENSION(")
        .and_then(|(_, rest)| rest.split_once(','))
        .map(|(name, _)| name)
        .ok_or("a c block without MS_EXTENSION")?;
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let file = folder.join(format!("{name}.c"));
    fs::write(&file, source).map_err(|error| error.to_string())?;
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let built = Command::new(&compiler)
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I"])
        .arg(root.join("ext-sdk/include"))
        .arg("-o")
        .arg(folder.join(format!("libms_{name}.{}", env::consts::DLL_EXTENSION)))
        .arg(&file)
        .output()
        .map_err(|error| format!("cannot run {compiler}: {error}"))?;
    if built.status.success() {
        Ok(())
    } else {
        Err(format!("{name}.c: {}", String::from_utf8_lossy(&built.stderr)))
    }
}

/// A fenced block.
struct Block<'a> {
    /// The number of its opening line.
    line: usize,
    language: &'a str,
    text: String,
}

/// The fenced blocks of a document.
fn blocks(text: &str) -> Result<Vec<Block<'_>>, String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let mut block = Block { line: index + 1, language, text: String::new() };
        loop {
            match lines.next() {
                Some((_, "```")) => break,
                Some((_, line)) => block.text.extend([line, "\n"]),
                None => return Err(format!("the block of line {} is not closed", index + 1)),
            }
        }
        blocks.push(block);
    }
    Ok(blocks)
}
