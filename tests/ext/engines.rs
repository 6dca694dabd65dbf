//! Cases with engines in this process: several VMs, their ends, their rights.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use miniscript_engine::access::{Grants, Right};
use miniscript_engine::vm::object::text::Str;
use miniscript_engine::{Config, Engine, Failure};

use super::Place;

/// The counters of the linked extension are those of the process.
static ALONE: Mutex<()> = Mutex::new(());

/// An engine with all rights, the C extensions, and `probe` linked in.
fn engine(place: &Place) -> Engine {
    let config = Config {
        ext_path: vec![place.c.clone()],
        linked: vec![ms_probe::descriptor()],
        ..Config::command()
    };
    Engine::new(config)
}

/// The text of an expression's value, or of the exception that it raises.
fn eval(engine: &mut Engine, text: &str) -> String {
    let (handle, raised) = match engine.eval(text) {
        Ok(value) => (value, false),
        Err(Failure::Raised(exception)) => (exception, true),
        Err(other) => return format!("{other:?}"),
    };
    let shown = if raised {
        let text = engine.exception_text(handle);
        text.lines().next_back().unwrap_or("").to_owned()
    } else {
        let value = engine.vm().handle(handle);
        let shown = value.and_then(|v| engine.vm().repr(v).ok());
        shown.and_then(|v| v.get::<Str>()).map_or_else(String::new, |s| s.to_display().into_owned())
    };
    engine.vm().release(handle);
    shown
}

fn run(engine: &mut Engine, text: &str) -> Result<(), String> {
    match engine.run_source(text, "<case>") {
        Ok(()) => Ok(()),
        Err(Failure::Raised(exception)) => Err(engine.exception_text(exception)),
        Err(other) => Err(format!("{other:?}")),
    }
}

fn equal(found: &str, wanted: &str) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("wanted {wanted}\n   got {found}")) }
}

pub fn two_vms(place: &Place) -> Result<(), String> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut one, mut two) = (engine(place), engine(place));
    for engine in [&mut one, &mut two] {
        run(engine, "import probe, cprobe")?;
    }
    equal(&eval(&mut one, "[probe.count_calls() for _ in 'abc']"), "[1, 2, 3]")?;
    equal(&eval(&mut two, "probe.count_calls(), cprobe.calls()"), "(1, 1)")?;
    equal(&eval(&mut one, "probe.count_calls(), cprobe.calls(), cprobe.calls()"), "(4, 1, 2)")?;
    run(&mut one, "probe.keep([1]); cprobe.keep('one')")?;
    run(&mut two, "probe.keep([2]); cprobe.keep('two')")?;
    equal(&eval(&mut one, "probe.kept(), cprobe.kept()"), "([1], 'one')")?;
    equal(&eval(&mut two, "probe.kept(), cprobe.kept()"), "([2], 'two')")?;
    equal(&eval(&mut two, "cprobe.counters()[0]"), "2")?;
    drop(one);
    equal(&eval(&mut two, "cprobe.counters()[0], probe.kept()"), "(1, [2])")
}

pub fn foreign_handle(place: &Place) -> Result<(), String> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut one, mut two) = (engine(place), engine(place));
    run(&mut one, "import cprobe\ncprobe.stash([1])")?;
    equal(
        &eval(&mut one, "cprobe.fetch()"),
        "RuntimeError: an extension used a handle that has ended",
    )?;
    run(&mut two, "import cprobe")?;
    equal(
        &eval(&mut two, "cprobe.fetch()"),
        "RuntimeError: an extension used a handle of another VM",
    )?;
    run(&mut one, "cprobe.stash(5)")?;
    equal(&eval(&mut two, "cprobe.fetch()"), "5")
}

pub fn endings(place: &Place) -> Result<(), String> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let states = ms_probe::LIVE_STATES.load(Ordering::SeqCst);
    let mut first = engine(place);
    run(&mut first, "import probe\nprobe.reset_dropped()")?;
    let mut second = engine(place);
    // Objects, a cycle, a task in a future that borrows its object, one in a callback, and kept
    // values are all there when the VM ends.
    run(
        &mut second,
        "import probe, cprobe\n\
         counters = [probe.Counter(i) for i in range(5)]\n\
         node = probe.Node(); node.append(node); node.append(counters)\n\
         probe.keep(node)\n\
         boxes = [cprobe.Box(i) for i in range(7)]\n\
         sleeper = probe.Sleeper()\n\
         tasks = [go(sleeper.nap, 10**6), go(probe.forever), go(cprobe.nap, 10**6)]\n\
         tasks.append(go(probe.twice, lambda x: sleep(1000), 1))\n\
         sleep(0.01)\n\
         before = cprobe.counters()",
    )?;
    equal(&eval(&mut first, "probe.dropped('Counter'), probe.dropped('forever')"), "(0, 0)")?;
    let boxes: usize = eval(&mut second, "before[1]").parse().map_err(|_| "no number")?;
    let futures: usize = eval(&mut second, "before[2]").parse().map_err(|_| "no number")?;
    drop(second);
    equal(
        &eval(&mut first, "[probe.dropped(n) for n in ['Counter', 'Node', 'Sleeper', 'forever']]"),
        "[5, 1, 1, 1]",
    )?;
    run(&mut first, "import cprobe")?;
    equal(
        &eval(&mut first, "cprobe.counters()[1:3]"),
        &format!("({}, {})", boxes + 7, futures + 1),
    )?;
    drop(first);
    let left = ms_probe::LIVE_STATES.load(Ordering::SeqCst);
    if left == states { Ok(()) } else { Err(format!("{} states were not ended", left - states)) }
}

