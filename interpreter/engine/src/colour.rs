//! Colours of reports on a terminal, those of CPython 3.13.
//!
//! Reports are made as plain text and painted at the end, line by line, so that nothing that makes
//! or compares them needs to know.

const PLACE: &str = "\x1b[35m";
const FAULT: &str = "\x1b[1;31m";
const CLASS: &str = "\x1b[1;35m";
const RESET: &str = "\x1b[0m";

/// Whether reports on a terminal are painted: never under `NO_COLOR`, nor where the terminal says
/// that it can do nothing.
pub(crate) fn is_wanted() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Paints a traceback or a syntax error.
pub fn paint(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 128);
    // The message goes on to the next traceback or the end.
    let mut in_message = false;
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        let body = line.trim_start_matches([' ', '|', '+']);
        let margin = &line[..line.len() - body.len()];
        out.push_str(margin);
        let is_frame = body.starts_with("File \"") && margin.ends_with("  ");
        if is_frame || body.ends_with("Traceback (most recent call last):") {
            in_message = false;
        }
        if is_frame {
            frame(&mut out, body);
        } else if !in_message && !body.is_empty() && body.bytes().all(|b| b" ~^".contains(&b)) {
            painted(&mut out, FAULT, body);
        } else if !in_message && !margin.ends_with("  ") && class_of(body).is_some() {
            in_message = true;
            message(&mut out, body);
        } else {
            out.push_str(body);
        }
        out.push_str(end);
    }
    out
}

fn painted(out: &mut String, colour: &str, text: &str) {
    out.extend([colour, text, RESET]);
}

/// `File "NAME", line N, in FUNCTION`, of which the last part may be missing.
fn frame(out: &mut String, body: &str) {
    let Some((name, rest)) = body[6..].split_once("\", line ") else { return out.push_str(body) };
    out.push_str("File ");
    painted(out, PLACE, &format!("\"{name}\""));
    out.push_str(", line ");
    match rest.split_once(", in ") {
        Some((line, function)) => {
            painted(out, PLACE, line);
            out.push_str(", in ");
            painted(out, PLACE, function);
        }
        None => painted(out, PLACE, rest),
    }
}

/// The class that a message begins with: a dotted name before a colon or the end.
fn class_of(body: &str) -> Option<&str> {
    let name = body.split(": ").next()?.trim_end_matches(':');
    let is_name = |part: &str| {
        part.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || "_<>".contains(c))
    };
    name.split('.').all(is_name).then_some(name)
}

fn message(out: &mut String, body: &str) {
    let Some(class) = class_of(body) else { return out.push_str(body) };
    painted(out, CLASS, class);
    let rest = &body[class.len()..];
    if let Some(text) = rest.strip_prefix(": ") {
        out.push_str(": ");
        painted(out, PLACE, text);
    } else {
        out.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_faults_and_classes_are_painted() {
        let text = "Traceback (most recent call last):\n  File \"a.ms\", line 1, in <module>\n    \
                    f(x)\n    ~^^^\nm.Error: no: good\nanother line\n";
        let painted = "Traceback (most recent call last):\n  \
                       File \x1b[35m\"a.ms\"\x1b[0m, line \x1b[35m1\x1b[0m, in \
                       \x1b[35m<module>\x1b[0m\n    f(x)\n    \x1b[1;31m~^^^\x1b[0m\n\
                       \x1b[1;35mm.Error\x1b[0m: \x1b[35mno: good\x1b[0m\nanother line\n";
        assert_eq!(paint(text), painted);
    }

    #[test]
    fn what_is_no_report_stays_as_it_is() {
        for text in [
            "",
            "\n",
            "plain text here\n",
            "The above exception was the direct cause of \
                      the following exception:\n",
            "    x = 1\n",
        ] {
            assert_eq!(paint(text), text);
        }
    }

    #[test]
    fn nothing_is_lost() {
        let text = "  + Exception Group Traceback (most recent call last):\n  |   File \"a\", line 2\n  \
                    | ExceptionGroup: x (1 sub-exception)\n  +-+---------------- 1 ------------\n";
        let mut plain = paint(text);
        for code in [PLACE, FAULT, CLASS, RESET] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, text);
        assert_ne!(paint(text), text);
    }
}
