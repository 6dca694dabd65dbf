//! An extension written as an author would, run by the test host.

#![allow(unsafe_code)]

use miniscript_sdk as ms;
use miniscript_sdk::testing::{Py, Raised, Vm};
use ms::prelude::*;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Adds two numbers.
#[ms::function]
fn add(a: i64, #[ms(default = 2)] b: i64) -> Result<i64> {
    a.checked_add(b).ok_or_else(|| Error::new("OverflowError", "sum is too large"))
}

#[ms::function(positional, typed, pure)]
fn root(x: f64) -> Result<f64> {
    if x < 0.0 { Err(Error::value("math domain error")) } else { Ok(x.sqrt()) }
}

#[ms::function]
fn greet(name: &str, #[ms(keyword, default = "Hello")] greeting: String) -> String {
    format!("{greeting}, {name}!")
}

#[ms::function]
fn total(#[ms(args)] numbers: Vec<f64>, scale: Option<f64>) -> f64 {
    numbers.iter().sum::<f64>() * scale.unwrap_or(1.0)
}

#[ms::function]
fn named(#[ms(kwargs)] rest: BTreeMap<String, i64>) -> Vec<(String, i64)> {
    rest.into_iter().collect()
}

#[ms::function]
fn explode(what: String) {
    panic!("no {what}");
}

#[ms::function(calls_back)]
fn twice(cx: &Cx, callback: Value, x: Value) -> Result<Value> {
    let once = cx.call(callback, &[x])?;
    cx.call(callback, &[once])
}

#[ms::function(calls_back)]
fn class_of_error(cx: &Cx, callback: Value) -> Result<String> {
    match cx.call(callback, &[]) {
        Ok(_) => Ok("none".to_owned()),
        Err(error) => {
            let exception = cx.catch(error)?;
            cx.repr(exception)
        }
    }
}

#[ms::function]
async fn nap(ms: u64) -> Result<u64> {
    ms::time::sleep(Duration::from_millis(ms)).await?;
    Ok(ms)
}

#[ms::function]
async fn late_panic() -> Result<()> {
    ms::time::sleep(Duration::from_millis(1)).await?;
    panic!("too late");
}

#[ms::function]
async fn on_thread(n: u64) -> Result<u64> {
    ms::task::blocking(move || (1..=n).sum()).await
}

#[ms::function]
async fn call_later(callback: Kept, x: i64) -> Result<Kept> {
    ms::time::sleep(Duration::from_millis(1)).await?;
    ms::task::call(&callback, |cx| Ok(vec![cx.make(x)?])).await
}

#[ms::function]
fn echo_big(n: num_bigint::BigInt) -> num_bigint::BigInt {
    n * 2
}

#[ms::function]
fn stale() -> Value {
    // A handle that no host gave out.
    let mut raw = ms::abi::MsValue::NONE;
    raw.tag = ms::abi::MS_TAG_OBJECT;
    raw.payload = 77;
    Value::new(raw)
}

static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// Counts.
#[ms::class(subclassable)]
struct Counter {
    value: i64,
    watcher: Option<Kept>,
}

#[ms::methods]
impl Counter {
    /// The limit.
    const LIMIT: i64 = 100;

    #[ms(new)]
    fn new(#[ms(default = 0)] start: i64) -> Result<Self> {
        if start > Self::LIMIT {
            return Err(Error::value("too much"));
        }
        Ok(Self { value: start, watcher: None })
    }

    /// Adds.
    fn add(&mut self, #[ms(default = 1)] by: i64) -> i64 {
        self.value += by;
        self.value
    }

    #[ms(getter)]
    fn value(&self) -> i64 {
        self.value
    }

    #[ms(setter)]
    fn set_value(&mut self, value: i64) {
        self.value = value;
    }

    fn __len__(&self) -> i64 {
        self.value
    }

    fn watch(&mut self, cx: &Cx, watcher: Value) -> Result<()> {
        self.watcher = Some(watcher.keep_traced(cx)?);
        Ok(())
    }

    #[ms(calls_back)]
    fn during(&mut self, cx: &Cx, callback: Value) -> Result<Value> {
        cx.call(callback, &[])
    }