pub fn outlived(place: &Place) -> Result<(), String> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut first = engine(place);
    run(&mut first, "import probe\nprobe.reset_dropped()")?;
    run(&mut first, "probe.park(probe.Counter(3), ['kept'])")?;
    equal(&eval(&mut first, "probe.parked(), probe.parked_value()"), "(3, ['kept'])")?;
    run(&mut first, "w = [probe.Watcher(probe.Counter(i % 100)) for i in range(300)]")?;
    drop(first);
    let mut second = engine(place);
    run(&mut second, "import probe")?;
    equal(&eval(&mut second, "probe.dropped('Counter'), probe.dropped('Watcher')"), "(301, 300)")?;
    // Objects end in any order; those that come later find that it is over.
    equal(&eval(&mut second, "0 < probe.dropped('Watcher without Counter') <= 300"), "True")?;
    equal(&eval(&mut second, "probe.parked()"), "RuntimeError: 'Counter' object has ended")?;
    equal(
        &eval(&mut second, "probe.parked_value()"),
        "RuntimeError: an extension used a handle of another VM",
    )?;
    run(&mut second, "probe.unpark()\nprobe.park(probe.Counter(4), 5)")?;
    drop(second);
    let mut third = engine(place);
    run(&mut third, "import probe\nprobe.park(probe.Counter(5), 6)")?;
    equal(&eval(&mut third, "probe.parked()"), "5")
}

pub fn retried(place: &Place) -> Result<(), String> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut engine = engine(place);
    let import = "__import__('probe').ANSWER";
    for _ in 0..3 {
        ms_probe::FAIL_NEXT_INIT.store(true, Ordering::SeqCst);
        equal(
            &eval(&mut engine, import),
            "ImportError: cannot import the extension 'probe': its init raised ProbeError: init was told to fail",
        )?;
    }
    run(&mut engine, "import gc\ngc.collect()\nsubclasses = len(object.__subclasses__())")?;
    equal(&eval(&mut engine, import), "42")?;
    equal(&eval(&mut engine, "len(object.__subclasses__()) == subclasses"), "True")?;
    equal(&eval(&mut engine, "__import__('probe').Counter(3).add()"), "4")
}

pub fn granted(place: &Place) -> Result<(), String> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let with = |granted: &[&str]| {
        let mut grants = Grants::default();
        for name in granted {
            grants.grant(Right::Ext, name).map_err(|error| error.to_string())?;
        }
        let config = Config {
            ext_path: vec![place.c.clone()],
            linked: vec![ms_probe::descriptor()],
            access: std::sync::Arc::new(grants),
            ..Config::default()
        };
        Ok::<_, String>(Engine::new(config))
    };
    for granted in [&[][..], &["other"]] {
        equal(
            &eval(&mut with(granted)?, "__import__('cprobe').add(2)"),
            "ImportError: loading the extension 'cprobe', which is native code, is not granted to \
             this program",
        )?;
    }
    equal(&eval(&mut with(&["cprobe"])?, "__import__('cprobe').add(2)"), "42")?;
    // One that is linked into the program is its own code; what it may do is another question.
    let mut restricted = with(&[])?;
    run(&mut restricted, "import probe")?;
    for right in ["net", "read", "write", "env", "run"] {
        let answer = eval(&mut restricted, &format!("probe.ask('{right}')"));
        if !answer.starts_with("PermissionError: ") {
            return Err(format!("{right}: {answer}"));
        }
    }
    let answer = eval(&mut restricted, "probe.read_file('/etc/hostname')");
    if !answer.starts_with("PermissionError: ") {
        return Err(answer);
    }
    equal(&eval(&mut engine(place), "__import__('probe').ask('net')"), "True")
}
