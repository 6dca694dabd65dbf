//! What a script file says about itself in comments.
//!
//! Owns the grammar of the directives. `tests/recheck.py` reads the same grammar, since it
//! asks CPython for a second opinion; `tests/README.md` describes it for people.

use std::fmt;
use std::time::Duration;

/// Everything a script expects of its run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expectations {
    /// The lines of standard output, in the order of their `# expect:` comments.
    pub stdout: Vec<String>,
    /// The last line of standard error, when the script ends with an uncaught error.
    pub error: Option<String>,
    /// The exit status, when it is not the usual one (0, or 1 with an uncaught error).
    pub exit: Option<i32>,
    /// Lines for standard input.
    pub stdin: Vec<String>,
    /// Arguments for the script.
    pub args: Vec<String>,
    /// Flags for `ms` itself, before the script's name.
    pub flags: Vec<String>,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// The time limit, when the usual one does not do.
    pub time_limit: Option<Duration>,
}

/// A directive that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadDirective {
    /// Line number, from 1.
    pub line: usize,
    /// The text after the `#`.
    pub text: String,
}

impl fmt::Display for BadDirective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: cannot understand the directive '# {}'", self.line, self.text)
    }
}

impl Expectations {
    /// Reads the directives of a script's text.
    pub fn parse(source: &str) -> Result<Self, BadDirective> {
        let mut found = Self::default();
        for (index, line) in source.lines().enumerate() {
            if let Some(comment) = line.trim_start().strip_prefix("# ") {
                found.header(comment, index + 1)?;
            }
            if let Some(at) = expect_comment(line) {
                found.expect(&line[at..], index + 1)?;
            }
        }
        Ok(found)
    }

    /// The exit status this script must end with.
    pub fn exit_status(&self) -> i32 {
        self.exit.unwrap_or(if self.error.is_some() { 1 } else { 0 })
    }

    /// Directives that stand on a line of their own.
    fn header(&mut self, comment: &str, line: usize) -> Result<(), BadDirective> {
        let Some((name, rest)) = comment.split_once(':') else { return Ok(()) };
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let bad = || BadDirective { line, text: comment.to_owned() };
        match name {
            "stdin" => self.stdin.push(rest.to_owned()),
            "args" => self.args.extend(rest.split_whitespace().map(str::to_owned)),
            "flags" => self.flags.extend(rest.split_whitespace().map(str::to_owned)),
            "env" => {
                let (key, value) = rest.split_once('=').ok_or_else(bad)?;
                self.env.push((key.trim().to_owned(), value.to_owned()));
            }
            "time-limit" => {
                let seconds = rest.trim().parse().map_err(|_| bad())?;
                self.time_limit = Some(Duration::from_secs(seconds));
            }
            _ => {}
        }
        Ok(())
    }

    fn expect(&mut self, directive: &str, line: usize) -> Result<(), BadDirective> {
        let bad = || BadDirective { line, text: directive.to_owned() };
        let (kind, rest) = directive.split_once(':').ok_or_else(bad)?;
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match kind {
            "expect" => self.stdout.push(rest.to_owned()),
            "expect error" if self.error.is_none() => self.error = Some(rest.to_owned()),
            "expect exit" if self.exit.is_none() => {
                self.exit = Some(rest.trim().parse().map_err(|_| bad())?);
            }
            _ => return Err(bad()),
        }
        Ok(())
    }
}

/// Where the text of an `# expect` comment starts in a line, if it has one.
fn expect_comment(line: &str) -> Option<usize> {
    line.match_indices("# expect")
        .find(|&(at, marker)| {
            let before = line[..at].chars().next_back();
            let after = line[at + marker.len()..].chars().next();
            before.is_none_or(char::is_whitespace) && matches!(after, Some(':' | ' '))
        })
        .map(|(at, _)| at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(source: &str) -> Expectations {
        Expectations::parse(source).expect("directives are well formed")
    }

    #[test]
    fn output_lines_come_in_the_order_of_the_comments() {
        let found = parsed(
            "print(1)  # expect: 1\nfor x in 'ab':\n    print(x)\n# expect: a\n# expect: b\n",
        );
        assert_eq!(found.stdout, ["1", "a", "b"]);
        assert_eq!(found.exit_status(), 0);
    }

    #[test]
    fn an_error_changes_the_exit_status_unless_one_is_given() {
        let found = parsed("1/0  # expect error: ZeroDivisionError: division by zero\n");
        assert_eq!(found.error.as_deref(), Some("ZeroDivisionError: division by zero"));
        assert_eq!(found.exit_status(), 1);
        assert_eq!(parsed("raise SystemExit(3)  # expect exit: 3\n").exit_status(), 3);
    }

    #[test]
    fn headers_carry_input_arguments_flags_and_environment() {
        let found =
            parsed("# stdin: one\n# stdin:\n# args: -x  y\n# flags: --sandbox\n# env: A=b c\n");
        assert_eq!(found.stdin, ["one", ""]);
        assert_eq!(found.args, ["-x", "y"]);
        assert_eq!(found.flags, ["--sandbox"]);
        assert_eq!(found.env, [("A".to_owned(), "b c".to_owned())]);
    }

    #[test]
    fn an_empty_line_and_leading_spaces_are_kept() {
        assert_eq!(parsed("print()  # expect:\nprint('  x')  # expect:   x\n").stdout, ["", "  x"]);
    }

    #[test]
    fn a_misspelt_directive_is_refused() {
        let bad = Expectations::parse("x = 1\nprint(x)  # expect eror: boom\n").unwrap_err();
        assert_eq!(bad.line, 2);
        assert!(Expectations::parse("# env: nothing\n").is_err());
        assert!(Expectations::parse("# expect error: a\n# expect error: b\n").is_err());
    }
}
