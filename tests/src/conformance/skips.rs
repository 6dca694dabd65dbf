//! The tables of tests that are not run: a name, in which one `*` stands for anything, then the
//! reason. `#` begins a comment.

use std::path::Path;

use super::read;

/// One table.
#[derive(Debug, Default)]
pub(super) struct Skips {
    rows: Vec<(String, String)>,
}

impl Skips {
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        Self::parse(&read(path)?)
            .map_err(|line| format!("{}: no reason is given in the line {line:?}", path.display()))
    }

    /// Why the test is not run.
    pub(super) fn reason(&self, name: &str) -> Option<&str> {
        let row = self.rows.iter().find(|(pattern, _)| match pattern.split_once('*') {
            Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
            None => name == pattern,
        });
        row.map(|(_, reason)| reason.as_str())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim);
        let rows = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
            let (pattern, reason) = line.split_once(char::is_whitespace).ok_or(line)?;
            Ok((pattern.to_owned(), reason.trim().to_owned()))
        });
        Ok(Self { rows: rows.collect::<Result<_, &str>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns_have_reasons() {
        let skips =
            Skips::parse("# why\n\nbasics/a  one reason\ntest_x.C.* another\nx.*.z third\n");
        let skips = skips.expect("the table is well-formed");
        assert_eq!(skips.reason("basics/a"), Some("one reason"));
        assert_eq!(skips.reason("basics/ab"), None);
        assert_eq!(skips.reason("test_x.C.test_y"), Some("another"));
        assert_eq!(skips.reason("x.y.z"), Some("third"));
        assert_eq!(skips.reason("x.y.zz"), None);
    }

    #[test]
    fn a_line_without_a_reason_is_refused() {
        assert_eq!(Skips::parse("basics/a\n").expect_err("no reason"), "basics/a");
    }
}
