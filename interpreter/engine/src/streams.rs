//! Standard output and error: buffered here, so that a write is a copy and not a system call.

use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const CAPACITY: usize = 64 << 10;

/// When a stream writes out what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffering {
    /// When the buffer is full.
    Full,
    /// At the end of each line.
    Line,
    /// At once.
    None,
}

/// An output stream.
pub struct OutputStream {
    sink: RefCell<Box<dyn Write>>,
    /// Shared with those who save it when the process is ended (see [`OutputStream::held`]).
    buffer: Arc<Mutex<Vec<u8>>>,
    buffering: Cell<Buffering>,
    broken: Cell<bool>,
    terminal: bool,
    colour: bool,
}

impl OutputStream {
    /// A stream into `sink`.
    pub fn new(sink: Box<dyn Write>, buffering: Buffering) -> OutputStream {
        OutputStream {
            sink: RefCell::new(sink),
            buffer: Arc::default(),
            buffering: Cell::new(buffering),
            broken: Cell::new(false),
            terminal: false,
            colour: false,
        }
    }

    /// The process's standard output: line by line on a terminal.
    pub fn stdout() -> OutputStream {
        let terminal = io::stdout().is_terminal();
        let buffering = if terminal { Buffering::Line } else { Buffering::Full };
        OutputStream { terminal, ..OutputStream::new(Box::new(io::stdout()), buffering) }
    }

    /// The process's standard error, not buffered.
    pub fn stderr() -> OutputStream {
        let terminal = io::stderr().is_terminal();
        let colour = terminal && crate::colour::is_wanted();
        let stream = OutputStream::new(Box::new(io::stderr()), Buffering::None);
        OutputStream { terminal, colour, ..stream }
    }

    /// Whether reports on it are in colours.
    pub fn has_colour(&self) -> bool {
        self.colour
    }

    /// Whether it is the process's terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether the reader has gone away.
    pub fn is_broken(&self) -> bool {
        self.broken.get()
    }

    /// Takes bytes; writes them out as the buffering says.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match self.buffering.get() {
            Buffering::None => return self.write_out(bytes),
            Buffering::Line if bytes.contains(&b'\n') => {
                self.buffer().extend_from_slice(bytes);
                return self.flush();
            }
            _ => {}
        }
        let held = self.buffer().len();
        if held + bytes.len() > CAPACITY {
            self.flush()?;
            if bytes.len() >= CAPACITY {
                return self.write_out(bytes);
            }
        }
        self.buffer().extend_from_slice(bytes);
        Ok(())
    }

    /// Writes out what is held. What cannot be written is dropped, so that nobody tries again.
    pub fn flush(&self) -> io::Result<()> {
        let held = std::mem::take(&mut *self.buffer());
        if held.is_empty() {
            return Ok(());
        }
        let result = self.write_out(&held);
        let mut buffer = self.buffer();
        if buffer.is_empty() {
            *buffer = held;
            buffer.clear();
        }
        result
    }

    /// What it holds, for another thread that ends the process.
    pub fn held(&self) -> Arc<Mutex<Vec<u8>>> {
        Arc::clone(&self.buffer)
    }

    /// The buffer. Nobody panics while holding it.
    fn buffer(&self) -> MutexGuard<'_, Vec<u8>> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        let mut sink = self.sink.borrow_mut();
        let result = sink.write_all(bytes).and_then(|()| sink.flush());
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            self.broken.set(true);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_buffering_writes_out_when_it_says() -> io::Result<()> {
        let sink = Shared::default();
        let seen = |sink: &Shared| String::from_utf8_lossy(&sink.0.borrow()).into_owned();
        let full = OutputStream::new(Box::new(sink.clone()), Buffering::Full);
        full.write(b"a\n")?;
        assert_eq!(seen(&sink), "");
        full.flush()?;
        assert_eq!(seen(&sink), "a\n");
        let line = OutputStream::new(Box::new(sink.clone()), Buffering::Line);
        line.write(b"b")?;
        assert_eq!(seen(&sink), "a\n");
        line.write(b"c\nd")?;
        assert_eq!(seen(&sink), "a\nbc\nd");
        let big = vec![b'x'; CAPACITY];
        full.write(b"e")?;
        full.write(&big)?;
        assert_eq!(sink.0.borrow().len(), 7 + CAPACITY);
        Ok(())
    }
}