    #[ms(trace)]
    fn trace(&self, tracer: &mut ms::Tracer) {
        if let Some(watcher) = &self.watcher {
            tracer.visit(watcher);
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

#[ms::function]
fn state_name(cx: &Cx) -> Result<String> {
    cx.state::<String>().cloned().ok_or_else(|| Error::new("RuntimeError", "no state"))
}

fn init(_: &Cx) -> Result<String> {
    Ok("per VM".to_owned())
}

ms::module! {
    name: "sample",
    version: "1.2.3",
    doc: "A sample.",
    functions: [
        add, root, greet, total, named, explode, twice, class_of_error, nap, late_panic,
        on_thread, call_later, echo_big, stale, state_name,
    ],
    classes: [Counter],
    exceptions: { SampleError: "ValueError" },
    constants: { ANSWER: 42, TAU: f64 = std::f64::consts::TAU, NAME: "sample" },
    permissions: [("net", "")],
    init: init,
}

fn vm() -> Box<Vm> {
    Vm::new(descriptor()).expect("the module's init succeeds")
}

fn shown(result: std::result::Result<Py, Raised>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(raised) => format!("{}: {}", raised.class, raised.message),
    }
}

#[test]
fn arguments_bind_by_position_name_and_default() {
    let vm = vm();
    assert_eq!(shown(vm.call("add", &[Py::Int(1)], &[])), "3");
    assert_eq!(shown(vm.call("add", &[Py::Int(1)], &[("b", Py::Int(5))])), "6");
    assert_eq!(shown(vm.call("add", &[], &[("b", Py::Int(5)), ("a", Py::Int(2))])), "7");
    assert_eq!(
        shown(vm.call("add", &[], &[])),
        "TypeError: add() missing required argument 'a' (pos 1)"
    );
    assert_eq!(
        shown(vm.call("add", &[Py::Int(1)], &[("c", Py::Int(5))])),
        "TypeError: add() got an unexpected keyword argument 'c'"
    );
    assert_eq!(
        shown(vm.call("add", &[Py::Int(1)], &[("a", Py::Int(5))])),
        "TypeError: argument for add() given by name ('a') and position (1)"
    );
    assert_eq!(
        shown(vm.call("root", &[], &[])),
        "TypeError: sample.root() takes exactly one argument (0 given)"
    );
    assert_eq!(
        shown(vm.call("root", &[], &[("x", Py::Int(1))])),
        "TypeError: sample.root() takes no keyword arguments"
    );
    let greeting = [("greeting", Py::str("Bye"))];
    assert_eq!(shown(vm.call("greet", &[Py::str("Ann")], &greeting)), "'Bye, Ann!'");
    assert_eq!(shown(vm.call("greet", &[Py::str("Ann")], &[])), "'Hello, Ann!'");
    let numbers = [Py::Int(1), Py::Float(2.5)];
    assert_eq!(shown(vm.call("total", &numbers, &[("scale", Py::Int(2))])), "7.0");
    assert_eq!(shown(vm.call("named", &[], &[("x", Py::Int(1))])), "[('x', 1, )]");
}

#[test]
fn errors_and_mismatches_are_exceptions() {
    let vm = vm();
    let most = Py::Int(i64::MAX);
    assert_eq!(shown(vm.call("add", &[most], &[])), "OverflowError: sum is too large");
    assert_eq!(
        shown(vm.call("greet", &[Py::Int(1)], &[])),
        "TypeError: greet() argument 'name' must be str, not int"
    );
    assert_eq!(
        shown(vm.call("add", &[Py::str("x")], &[])),
        "TypeError: 'str' object cannot be interpreted as an integer"
    );
    assert_eq!(
        shown(vm.call("root", &[Py::str("x")], &[])),
        "TypeError: must be real number, not str"
    );
    assert_eq!(
        shown(vm.call("stale", &[], &[])),
        "RuntimeError: a value was used after its call ended"
    );
}

#[test]
fn a_panic_is_an_exception() {
    let vm = vm();
    let text = shown(vm.call("explode", &[Py::str("way")], &[]));
    assert!(text.starts_with("RuntimeError: native code of explode() panicked: no way"), "{text}");
    let text = shown(vm.call("late_panic", &[], &[]));
    assert!(text.starts_with("RuntimeError: native code of late_panic() panicked"), "{text}");
    assert_eq!(shown(vm.call("add", &[Py::Int(1)], &[])), "3");
    assert_eq!(vm.open_operations(), 0);
}

#[test]
fn a_typed_entry_gives_nan_where_the_call_raises() {
    let vm = vm();
    assert_eq!(vm.typed_f_f("root", 9.0), 3.0);
    assert!(vm.typed_f_f("root", -1.0).is_nan());
    assert_eq!(shown(vm.call("root", &[Py::Float(-1.0)], &[])), "ValueError: math domain error");
}

#[test]
fn callbacks_run_and_their_exceptions_pass() {
    let vm = vm();
    let double = Py::function(|_, args| match args {
        [Py::Int(n)] => Ok(Py::Int(n * 2)),
        _ => Err(Raised::new("TypeError", "wants an int")),
    });
    assert_eq!(shown(vm.call("twice", &[double.clone(), Py::Int(5)], &[])), "20");
    assert_eq!(
        shown(vm.call("twice", &[double.clone(), Py::None], &[])),
        "TypeError: wants an int"
    );
    let fails = Py::function(|_, _| Err(Raised::new("KeyError", "gone")));
    let text = shown(vm.call("class_of_error", &[fails], &[]));
    assert!(text.contains("KeyError"), "{text}");
    assert_eq!(shown(vm.call("call_later", &[double, Py::Int(4)], &[])), "8");
    assert_eq!(vm.retained(), 0);
}

#[test]
fn async_functions_suspend() {
    let vm = vm();
    assert_eq!(shown(vm.call("nap", &[Py::Int(3)], &[])), "3");
    assert_eq!(shown(vm.call("on_thread", &[Py::Int(100)], &[])), "5050");
    assert_eq!(vm.open_operations(), 0);
}

#[test]
fn big_ints_pass_in_both_directions() {
    let vm = vm();
    assert_eq!(shown(vm.call("echo_big", &[Py::Int(-21)], &[])), "-42");
    assert_eq!(shown(vm.call("echo_big", &[Py::Int(i64::MIN)], &[])), "-0x10000000000000000");
}

#[test]
fn classes_have_methods_properties_and_a_destructor() {
    let vm = vm();
    let before = DROPPED.load(Ordering::SeqCst);
    let counter = vm.construct("Counter", &[Py::Int(5)]).expect("a counter");
    assert_eq!(shown(vm.method(&counter, "add", &[])), "6");
    assert_eq!(shown(vm.method(&counter, "value", &[])), "6");
    vm.set(&counter, "value", Py::Int(9)).expect("the setter");
    assert_eq!(shown(vm.method(&counter, "__len__", &[])), "9");
    assert_eq!(shown(vm.construct("Counter", &[Py::Int(500)])), "ValueError: too much");
    let again = counter.clone();
    let callback = Py::function(move |vm, _| vm.method(&again, "add", &[]));
    assert_eq!(
        shown(vm.method(&counter, "during", &[callback])),
        "RuntimeError: 'Counter' object is in use by another call"
    );
    vm.method(&counter, "watch", &[Py::str("me")]).expect("kept");
    assert_eq!(vm.retained(), 1);
    let Py::Object(inner) = &counter else { panic!("an object") };
    assert_eq!(Rc::strong_count(inner), 1);
    vm.collect(counter);
    assert_eq!(vm.retained(), 0);
    assert_eq!(DROPPED.load(Ordering::SeqCst), before + 1);
}

#[test]
fn the_descriptor_says_what_was_written() {
    let ext = descriptor();
    // SAFETY: tables and texts of a static descriptor.
    unsafe {
        assert_eq!(ext.name.as_str(), Some("sample"));
        assert_eq!(ext.version.as_str(), Some("1.2.3"));
        let functions = ext.functions.read::<ms::abi::MsFunction>();
        assert_eq!(functions[0].doc.as_str(), Some("Adds two numbers."));
        assert_eq!(functions[0].returns.as_str(), Some("int"));
        let params = functions[0].params.read::<ms::abi::MsParam>();
        assert_eq!(params[0].annotation.as_str(), Some("int"));
        assert_eq!(params[1].flags, ms::abi::MS_PARAM_HAS_DEFAULT);
        assert_eq!(ext.constants.len, 3);
        assert_eq!(ext.classes.len, 2);
        assert_eq!(ext.permissions.len, 1);
    }
    assert_eq!(shown(vm().call("state_name", &[], &[])), "'per VM'");
}
