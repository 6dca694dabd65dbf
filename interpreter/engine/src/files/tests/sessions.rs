//! Replays sessions with file objects whose answers CPython gave (`testdata/file_ops.py`).

use std::rc::Rc;

use super::{OpenArgs, OpenFile, World};
use crate::files::FileResult;

const SESSIONS: &str = include_str!("../testdata/file_ops.txt");

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
}

fn show(data: &[u8]) -> String {
    if data.len() <= 300 {
        let digits: String = data.iter().map(|b| format!("{b:02x}")).collect();
        return format!("x{digits}");
    }
    let sum = data.iter().zip(1u64..).fold(0u64, |sum, (b, i)| sum + i * u64::from(*b));
    format!("s{}:{}", data.len(), sum % (1 << 32))
}

fn answer<T>(outcome: FileResult<T>, shown: impl FnOnce(T) -> String) -> String {
    match outcome {
        Ok(value) => shown(value),
        Err(error) => format!("! {}: {error}", error.class()),
    }
}

fn perform(world: &World, file: &OpenFile, words: &[&str]) -> String {
    let number = |at: usize| words[at].parse::<i64>().unwrap();
    let limit = |at: usize| usize::try_from(number(at)).ok();
    let bytes = |data: Vec<u8>| show(&data);
    let position = |n: u64| n.to_string();
    match words[0] {
        "read" => answer(world.wait(|t| file.poll_read(t, limit(1))), bytes),
        "readall" => answer(world.wait(|t| file.poll_read(t, None)), bytes),
        "readline" => answer(world.wait(|t| file.poll_read_line(t, limit(1))), bytes),
        "next" => answer(world.wait(|t| file.poll_next_line(t)), bytes),
        "write" => {
            let data = match words[1] {
                "z" => [&[b'z'; 9000][..], b"\n"].concat(),
                hex => unhex(&hex[1..]),
            };
            let mut taken = false;
            let outcome = world.wait(|t| file.poll_write(t, &data, &mut taken));
            answer(outcome, |n| n.to_string())
        }
        "seek" => {
            let whence = number(2) as u32;
            answer(world.wait(|t| file.poll_seek(t, number(1), whence)), position)
        }
        "tell" => answer(world.wait(|t| file.poll_tell(t)), position),
        "truncate" => {
            let len = Some(number(1)).filter(|n| *n >= 0);
            answer(world.wait(|t| file.poll_truncate(t, len)), position)
        }
        "flush" => answer(world.wait(|t| file.poll_flush(t)), |()| "ok".into()),
        "close" => answer(world.wait(|t| file.poll_close(t)), |()| "ok".into()),
        other => panic!("unknown operation {other}"),
    }
}

#[test]
fn sessions_answer_as_cpython_does() {
    let world = World::new();
    let path = world.path("t");
    let mut file: Option<Rc<OpenFile>> = None;
    let (mut session, mut wrong, mut failed, mut checked) = (String::new(), vec![], false, 0);
    for line in SESSIONS.lines() {
        if let Some(case) = line.strip_prefix("case ") {
            let words: Vec<&str> = case.split(' ').collect();
            let [mode, encoding, errors, newline, buffering, content] = words[..] else {
                panic!("{line}");
            };
            drop(file.take());
            std::fs::remove_file(&path).ok();
            if let Some((times, hex)) = content.split_once('x') {
                let content = unhex(hex).repeat(times.parse().unwrap());
                std::fs::write(&path, content).unwrap();
            }
            let args = OpenArgs {
                mode,
                buffering: buffering.parse().unwrap(),
                encoding: Some(encoding).filter(|e| *e != "-"),
                errors: Some(errors).filter(|e| *e != "-"),
                newline: match newline {
                    "empty" => Some(""),
                    "n" => Some("\n"),
                    "r" => Some("\r"),
                    "rn" => Some("\r\n"),
                    _ => None,
                },
            };
            file = Some(world.open(&path, args).unwrap());
            session = format!("{line}\n");
            failed = false;
            continue;
        }
        let (operation, expected) = line.split_once(" = ").unwrap();
        if failed {
            continue;
        }
        let words: Vec<&str> = operation.split(' ').collect();
        let got = match words[0] {
            "end" => show(&std::fs::read(&path).unwrap()),
            _ => perform(&world, file.as_ref().unwrap(), &words),
        };
        session += &format!("{line}\n");
        checked += 1;
        if got != expected {
            wrong.push(format!("{session}got {got}"));
            failed = true;
        }
    }
    assert!(checked > 1000, "only {checked} answers were compared");
    assert!(wrong.is_empty(), "{} sessions differ:\n{}", wrong.len(), wrong.join("\n\n"));
}
