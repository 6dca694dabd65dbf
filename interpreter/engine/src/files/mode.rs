//! The arguments of Python's `open`, checked in CPython's words.

use miniscript_vm::text::codec::{Encoding, Handler};

use super::byte_stream::DEFAULT_BUFFER;
use super::coding;
use super::error::{FileError, FileResult};
use super::ops::How;
use super::text_stream::Newline;

/// The arguments as a script gives them, beside the path.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Copy, Debug)]
pub struct OpenArgs<'a> {
    pub mode: &'a str,
    /// -1: as usual; 0: none; 1: by line; else the size.
    pub buffering: i64,
    pub encoding: Option<&'a str>,
    pub errors: Option<&'a str>,
    pub newline: Option<&'a str>,
}

impl Default for OpenArgs<'_> {
    fn default() -> Self {
        OpenArgs { mode: "r", buffering: -1, encoding: None, errors: None, newline: None }
    }
}

/// The layer of text over the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TextMode {
    pub(super) encoding: Encoding,
    pub(super) errors: Handler,
    pub(super) newline: Newline,
    /// The names of the encoding and of the error handler as they were given.
    pub(super) names: [String; 2],
}

/// What the arguments mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenMode {
    pub(super) mode: String,
    pub(super) how: How,
    pub(super) text: Option<Box<TextMode>>,
    pub(super) buffer_size: usize,
    /// `None`: if it is a terminal.
    pub(super) line_buffering: Option<bool>,
}

impl OpenMode {
    /// Checks the arguments.
    pub fn parse(args: &OpenArgs<'_>) -> FileResult<OpenMode> {
        let value = |text: &str| Err(FileError::Value(text.into()));
        let mode = args.mode;
        let has = |c: char| mode.contains(c);
        let mut seen = Vec::new();
        for c in mode.chars() {
            if !"axrwb+t".contains(c) || seen.contains(&c) {
                return value(&format!("invalid mode: '{mode}'"));
            }
            seen.push(c);
        }
        if has('t') && has('b') {
            return value("can't have text and binary mode at once");
        }
        match seen.iter().filter(|c| "axrw".contains(**c)).count() {
            0 => {
                return value(
                    "Must have exactly one of create/read/write/append mode and at most one plus",
                );
            }
            1 => {}
            _ => return value("must have exactly one of create/read/write/append mode"),
        }
        let binary = has('b');
        if binary && args.encoding.is_some() {
            return value("binary mode doesn't take an encoding argument");
        }
        if binary && args.errors.is_some() {
            return value("binary mode doesn't take an errors argument");
        }
        if binary && args.newline.is_some() {
            return value("binary mode doesn't take a newline argument");
        }
        if args.buffering < -1 {
            return value("invalid buffering size");
        }
        if args.buffering == 0 && !binary {
            return value("can't have unbuffered text I/O");
        }
        let text = if binary {
            None
        } else {
            let encoding = args.encoding.filter(|name| *name != "locale").unwrap_or("UTF-8");
            Some(Box::new(TextMode {
                encoding: coding::encoding(args.encoding)?,
                errors: coding::handler(args.errors)?,
                newline: Newline::by_value(args.newline)?,
                names: [encoding, args.errors.unwrap_or("strict")].map(str::to_owned),
            }))
        };
        let plus = has('+');
        let how = How {
            read: has('r') || plus,
            write: has('w') || has('x') || plus,
            append: has('a'),
            create: has('w') || has('a'),
            create_new: has('x'),
            truncate: has('w'),
            nonblocking: false,
        };
        let buffer_size = match args.buffering {
            -1 | 1 => DEFAULT_BUFFER,
            size => usize::try_from(size).unwrap_or(DEFAULT_BUFFER).min(1 << 24),
        };
        let line_buffering = match args.buffering {
            1 => Some(true),
            -1 => None,
            _ => Some(false),
        };
        // A binary file tells its mode in normal form, a text file as it was given.
        let kind = match () {
            () if has('a') => 'a',
            () if has('x') => 'x',
            () if has('w') && !plus => 'w',
            () => 'r',
        };
        let mode = match (binary, plus) {
            (false, _) => mode.to_owned(),
            (true, false) => format!("{kind}b"),
            (true, true) => format!("{kind}b+"),
        };
        Ok(OpenMode { mode, how, text, buffer_size, line_buffering })
    }

    /// Bytes without a buffer: each read and write is one of the system.
    pub fn raw(how: How) -> OpenMode {
        let mode = "rb".into();
        OpenMode { mode, how, text: None, buffer_size: 0, line_buffering: None }
    }

    /// Whether the file is read and written as text.
    pub fn is_text(&self) -> bool {
        self.text.is_some()
    }
}
