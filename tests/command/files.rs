//! Writing whole files where it can go wrong, and files that make others wait.

use std::fs;

use crate::support::{check, run_in, scratch, shell};

#[cfg(unix)]
#[test]
fn a_written_file_keeps_its_mode_and_the_target_of_a_link() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let directory = scratch();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("target.txt"), "old").expect("a file");
    fs::set_permissions(at("target.txt"), fs::Permissions::from_mode(0o640)).expect("a mode");
    std::os::unix::fs::symlink("target.txt", at("link.txt")).expect("a link");
    fs::hard_link(at("target.txt"), at("hard.txt")).expect("a link");
    let program = "import file\nfile.write('link.txt', 'new')\nprint(file.read('target.txt'))";
    check(&run_in(directory.path(), &["-c", program], ""), 0, "new\n", "");
    let meta = fs::symlink_metadata(at("link.txt")).expect("the link");
    assert!(meta.file_type().is_symlink());
    let meta = fs::metadata(at("target.txt")).expect("the file");
    assert_eq!(meta.mode() & 0o777, 0o640);
    let names = fs::read_dir(directory.path()).expect("a directory").count();
    assert_eq!(names, 3);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_old_content_and_nothing_else() {
    // A limit on the size of files stands for the disk: the write fails in its middle.
    let program = "import file\n\
                   file.write('a.txt', 'old')\n\
                   for write in (lambda: file.write('a.txt', 'x' * 3_000_000), \
                   lambda: file.write('new.txt', 'x' * 3_000_000)):\n\
                   \x20 try:\n    write()\n\
                   \x20 except OSError as error:\n    print(error)\n\
                   print(file.read('a.txt'), [e.name for e in file.list_dir('.')])\n";
    let outcome = shell(&format!(
        "cat > s.ms <<'END'\n{program}END\nulimit -f 1000; mkdir d; cd d; \"$MS\" ../s.ms"
    ));
    let failed = "[Errno 27] File too large: ";
    let expected = format!("{failed}'a.txt'\n{failed}'new.txt'\nold ['a.txt']\n");
    check(&outcome, 0, &expected, "");
}

#[cfg(target_os = "linux")]
#[test]
fn open_tells_of_a_full_disk_at_the_latest_when_it_closes() {
    for program in [
        "f = open('/dev/full', 'w')\nf.write('x')\nf.close()",
        "with open('/dev/full', 'w') as f: f.write('x' * 10**6)",
        "print('x', file=open('/dev/full', 'w'), flush=True)",
        "import file\nfile.append('/dev/full', 'x')",
    ] {
        let outcome = shell(&format!("\"$MS\" -c \"{program}\""));
        let last = outcome.stderr.lines().next_back().unwrap_or("");
        assert!(
            last.starts_with("OSError: [Errno 28] No space left on device"),
            "{program}: {outcome:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_slow_fifo_delays_no_other_task() {
    let program = "import time\n\
                   def reader():\n    with open('fifo') as f: return f.read()\n\
                   slow = go(reader)\n\
                   for n in range(20): sleep(0.001)\n\
                   open('b.txt', 'w').write('other files go on')\n\
                   print(open('b.txt').read(), slow.done, flush=True)\n\
                   print(slow.result())\n";
    let outcome = shell(&format!(
        "mkfifo fifo; cat > s.ms <<'END'\n{program}END\n\
         \"$MS\" s.ms > out & exec 3>fifo; \
         for i in $(seq 500); do grep -q go out && break; sleep 0.01; done; \
         echo late >&3; exec 3>&-; wait; cat out"
    ));
    check(&outcome, 0, "other files go on False\nlate\n\n", "");
}

#[test]
fn what_is_left_open_is_written_at_the_end() {
    let directory = scratch();
    for (end, status) in [("", 0), ("1/0", 1), ("import sys; sys.exit(3)", 3)] {
        let program = format!("f = open('a.txt', 'w')\nf.write('kept')\n{end}");
        let outcome = run_in(directory.path(), &["-c", &program], "");
        assert_eq!(outcome.ending, miniscript_tests::Ending::Exit(status), "{outcome:?}");
        let text = fs::read_to_string(directory.path().join("a.txt")).expect("the file");
        assert_eq!(text, "kept", "{end}");
    }
}
