//! Script code may suspend wherever it was called from, also under a collection at each safepoint.
//!
//! `pause(x)` suspends the task; the test answers with `x`. Between the suspension and the answer
//! another task runs, so that anything kept outside of the task's own stacks would show.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use miniscript_vm::code::proto::SourceInfo;
use miniscript_vm::compile::{CompileMode, compile_module};
use miniscript_vm::handles::Handle;
use miniscript_vm::host::{Host, Poll, Stream};
use miniscript_vm::interp::run::{Input, Resumed, TaskId};
use miniscript_vm::native::{Action, Exit, NResult, NativeDef};
use miniscript_vm::{Value, Vm, VmConfig};

#[derive(Default, Clone)]
struct Output(Rc<RefCell<String>>);

impl Host for Output {
    fn write(&self, _: Stream, bytes: &[u8]) -> std::io::Result<()> {
        self.0.borrow_mut().push_str(&String::from_utf8_lossy(bytes));
        Ok(())
    }

    fn import<'v>(&self, vm: &'v Vm, name: &str) -> NResult<'v> {
        Err(vm.err(miniscript_vm::builtins::Type::ModuleNotFoundError, name))
    }

    fn poll(&self) -> Poll {
        Poll::Continue
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// What `pause` asks for: the answer, as a handle.
struct Pause(Handle);

fn pause<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let request = Box::new(Pause(vm.retain(args[0])));
    Err(Exit::Do(Box::new(Action::Suspend { request, then: None })))
}

static PAUSE: NativeDef = NativeDef::new("pause", "value, /", pause, "Suspends the task.");

fn start(vm: &mut Vm, text: &str) -> TaskId {
    let module = miniscript_syntax::parse(text, miniscript_syntax::ast::Mode::Module)
        .unwrap_or_else(|e| panic!("{}: {text}", e.message));
    let source = Arc::new(SourceInfo::new("test.ms", text));
    let proto = compile_module(&module, source, CompileMode::default())
        .unwrap_or_else(|e| panic!("{}: {text}", e.message));
    let func = {
        let globals = vm.dict();
        let name = vm.intern("__name__");
        vm.dict_set_name(globals, name, vm.intern("__main__")).expect("a dict");
        vm.dict_set_name(globals, vm.intern("pause"), vm.native(&PAUSE, Value::EMPTY))
            .expect("a dict");
        let f = vm.module_function(&proto, Value::object(globals)).expect("small code");
        vm.retain(f)
    };
    vm.new_task(func, &[]).expect("a callable")
}

/// Runs `text` with another task that runs at each suspension, and gives what was printed.
fn run(text: &str, gc_stress: bool) -> (String, usize) {
    let out = Output::default();
    let config = VmConfig { hash_seed: 0, gc_stress, max_memory: None };
    let mut vm = Vm::new(&config, Box::new(out.clone()));
    let main = start(&mut vm, text);
    let other = start(
        &mut vm,
        "def work(n):\n    return [str(i) * 3 for i in range(n)]\nwhile True:\n    \
         junk = work(20)\n    assert junk[5] == '555'\n    pause(None)\n",
    );
    let (mut other_input, mut main_input) = (Input::Start, Input::Start);
    let mut pauses = 0;
    loop {
        match vm.resume(main, main_input).expect("the task is there") {
            Resumed::Returned(_) => return (out.0.borrow().clone(), pauses),
            Resumed::Raised(e) => {
                let v = vm.handle(e).expect("retained");
                let args = v
                    .get::<miniscript_vm::object::exc::Exception>()
                    .map(|e| format!("{:?}", e.args()))
                    .unwrap_or_default();
                let msg = v
                    .get::<miniscript_vm::object::exc::Exception>()
                    .and_then(|e| e.args().first()?.get::<miniscript_vm::object::text::Str>())
                    .map(|s| s.to_display().into_owned());
                panic!("{} {args} {msg:?} in {text}", vm.type_name(v));
            }
            Resumed::Suspended(r) => {
                pauses += 1;
                let p = r.downcast::<Pause>().expect("pause is the only request");
                main_input = Input::Value(p.0);
            }
            Resumed::OutOfFuel => main_input = Input::Start,
        }
        match vm.resume(other, other_input).expect("the task is there") {
            Resumed::Suspended(r) => {
                let p = r.downcast::<Pause>().expect("pause is the only request");
                other_input = Input::Value(p.0);
            }
            _ => panic!("the other task ended"),
        }
    }
}

fn check(text: &str, expected: &str) {
    for gc_stress in [false, true] {
        let (printed, pauses) = run(text, gc_stress);
        assert_eq!(printed, expected, "gc_stress {gc_stress}: {text}");
        assert!(pauses > 0, "nothing suspended: {text}");
    }
}

#[test]
fn plain_calls_and_expressions() {
    check("print(pause(1) + pause(2) * pause(3))", "7\n");
    check(
        "def f(*a, **k):\n    return pause(a), pause(k)\nprint(f(1, x=pause(2)))",
        "((1,), {'x': 2})\n",
    );
}

