//! The compiler: disassemblies of small programs, messages of errors, a large corpus.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miniscript_syntax::ast::Mode;
use miniscript_syntax::{SyntaxError, parse};
use miniscript_vm::code::proto::{CodeProto, Const, SourceInfo};
use miniscript_vm::compile::{CompileMode, compile_module, disassemble, verify};

fn compile(name: &str, text: &str, mode: Mode) -> Result<Arc<CodeProto>, SyntaxError> {
    let module = parse(text, mode)?;
    let source = Arc::new(SourceInfo::new(name, text));
    let code = compile_module(&module, source, CompileMode::default())?;
    verify(&code).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    Ok(code)
}

fn cases(extension: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compiler");
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("the directory of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == extension))
        .collect();
    files.sort();
    files
}

/// Each `NAME.ms` compiles to `NAME.dis`. Regenerate with `UPDATE_GOLDEN=1 cargo test -p
/// miniscript-vm --test compiler`.
#[test]
fn disassemblies() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for path in cases("ms") {
        let text = fs::read_to_string(&path).expect("a case");
        let code = compile("case.ms", &text, Mode::Module)
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let head = "# UPDATE_GOLDEN=1 cargo test -p miniscript-vm --test compiler\n";
        let shown = format!("{head}{}", disassemble(&code));
        let golden = path.with_extension("dis");
        if update {
            fs::write(&golden, shown).expect("golden written");
        } else if fs::read_to_string(&golden).unwrap_or_default() != shown {
            wrong.push(format!("{}:\n{shown}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `errors.txt` holds sources and CPython's messages: `line:column-line:column message`, then the source.
#[test]
fn errors() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compiler/errors.txt");
    let text = fs::read_to_string(path).expect("the list of errors");
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in text.split("\n---\n").filter(|c| !c.trim().is_empty()) {
        let (want, source) = case.trim_start_matches('\n').split_once('\n').expect("two parts");
        let source = format!("{source}\n");
        count += 1;
        let got = match compile("case.ms", &source, Mode::Module) {
            Ok(_) => "no error".to_owned(),
            Err(e) => {
                let index = miniscript_syntax::Source::new(&source);
                let (a, b) = (index.position(e.span.start), index.position(e.span.end));
                format!("{}:{}-{}:{} {}", a.line, a.column, b.line, b.column, e.message)
            }
        };
        if got != want {
            wrong.push(format!("want {want}\ngot  {got}\n{source}"));
        }
    }
    assert!(count > 40, "only {count} cases");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Compiles every file below the directory that `MS_PYTHON_LIB` names (a Python library).
#[test]
fn corpus() {
    let Some(root) = std::env::var_os("MS_PYTHON_LIB") else { return };
    let mut todo = vec![PathBuf::from(root)];
    let mut wrong = Vec::new();
    let (mut files, mut words) = (0, 0usize);
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            let shown = path.display().to_string();
            if path.is_dir() {
                todo.push(path);
                continue;
            }
            // Files that are wrong on purpose.
            if !(shown.ends_with(".py") || shown.ends_with(".ms"))
                || shown.contains("bad")
                || shown.contains("test_lib2to3/")
            {
                continue;
            }
            let Ok(text) = fs::read_to_string(&path) else { continue };
            files += 1;
            match compile(&shown, &text, Mode::Module) {
                Ok(code) => words += disassemble(&code).len(),
                Err(e) => wrong.push(format!("{shown}: {e} at {:?}", e.span)),
            }
        }
    }
    println!("{files} files, {words} characters of disassembly");
    assert!(files > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lazy annotations are in normal form: `annotations.txt` holds source, tab, CPython's text.
#[test]
fn lazy_annotations() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compiler/annotations.txt");
    let text = fs::read_to_string(path).expect("the list of annotations");
    for line in text.lines() {
        let (source, want) = line.split_once('\t').expect("two columns");
        let code = module(&format!("from __future__ import annotations\na: {source}\n"));
        let found =
            code.consts.iter().any(|c| matches!(c, Const::Str(s) if **s == *want.as_bytes()));
        assert!(found, "{want}: {:?}", code.consts);
    }
}

fn module(text: &str) -> Arc<CodeProto> {
    compile("case.ms", text, Mode::Module).unwrap_or_else(|e| {
        panic!("{e} at {:?}: {}", e.span, text.chars().take(90).collect::<String>())
    })
}

/// No limit of the encoding reaches a program.
#[test]
fn large_programs() {
    let elifs: String = (0..100_000).map(|i| format!("elif x == {i}:\n    y = {i}\n")).collect();
    module(&format!(
        "def f(x):\n  if x:\n    pass\n{}",
        elifs.replace("elif", "  elif").replace("    y", "      y")
    ));
    module(&format!("x = 1{}\n", " + a".repeat(1_000_000)));
    module(&format!("x = a{}\n", " < b".repeat(100_000)));
    module(&(0..70_000).map(|i| format!("x = {i}.5\n")).collect::<String>());
    let list: Vec<String> = (0..3_000_000).map(|i| i.to_string()).collect();
    module(&format!("x = [{}]\n", list.join(",")));
    module(&format!("x = [y, {}]\n", list[..300_000].join(",")));
    let body: String = (0..100_000).map(|i| format!("    x = f({i}, x)\n")).collect();
    module(&format!("while x:\n{body}else:\n    y = 1\n"));
    module(&format!("def g(x):\n  for i in x:\n    pass\n    if i: continue\n{body}  return 1\n"));
}

/// Hundreds of locals, parameters, arguments, targets, and nests of calls.
#[test]
fn many_registers() {
    let names = |n: usize| (0..n).map(|i| format!("v{i}")).collect::<Vec<_>>();
    for n in [100, 127, 180, 181, 256, 300, 1000] {
        let list = names(n).join(", ");
        let sum = names(n).join(" + ");
        module(&format!(
            "def f({list}):\n    v{} = v3\n    g = lambda: v200\n    return f({list}), [{list}], {sum}\n",
            n - 1
        ));
        module(&format!(
            "def f(x):\n    {list} = x\n    del v1\n    for v{} in x: print(v5)\n    return f({list})\n",
            n - 1
        ));
        module(&format!(
            "def f(x):\n    [*a, {list}] = x\n    return f\"{}\"\n",
            names(n).iter().map(|v| format!("{{{v}}}-")).collect::<String>()
        ));
    }
    module(&format!("x = {}1{}\n", "f(y, ".repeat(190), ")".repeat(190)));
    module(&format!("x = {}1{}\n", "[a, ".repeat(190), "]".repeat(190)));
    module(&format!("x = {}z{}\n", "[x for x in ".repeat(40), "]".repeat(40)));
    module(&format!("x = {}z{}\n", "[".repeat(40), " for x in y]".repeat(40)));
}

/// The deepest trees that the parser lets through fit an ordinary thread's stack.
#[test]
fn deep_trees() {
    module(&format!("x = {}z\n", "lambda: ".repeat(900)));
    module(&format!("x = {}z\n", "a if b else ".repeat(900)));
    module(&format!("x = {}z\n", "a ** ".repeat(900)));
    module(&format!("x = {}z\n", "not ".repeat(900)));
    module(&format!("x = a{}\n", ".b[c](d)".repeat(300)));
    let mut text = String::new();
    for depth in 0..95 {
        let class = if depth % 2 == 0 { "class A" } else { "def f()" };
        text += &format!("{}{class}:\n", " ".repeat(depth));
    }
    text += &format!("{}x = {}z\n", " ".repeat(95), "lambda: ".repeat(800));
    module(&text);
}

/// Copies of nested `finally` bodies stay within reason.
#[test]
fn nested_finally() {
    let mut text = "def f():\n".to_owned();
    for depth in 1..=18 {
        text += &format!(
            "{}try: return g({depth})\n{}finally:\n",
            " ".repeat(depth),
            " ".repeat(depth)
        );
    }
    text += &format!("{}h()\n", " ".repeat(19));
    // Compiles or says that it is too much, in reasonable time.
    let started = std::time::Instant::now();
    if let Err(e) = compile("case.ms", &text, Mode::Module) {
        assert!(e.message.contains("too"), "{}", e.message);
    }
    assert!(started.elapsed().as_secs() < 60);
}