#[test]
fn sort_key() {
    check("print(sorted([3, 1, 2], key=lambda x: pause(-x)))", "[3, 2, 1]\n");
    check(
        "a = ['bb', 'a', 'ccc']\na.sort(key=lambda s: pause(len(s)))\nprint(a)",
        "['a', 'bb', 'ccc']\n",
    );
}

#[test]
fn less_than_in_sort() {
    check(
        "class C:\n    def __init__(self, n): self.n = n\n    def __lt__(self, o): return pause(self.n < o.n)\n\
         print([c.n for c in sorted([C(3), C(1), C(2)])])",
        "[1, 2, 3]\n",
    );
}

#[test]
fn eq_and_hash_in_dict_lookup() {
    check(
        "class K:\n    def __init__(self, n): self.n = n\n    def __hash__(self): return pause(7)\n    \
         def __eq__(self, o): return pause(self.n == o.n)\n\
         d = {K(1): 'a', K(2): 'b'}\nprint(d[K(2)], K(1) in d, K(3) in d, len({K(1), K(1), K(2)}))",
        "b True False 2\n",
    );
}

#[test]
fn repr_and_str_under_print() {
    check(
        "class C:\n    def __repr__(self): return pause('C!')\n\
         print(C(), [C(), (C(),)], {1: C()})\nprint(f'{C()} {C()!r:>4}')",
        "C! [C!, (C!,)] {1: C!}\nC!   C!\n",
    );
}

#[test]
fn property_getattr_and_descriptors() {
    check(
        "class D:\n    def __get__(self, o, t): return pause('get')\n    def __set__(self, o, v): print('set', pause(v))\n\
         class C:\n    d = D()\n    @property\n    def p(self): return pause('p')\n    \
         def __getattr__(self, n): return pause(n.upper())\n\
         c = C()\nprint(c.p, c.d, c.other)\nc.d = 5",
        "p get OTHER\nset 5\n",
    );
}

#[test]
fn iteration_and_generators() {
    check(
        "class I:\n    def __init__(self): self.n = 0\n    def __iter__(self): return pause(self)\n    \
         def __next__(self):\n        self.n += 1\n        if pause(self.n) > 3: raise StopIteration\n        return self.n\n\
         for x in I(): print(x)\nprint(list(I()), sum(I()), [*I()], max(I()))\na, b, c = I()\nprint(a, b, c)",
        "1\n2\n3\n[1, 2, 3] 6 [1, 2, 3] 3\n1 2 3\n",
    );
    check(
        "def g():\n    x = yield pause(1)\n    print('got', x)\n    yield pause(2)\n\
         def h():\n    yield from g()\n    yield pause(3)\n\
         i = h()\nprint(next(i), i.send('s'), next(i))\nprint(list(x * pause(2) for x in [1, 2]))",
        "got s\n1 2 3\n[2, 4]\n",
    );
}

#[test]
fn with_and_exceptions() {
    check(
        "class M:\n    def __enter__(self): return pause('in')\n    def __exit__(self, t, v, tb): print(pause('out'), t); return True\n\
         with M() as m:\n    print(m)\n    raise ValueError(pause('x'))\n\
         try:\n    try:\n        1 / 0\n    finally:\n        print(pause('fin'))\nexcept ZeroDivisionError as e:\n    print(pause('caught'), e)",
        "in\nout <class 'ValueError'>\nfin\ncaught division by zero\n",
    );
}

#[test]
fn class_bodies_decorators_and_comprehensions() {
    check(
        "def deco(f): return pause(f)\nclass Meta(type):\n    def __call__(cls, *a): return pause(super().__call__(*a))\n\
         class C(metaclass=Meta):\n    x = pause(4)\n    @deco\n    def m(self): return pause(self.x)\n\
         print(C().m(), [pause(i) for i in range(3) if pause(i) != 1], {pause(i): i for i in range(2)})",
        "4 [0, 2] {0: 0, 1: 1}\n",
    );
}

#[test]
fn operators_with_script_methods() {
    check(
        "class N:\n    def __init__(self, v): self.v = v\n    def __add__(self, o): return N(pause(self.v + o.v))\n    \
         def __radd__(self, o): return pause(o + self.v)\n    def __lt__(self, o): return pause(self.v < o.v)\n    \
         def __bool__(self): return pause(self.v > 0)\n    def __len__(self): return pause(5)\n    \
         def __contains__(self, x): return pause(x == self.v)\n    def __getitem__(self, i): return pause(i * 2)\n    \
         def __call__(self, x): return pause(x + 1)\n    def __neg__(self): return pause(-self.v)\n\
         a, b = N(1), N(2)\nprint((a + b).v, 10 + a, a < b, not a, len(a), 1 in a, 2 not in a, a[21], a(41), -b)\n\
         if a: print('yes')\nwhile N(0): pass\nprint('a' if a > b else 'b', a and 1)",
        "3 11 True False 5 True True 42 42 -2\nyes\nb 1\n",
    );
}
