//! What instructions do beyond their fast path, on values.
//!
//! One row of [`slow_ops!`] for each opcode: `value` rows give what goes to `R[a]`, `effect` rows
//! give nothing, `branch` rows a truth for the branch that follows, `flow` rows change frames.

use super::dispatch::{Flow, finish_branch, finish_effect, finish_value};
use super::state::Mode;
use crate::Vm;
use crate::builtins::Type;
use crate::cache::kind;
use crate::code::intrinsic::Intrinsic;
use crate::code::op::{Ins, Op};
use crate::heap::Kind;
use crate::native::{Exit, NResult};
use crate::object::exc::Exception;
use crate::object::func::{CellObj, Code, Function};
use crate::object::generator::Generator;
use crate::object::map::Dict;
use crate::object::read;
use crate::object::seq::{List, Tuple};
use crate::object::text::Str;
use crate::ops::compare::Cmp;
use crate::stats::Counters;
use crate::value::{EMPTY, Value, Word};

/// Defines `slow(op)`-functions: see the module's head.
macro_rules! slow_ops {
    ($($kind:ident $op:ident |$vm:ident, $i:ident, $x:ident| $body:expr;)*) => {
        $( slow_ops!(@fn $kind $op |$vm, $i, $x| $body); )*
    };
    (@fn value $op:ident |$vm:ident, $i:ident, $x:ident| $body:expr) => {
        // Never inlined: its locals would keep the handler's last call from being a jump.
        #[inline(never)]
        #[allow(non_snake_case)]
        pub(super) fn $op(vm: &mut Vm, $i: Ins, $x: u32) -> Flow {
            fn run<'v>($vm: &'v Vm, $i: Ins, $x: u32) -> NResult<'v> {
                let _ = ($i, $x);
                $body
            }
            let vm: &Vm = vm;
            finish_value(vm, $i.a(), run(vm, $i, $x))
        }
    };
    (@fn effect $op:ident |$vm:ident, $i:ident, $x:ident| $body:expr) => {
        // Never inlined: its locals would keep the handler's last call from being a jump.
        #[inline(never)]
        #[allow(non_snake_case)]
        pub(super) fn $op(vm: &mut Vm, $i: Ins, $x: u32) -> Flow {
            fn run<'v>($vm: &'v Vm, $i: Ins, $x: u32) -> Result<(), Exit<'v>> {
                let _ = ($i, $x);
                $body
            }
            let vm: &Vm = vm;
            finish_effect(vm, run(vm, $i, $x))
        }
    };
    (@fn branch $op:ident |$vm:ident, $i:ident, $x:ident| $body:expr) => {
        // Never inlined: its locals would keep the handler's last call from being a jump.
        #[inline(never)]
        #[allow(non_snake_case)]
        pub(super) fn $op(vm: &mut Vm, $i: Ins, $x: u32) -> Flow {
            fn run<'v>($vm: &'v Vm, $i: Ins, $x: u32) -> Result<bool, Exit<'v>> {
                let _ = ($i, $x);
                $body
            }
            let vm: &Vm = vm;
            finish_branch(vm, run(vm, $i, $x))
        }
    };
    (@fn flow $op:ident |$vm:ident, $i:ident, $x:ident| $body:expr) => {
        // Never inlined: its locals would keep the handler's last call from being a jump.
        #[inline(never)]
        #[allow(non_snake_case)]
        pub(super) fn $op($vm: &mut Vm, $i: Ins, $x: u32) -> Flow {
            let _ = ($i, $x);
            $body
        }
    };
}

fn imm(i: Ins) -> Value<'static> {
    Value::int32(i32::from(i.imm()))
}

slow_ops! {
    effect NOP |_vm, i, x| Ok(());
    value MOVE |vm, i, x| Ok(vm.reg(i.b()));
    value LOADK |vm, i, x| Ok(vm.constant(i.bx()));
    value LOADKX |vm, i, x| Ok(vm.constant(x as usize));
    value LOADI |_vm, i, x| Ok(Value::int32(i.sbx()));
    value LOADS |vm, i, x| Ok(vm.word_value(EMPTY + i.b() as u64));
    effect CLEAR |vm, i, x| {
        (i.a()..=i.a() + i.b()).for_each(|r| vm.st.set_reg(r, EMPTY));
        Ok(())
    };
    value GETFAR |vm, i, x| Ok(vm.reg(x as usize));
    effect SETFAR |vm, i, x| { vm.st.set_reg(x as usize, vm.st.reg(i.a())); Ok(()) };
    effect CHECK |vm, i, x| {
        if vm.st.reg(i.a()) == EMPTY { Err(vm.unbound_local(vm.constant(x as usize))) } else { Ok(()) }
    };
    value MKCELL |vm, i, x| Ok(vm.cell(vm.reg(i.b())));
    value GETCELL |vm, i, x| {
        match vm.reg(i.b()).get::<CellObj>().map(|c| read(&c.contents)) {
            Some(v) if !v.is_empty() => Ok(v),
            _ => Err(vm.unbound_local(vm.constant(x as usize))),
        }
    };
    effect SETCELL |vm, i, x| {
        if let Some(c) = vm.reg(i.a()).get::<CellObj>() { c.contents.set(vm.st.reg(i.b())); }
        Ok(())
    };
    value GETFREE |vm, i, x| vm.get_free(i.bx());
    effect SETFREE |vm, i, x| {
        if let Some(c) = vm.frame_func().and_then(|f| f.cell(i.bx())) {
            c.contents.set(vm.st.reg(i.a()));
        }
        Ok(())
    };
    value FREECELL |vm, i, x| {
        Ok(vm.frame_func().and_then(|f| f.cell(i.bx())).map_or(Value::NONE, Value::object))
    };

    value GETGLOBAL |vm, i, x| vm.get_global(x as usize);
    effect SETGLOBAL |vm, i, x| vm.set_global(x as usize, vm.reg(i.a()));
    effect DELGLOBAL |vm, i, x| {
        let name = vm.constant(x as usize);
        if vm.dict_del_name(vm.globals(), name)? { Ok(()) } else { Err(vm.name_not_defined(name)) }
    };
    value GETNAME |vm, i, x| vm.get_name(vm.reg(i.b()), vm.cache_name(x as usize));
    effect SETNAME |vm, i, x| vm.set_name(vm.reg(i.b()), vm.constant(x as usize), vm.reg(i.a()));
    effect DELNAME |vm, i, x| vm.del_name(vm.reg(i.a()), vm.constant(x as usize));
    value GETNAMEFREE |vm, i, x| {
        let name = vm.constant(x as usize);
        match vm.reg(i.b()).get::<Dict>().and_then(|d| vm.dict_get_name(d, name)) {
            Some(v) => Ok(v),
            None => vm.get_free(i.c()),
        }
    };

    flow GETATTR |vm, i, x| vm.getattr_op(i, x as usize);
    effect SETATTR |vm, i, x| vm.setattr_cached(vm.reg(i.a()), vm.reg(i.b()), x as usize);
    effect DELATTR |vm, i, x| vm.setattr(vm.reg(i.a()), vm.constant(x as usize), Value::EMPTY);
    value SELF |vm, i, x| vm.load_method(i.a(), vm.reg(i.b()), x as usize);
    flow GETITEM |vm, i, x| vm.getitem_op(i, vm.reg(i.c()));
    flow GETITEMI |vm, i, x| vm.getitem_op(i, imm(i));
    flow SETITEM |vm, i, x| vm.setitem_op(i);
    effect DELITEM |vm, i, x| vm.delitem(vm.reg(i.a()), vm.reg(i.b()));
    value MKSLICE |vm, i, x| {
        let b = i.b();
        Ok(vm.slice(vm.reg(b), vm.reg(b + 1), vm.reg(b + 2)))
    };

    flow ADD |vm, i, x| vm.operator(Op::ADD, false, i, vm.reg(i.c()));
    flow SUB |vm, i, x| vm.operator(Op::SUB, false, i, vm.reg(i.c()));
    flow MUL |vm, i, x| vm.operator(Op::MUL, false, i, vm.reg(i.c()));
    flow TRUEDIV |vm, i, x| vm.operator(Op::TRUEDIV, false, i, vm.reg(i.c()));
    flow FLOORDIV |vm, i, x| vm.operator(Op::FLOORDIV, false, i, vm.reg(i.c()));
    flow MOD |vm, i, x| vm.operator(Op::MOD, false, i, vm.reg(i.c()));
    flow POW |vm, i, x| vm.operator(Op::POW, false, i, vm.reg(i.c()));
    flow LSHIFT |vm, i, x| vm.operator(Op::LSHIFT, false, i, vm.reg(i.c()));
    flow RSHIFT |vm, i, x| vm.operator(Op::RSHIFT, false, i, vm.reg(i.c()));
    flow BITAND |vm, i, x| vm.operator(Op::BITAND, false, i, vm.reg(i.c()));
    flow BITOR |vm, i, x| vm.operator(Op::BITOR, false, i, vm.reg(i.c()));
    flow BITXOR |vm, i, x| vm.operator(Op::BITXOR, false, i, vm.reg(i.c()));
    flow MATMUL |vm, i, x| vm.operator(Op::MATMUL, false, i, vm.reg(i.c()));
    flow ADDI |vm, i, x| vm.operator(Op::ADD, false, i, imm(i));
    flow SUBI |vm, i, x| vm.operator(Op::SUB, false, i, imm(i));
    flow IADD |vm, i, x| vm.operator(Op::ADD, true, i, vm.reg(i.c()));
    flow ISUB |vm, i, x| vm.operator(Op::SUB, true, i, vm.reg(i.c()));
    flow IMUL |vm, i, x| vm.operator(Op::MUL, true, i, vm.reg(i.c()));
    flow INPLACE |vm, i, x| {
        vm.operator(Op::decode(x).unwrap_or(Op::ADD), true, i, vm.reg(i.c()))
    };
    flow IADDI |vm, i, x| vm.operator(Op::ADD, true, i, imm(i));
    flow ISUBI |vm, i, x| vm.operator(Op::SUB, true, i, imm(i));
    value NEG |vm, i, x| vm.unary(Op::NEG, vm.reg(i.b()));
    value POS |vm, i, x| vm.unary(Op::POS, vm.reg(i.b()));
    value INVERT |vm, i, x| vm.unary(Op::INVERT, vm.reg(i.b()));
    value NOT |vm, i, x| vm.negated(vm.truth(vm.reg(i.b())));

    flow EQ |vm, i, x| vm.comparison(Cmp::Eq, i, vm.reg(i.c()));
    flow NE |vm, i, x| vm.comparison(Cmp::Ne, i, vm.reg(i.c()));
    flow LT |vm, i, x| vm.comparison(Cmp::Lt, i, vm.reg(i.c()));
    flow LE |vm, i, x| vm.comparison(Cmp::Le, i, vm.reg(i.c()));
    flow GT |vm, i, x| vm.comparison(Cmp::Gt, i, vm.reg(i.c()));
    flow GE |vm, i, x| vm.comparison(Cmp::Ge, i, vm.reg(i.c()));
    value IS |vm, i, x| Ok(Value::bool(vm.reg(i.b()).is(vm.reg(i.c()))));
    value ISNOT |vm, i, x| Ok(Value::bool(!vm.reg(i.b()).is(vm.reg(i.c()))));
    value IN |vm, i, x| vm.contains(vm.reg(i.c()), vm.reg(i.b())).map(Value::bool);
    value NOTIN |vm, i, x| vm.negated(vm.contains(vm.reg(i.c()), vm.reg(i.b())));
    flow JEQ |vm, i, x| vm.branch_comparison(Cmp::Eq, i, vm.reg(i.c()));
    flow JNE |vm, i, x| vm.branch_comparison(Cmp::Ne, i, vm.reg(i.c()));
    flow JLT |vm, i, x| vm.branch_comparison(Cmp::Lt, i, vm.reg(i.c()));
    flow JLE |vm, i, x| vm.branch_comparison(Cmp::Le, i, vm.reg(i.c()));
    flow JGT |vm, i, x| vm.branch_comparison(Cmp::Gt, i, vm.reg(i.c()));
    flow JGE |vm, i, x| vm.branch_comparison(Cmp::Ge, i, vm.reg(i.c()));
    flow JEQI |vm, i, x| vm.branch_comparison(Cmp::Eq, i, imm(i));
    flow JNEI |vm, i, x| vm.branch_comparison(Cmp::Ne, i, imm(i));
    flow JLTI |vm, i, x| vm.branch_comparison(Cmp::Lt, i, imm(i));
    flow JLEI |vm, i, x| vm.branch_comparison(Cmp::Le, i, imm(i));
    flow JGTI |vm, i, x| vm.branch_comparison(Cmp::Gt, i, imm(i));
    flow JGEI |vm, i, x| vm.branch_comparison(Cmp::Ge, i, imm(i));
    branch JIN |vm, i, x| vm.contains(vm.reg(i.c()), vm.reg(i.b()));
    branch JNOTIN |vm, i, x| vm.not_contains(vm.reg(i.c()), vm.reg(i.b()));
    branch JIS |vm, i, x| Ok(vm.reg(i.b()).is(vm.reg(i.c())));
    branch JISNOT |vm, i, x| Ok(!vm.reg(i.b()).is(vm.reg(i.c())));

    flow BRT |vm, i, x| vm.branch_on(i);
    flow BRF |vm, i, x| vm.branch_on(i);
    flow JUMP |vm, i, x| vm.jump(i.sj() as isize);
    flow JUMPX |vm, i, x| vm.jump(x as i32 as isize);
    flow FORPREP |vm, i, x| match vm.for_prepare(i.a(), vm.reg(i.b())) {
        Ok(()) => Flow::Next,
        // A script `__iter__`: the iterator it gives goes where a builtin one would.
        Err(e) => vm.do_exit(e, i.a(), Mode::Reg),
    };
    flow FORITER |vm, i, x| vm.iterate(vm.reg(i.a()), i.b(), Mode::ForIter);

    flow CALL |vm, i, x| vm.call_op(i.a(), i.b());
    flow CALLM |vm, i, x| vm.call_method_op(i.a(), i.b());
    flow KWNAMES |vm, i, x| {
        let names = vm.constant(x as usize).word();
        vm.st.kwnames.set(names);
        Flow::Next
    };
    flow CALLKW |vm, i, x| vm.call_op(i.a(), i.b());
    flow CALLMKW |vm, i, x| vm.call_method_op(i.a(), i.b());
    flow CALLEX |vm, i, x| vm.call_ex(i.a());
    flow INTRINSIC |vm, i, x| {
        let (row, n) = (x & 0xFFFF, (x >> 16) as usize);
        let vm: &Vm = vm;
        let r = match Intrinsic::from_index(row as usize) {
            Some(row) => crate::builtins::intrinsics::run(vm, row, vm.regs(i.a() + 1, n)),
            None => return vm.corrupt(),
        };
        finish_value(vm, i.a(), r)
    };
    flow RETURN |vm, i, x| vm.return_op(vm.reg(i.a()));
    flow RETNONE |vm, i, x| vm.return_op(Value::NONE);
    value MKFUNC |vm, i, x| vm.make_function(i.a(), i.b(), x as usize);

    value MKLIST |vm, i, x| vm.list(vm.regs(i.b(), i.c()).to_vec());
    value MKTUPLE |vm, i, x| vm.tuple(vm.regs(i.b(), i.c()));
    value MKSET |vm, i, x| vm.make_set(vm.regs(i.b(), i.c()));
    value MKDICT |vm, i, x| vm.make_dict(vm.regs(i.b(), i.c() * 2));
    value MKSTR |vm, i, x| vm.join_strings(vm.regs(i.b(), i.c()));
    effect APPEND |vm, i, x| {
        let Some(l) = vm.reg(i.a()).get::<List>() else { return Ok(()) };
        vm.oom(l.push(&vm.heap, vm.reg(i.b())))
    };
    effect EXTEND |vm, i, x| vm.extend_star(vm.reg(i.a()), vm.reg(i.b()), vm.reg(i.c()));
    effect SETADD |vm, i, x| vm.set_add(vm.reg(i.a()), vm.reg(i.b()));
    effect SETUPDATE |vm, i, x| vm.set_update(vm.reg(i.a()), vm.reg(i.b()));
    effect DICTADD |vm, i, x| vm.setitem(vm.reg(i.a()), vm.reg(i.b()), vm.reg(i.c()));
    effect DICTUPDATE |vm, i, x| vm.dict_update_display(vm.reg(i.a()), vm.reg(i.b()));
    effect DICTMERGE |vm, i, x| vm.dict_merge_keywords(vm.reg(i.a()), vm.reg(i.b()), vm.reg(i.c()));
    value LISTTUPLE |vm, i, x| {
        match vm.reg(i.b()).get::<List>() {
            Some(l) => vm.tuple(&l.items()),
            None => Ok(vm.reg(i.b())),
        }
    };
    flow UNPACK |vm, i, x| vm.unpack_op(i.a(), vm.reg(i.b()), i.c(), None);
    flow UNPACKEX |vm, i, x| {
        let (before, after) = ((x & 0xFFFF) as usize, (x >> 16) as usize);
        vm.unpack_op(i.a(), vm.reg(i.b()), before, Some(after))
    };

    value FORMAT |vm, i, x| vm.format_value(vm.reg(i.b()), vm.reg(i.c()));
    value FORMATS |vm, i, x| vm.format_plain(vm.reg(i.b()), i.c());
    value CONVERT |vm, i, x| vm.convert(vm.reg(i.b()), i.c());

    flow RAISE |vm, i, x| vm.raise_op(vm.reg(i.a()), None);
    flow RAISEFROM |vm, i, x| vm.raise_op(vm.reg(i.a()), Some(vm.reg(i.b())));
    flow RERAISE |vm, i, x| { let e = vm.reg(i.a()); vm.unwind_again(e) };
    flow RAISELAST |vm, i, x| {
        let e = vm.word_value(vm.st.handled.get());
        if e.is_empty() {
            return vm.raise_here(vm.runtime_error("No active exception to reraise"));
        }
        vm.unwind_again(e)
    };
    effect ENDCATCH |vm, i, x| { vm.st.handled.set(vm.st.reg(i.a())); Ok(()) };
    value EXCMATCH |vm, i, x| vm.exception_matches(vm.reg(i.b()), vm.reg(i.c()));
    value LOADASSERT |vm, i, x| Ok(vm.class_value(Type::AssertionError));

    effect WITHPREP |vm, i, x| vm.with_prepare(i.a(), vm.reg(i.b()), false);
    effect AWITHPREP |vm, i, x| vm.with_prepare(i.a(), vm.reg(i.b()), true);
    effect EXCARGS |vm, i, x| {
        let e = vm.reg(i.b());
        let tb = e.get::<Exception>().map_or(EMPTY, |e| e.traceback.get());
        let class = vm.class_value_of(e).word();
        vm.st.set_reg(i.a(), class);
        vm.st.set_reg(i.a() + 1, e.word());
        vm.st.set_reg(i.a() + 2, if tb == EMPTY { Value::NONE.word() } else { tb });
        Ok(())
    };

    flow MKGEN |vm, i, x| vm.make_generator();
    flow YIELD |vm, i, x| vm.yield_value(vm.reg(i.b()), i.a());
    value ITERFROM |vm, i, x| {
        let v = vm.reg(i.b());
        if v.is_a::<Generator>() { Ok(v) } else { vm.get_iter(v) }
    };
    value AWAITABLE |vm, i, x| vm.get_awaitable(vm.reg(i.b()), i.c());
    flow DELEGATE |vm, i, x| vm.delegate(i.a(), i.b());
    value GETAITER |vm, i, x| vm.get_aiter(vm.reg(i.b()));
    value GETANEXT |vm, i, x| vm.get_anext(vm.reg(i.b()));

    value IMPORT |vm, i, x| {
        vm.import_op(vm.constant(x as usize), vm.reg(i.b()), vm.reg(i.b() + 1))
    };
    value IMPORTFROM |vm, i, x| vm.import_from(vm.reg(i.b()), vm.constant(x as usize));
    effect PRINTEXPR |vm, i, x| vm.print_expression(vm.reg(i.a()));
}

impl Vm {
    /// Constant `n` of the running code.
    #[inline]
    #[allow(unsafe_code)]
    pub(crate) fn constant(&self, n: usize) -> Value<'_> {
        // SAFETY: constants of the running frame; indices were verified.
        self.word_value(unsafe { *self.st.k.get().add(n) })
    }

    /// The globals of the running function.
    pub(crate) fn globals(&self) -> &Dict {
        match self.frame_func().and_then(|f| read(&f.globals).get::<Dict>()) {
            Some(d) => d,
            None => self.builtins(),
        }
    }

    fn negated<'v>(&'v self, r: Result<bool, Exit<'v>>) -> NResult<'v> {
        match r {
            Ok(b) => Ok(Value::bool(!b)),
            Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
            Err(Exit::Do(a)) => Err(crate::ops::truth::negate_action(a)),
        }
    }

    fn not_contains<'v>(&'v self, c: Value<'v>, v: Value<'v>) -> Result<bool, Exit<'v>> {
        match self.contains(c, v) {
            Ok(b) => Ok(!b),
            Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
            Err(Exit::Do(a)) => Err(crate::ops::truth::negate_action(a)),
        }
    }

    fn unbound_local<'v>(&'v self, name: Value<'v>) -> Exit<'v> {
        let n = name.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned());
        self.name_error(
            Type::UnboundLocalError,
            format!("cannot access local variable '{n}' where it is not associated with a value"),
            name,
        )
    }

    fn get_free(&self, n: usize) -> NResult<'_> {
        let Some(f) = self.frame_func() else { return Ok(Value::NONE) };
        if let Some(c) = f.cell(n)
            && c.contents.get() != EMPTY
        {
            return Ok(read(&c.contents));
        }
        let name = f.code().proto.free.get(n).map_or("?", |s| s.as_str());
        Err(self.name_error(
            Type::NameError,
            format!(
                "cannot access free variable '{name}' where it is not associated with a value in \
                 enclosing scope"
            ),
            self.intern(name),
        ))
    }

    pub(crate) fn name_not_defined<'v>(&'v self, name: Value<'v>) -> Exit<'v> {
        let n = name.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned());
        self.name_error(Type::NameError, format!("name '{n}' is not defined"), name)
    }

    fn get_global(&self, cache: usize) -> NResult<'_> {
        Counters::bump(&self.counters.cache_misses);
        let name = self.cache_name(cache);
        let globals = self.globals();
        if let Some(v) = self.dict_get_name(globals, name) {
            self.cache_global(cache, globals, name);
            return Ok(v);
        }
        let builtins = self.builtins_of(globals);
        match self.dict_get_name(builtins, name) {
            Some(v) => {
                if std::ptr::eq(builtins, self.builtins()) {
                    self.cache_builtin(cache, globals, name);
                }
                Ok(v)
            }
            None => Err(self.name_not_defined(name)),
        }
    }

    /// The builtins that code with `globals` sees: those that `exec` was given there, if any.
    fn builtins_of<'v>(&'v self, globals: &'v Dict) -> &'v Dict {
        self.dict_get_name(globals, self.word_value(self.names.__builtins__))
            .and_then(|v| v.get::<Dict>())
            .unwrap_or_else(|| self.builtins())
    }

    fn cache_global(&self, cache: usize, globals: &Dict, name: Value<'_>) {
        let t = globals.table();
        let Some(i) = t.find_identical(self.name_hash(name.word()), name.word()) else { return };
        self.fill_cache(cache, kind::GLOBAL, i as u64, 0);
    }

    fn cache_builtin(&self, cache: usize, globals: &Dict, name: Value<'_>) {
        let t = self.builtins().table();
        let Some(i) = t.find_identical(self.name_hash(name.word()), name.word()) else { return };
        let key = kind::BUILTIN | globals.table().version();
        self.fill_cache(cache, key, i as u64, globals as *const Dict as u64);
    }

    fn set_global<'v>(&'v self, cache: usize, v: Value<'v>) -> Result<(), Exit<'v>> {
        Counters::bump(&self.counters.cache_misses);
        let name = self.cache_name(cache);
        let globals = self.globals();
        self.dict_set_name(globals, name, v)?;
        self.cache_global(cache, globals, name);
        Ok(())
    }

    fn get_name<'v>(&'v self, ns: Value<'v>, name: Value<'v>) -> NResult<'v> {
        if let Some(d) = ns.get::<Dict>() {
            if let Some(v) = self.dict_get_name(d, name) {
                return Ok(v);
            }
        } else if !ns.is_none() && !ns.is_empty() {
            return self.namespace_get(ns, name);
        }
        self.global_or_builtin(name)
    }

    pub(crate) fn global_or_builtin<'v>(&'v self, name: Value<'v>) -> NResult<'v> {
        let globals = self.globals();
        self.dict_get_name(globals, name)
            .or_else(|| self.dict_get_name(self.builtins_of(globals), name))
            .ok_or_else(|| self.name_not_defined(name))
    }

    fn set_name<'v>(
        &'v self,
        ns: Value<'v>,
        name: Value<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        match ns.get::<Dict>() {
            Some(d) if self.exact_type(ns) == Some(Type::Dict) => self.dict_set_name(d, name, v),
            _ => self.setitem(ns, name, v),
        }
    }

    fn del_name<'v>(&'v self, ns: Value<'v>, name: Value<'v>) -> Result<(), Exit<'v>> {
        match ns.get::<Dict>() {
            Some(d) => match self.dict_del_name(d, name)? {
                true => Ok(()),
                false => Err(self.name_not_defined(name)),
            },
            None => self.delitem(ns, name),
        }
    }

    /// `R[a] = R[b] op y`, or `op=`.
    fn operator(&self, op: Op, inplace: bool, i: Ins, y: Value<'_>) -> Flow {
        let x = self.reg(i.b());
        if let Some(flow) = self.begin_operator(op, inplace, x, y, i.a()) {
            return flow;
        }
        let r = if inplace { self.inplace(op, x, y) } else { self.binary(op, x, y) };
        finish_value(self, i.a(), r)
    }

    /// `R[a] = R[b] op y`.
    fn comparison(&self, op: Cmp, i: Ins, y: Value<'_>) -> Flow {
        let x = self.reg(i.b());
        match self.begin_comparison(op, x, y, i.a(), Mode::Reg) {
            Some(flow) => flow,
            None => finish_value(self, i.a(), self.compare(op, x, y)),
        }
    }

    /// `R[b] op y` and the branch at `st.pc`.
    #[allow(unsafe_code)]
    fn branch_comparison(&self, op: Cmp, i: Ins, y: Value<'_>) -> Flow {
        let x = self.reg(i.b());
        if x.kind() == Some(Kind::Instance) {
            let pc = self.st.pc.get();
            // SAFETY: the branch instruction follows; it lies before the return address.
            self.st.pc.set(unsafe { pc.add(1) });
            if let Some(flow) = self.begin_comparison(op, x, y, 0, Mode::Branch) {
                return flow;
            }
            self.st.pc.set(pc);
        }
        finish_branch(self, self.compare_truth(op, x, y))
    }

    /// Calls method `name` of `obj`, if its class has a script function for it, for `R[dst]` (or
    /// for nothing). `None` otherwise.
    fn begin_method(
        &self,
        obj: Value<'_>,
        name: Word,
        args: &[Value<'_>],
        dst: usize,
        mode: Mode,
    ) -> Option<Flow> {
        if obj.kind() != Some(Kind::Instance) {
            return None;
        }
        let f = self.class_lookup(self.class_of(obj), name).filter(|f| f.is_a::<Function>())?;
        Some(self.push_call(f, args, &super::frames::RETURN_ROW, &[], dst, mode))
    }

    fn getitem_op(&self, i: Ins, index: Value<'_>) -> Flow {
        let obj = self.reg(i.b());
        let name = self.names.__getitem__;
        match self.begin_method(obj, name, &[obj, index], i.a(), Mode::Reg) {
            Some(flow) => flow,
            None => finish_value(self, i.a(), self.getitem(obj, index)),
        }
    }

    fn setitem_op(&self, i: Ins) -> Flow {
        let (obj, index, v) = (self.reg(i.a()), self.reg(i.b()), self.reg(i.c()));
        let name = self.names.__setitem__;
        match self.begin_method(obj, name, &[obj, index, v], 0, Mode::Discard) {
            Some(flow) => flow,
            None => finish_effect(self, self.setitem(obj, index, v)),
        }
    }

    fn getattr_op(&self, i: Ins, cache: usize) -> Flow {
        let obj = self.reg(i.b());
        if let Some(f) = self.property_getter(obj, cache) {
            Counters::bump(&self.counters.cache_misses);
            let row = &super::frames::RETURN_ROW;
            return self.push_call(f, &[obj], row, &[], i.a(), Mode::Reg);
        }
        finish_value(self, i.a(), self.getattr_cached(obj, cache))
    }

    fn return_op(&self, v: Value<'_>) -> Flow {
        if self.word_value(self.st.below(1)).is_a::<Generator>() {
            self.generator_returned(v)
        } else {
            self.return_value(v)
        }
    }

    fn branch_on(&mut self, i: Ins) -> Flow {
        let vm: &Vm = self;
        match vm.truth(vm.reg(i.a())) {
            Ok(t) => {
                // The branch before `st.pc` is decided like one after a comparison.
                let distance = if t == (i.op() == Op::BRT as u8) { i.sbx() } else { 0 };
                self.jump(distance as isize)
            }
            Err(e) => vm.do_exit(e, 0, Mode::Branch),
        }
    }

    /// Jumps by `distance` words; backwards it is a safepoint.
    #[allow(unsafe_code)]
    fn jump(&mut self, distance: isize) -> Flow {
        // SAFETY: jump targets were verified.
        self.st.pc.set(unsafe { self.st.pc.get().offset(distance) });
        if distance < 0 {
            let fuel = self.st.fuel.get() - 1;
            self.st.fuel.set(fuel);
            if fuel <= 0 {
                return self.safepoint();
            }
        }
        Flow::Next
    }

    fn call_op(&mut self, a: usize, n: usize) -> Flow {
        if self.st.frame.get() >= self.st.frame_limit.get()
            && let Some(flow) = self.call_safepoint()
        {
            return flow;
        }
        self.call(a, n)
    }

    #[allow(unsafe_code)]
    fn call_method_op(&mut self, a: usize, n: usize) -> Flow {
        let first = self.st.reg(a + 1);
        if first == EMPTY {
            // SAFETY: the window lies within the frame.
            unsafe {
                let p = self.st.base.get().add(a + 1);
                std::ptr::copy(p.add(1), p, n);
            }
            return self.call_op(a, n);
        }
        self.call_op(a, n + 1)
    }

    fn make_function(&self, a: usize, parts: usize, code: usize) -> NResult<'_> {
        let Some(code) = self.constant(code).get::<Code>() else { return Ok(Value::NONE) };
        let closure = self.capture(code)?;
        if code.name.get() == EMPTY {
            code.name.set(self.intern(&code.proto.name).word());
            code.qualname.set(self.intern(&code.proto.qualname).word());
        }
        let f = Function::new(
            Type::Function.shape(),
            code,
            Value::object(self.globals()),
            closure,
            read(&code.name),
            read(&code.qualname),
        );
        let f = self.heap.alloc(f, 0, false);
        for (bit, cell, r) in [(1, &f.defaults, 1), (2, &f.kwdefaults, 2), (4, &f.annotations, 3)] {
            if parts & bit != 0 {
                cell.set(self.st.reg(a + r));
            }
        }
        Ok(Value::object(f))
    }

    fn capture<'v>(&'v self, code: &Code) -> NResult<'v> {
        let captures = &code.proto.captures;
        if captures.is_empty() {
            return Ok(Value::EMPTY);
        }
        let mut cells = Vec::with_capacity(captures.len());
        for c in captures {
            cells.push(match *c {
                crate::code::proto::Capture::Local(r) => self.reg(r as usize),
                crate::code::proto::Capture::Free(n) => {
                    match self.frame_func().and_then(|f| f.cell(n as usize)) {
                        Some(c) => Value::object(c),
                        None => self.cell(Value::EMPTY),
                    }
                }
            });
        }
        self.new_tuple(Type::Tuple.shape(), &cells)
    }

    fn call_ex(&mut self, a: usize) -> Flow {
        if self.st.frame.get() >= self.st.frame_limit.get()
            && let Some(flow) = self.call_safepoint()
        {
            return flow;
        }
        let vm: &Vm = self;
        let args: Vec<Value<'_>> = match vm.reg(a + 1) {
            v if v.is_a::<Tuple>() => {
                v.get::<Tuple>().map_or_else(Vec::new, |t| t.items().to_vec())
            }
            v => v.get::<List>().map_or_else(Vec::new, List::to_vec),
        };
        let mut all = args;
        let mut names = Vec::new();
        if let Some(d) = vm.reg(a + 2).get::<Dict>() {
            for (k, v) in d.entries() {
                names.push(k);
                all.push(v);
            }
        }
        let kwnames = if names.is_empty() { Ok(Value::EMPTY) } else { vm.tuple(&names) };
        let kwnames = match kwnames {
            Ok(k) => k,
            Err(e) => return vm.raise_here(e),
        };
        let func = vm.reg(a);
        let e = Exit::Do(Box::new(crate::native::Action::Call {
            func,
            args: all,
            kwnames,
            then: None,
        }));
        vm.do_exit(e, a, Mode::Reg)
    }

    fn unpack_op(&self, a: usize, v: Value<'_>, n: usize, after: Option<usize>) -> Flow {
        match self.unpack(v, n, after) {
            Ok(items) => {
                for (i, v) in items.iter().enumerate() {
                    self.st.set_reg(a + i, v.word());
                }
                Flow::Next
            }
            Err(e) => self.do_exit(e, a, Mode::Unpack),
        }
    }

    /// Goes on with the UNPACK or UNPACKEX before `st.pc`, whose iterable script code has made
    /// into list `v`.
    #[allow(unsafe_code)]
    pub(crate) fn unpack_again(&self, v: Value<'_>) -> Flow {
        // SAFETY: one of the two instructions ends before `st.pc`. The extra word of UNPACKEX
        // is no UNPACK instruction: its low byte is a count, told apart by the positions of
        // both in the code, which the verifier checked.
        let (ins, extra) = unsafe {
            let pc = self.st.pc.get();
            let before = Ins(*pc.sub(2));
            if before.op() == Op::UNPACKEX as u8 && self.is_instruction(pc.sub(2)) {
                (before, Some(*pc.sub(1)))
            } else {
                (Ins(*pc.sub(1)), None)
            }
        };
        match extra {
            None => self.unpack_op(ins.a(), v, ins.c(), None),
            Some(x) => self.unpack_op(ins.a(), v, (x & 0xFFFF) as usize, Some((x >> 16) as usize)),
        }
    }

    /// Whether an instruction of the running code starts at `pc`.
    #[allow(unsafe_code)]
    fn is_instruction(&self, pc: *const u32) -> bool {
        let Some(code) = self.frame_code() else { return false };
        let mut at = code.entry();
        while at < pc {
            // SAFETY: `at` walks the instructions of the code from the first on.
            let op = Op::decode(unsafe { *at });
            at = at.wrapping_add(op.map_or(1, Op::len));
        }
        at == pc
    }

    fn raise_op(&self, exc: Value<'_>, cause: Option<Value<'_>>) -> Flow {
        match self.make_raised(exc, cause) {
            Ok(e) => self.unwind(e),
            Err(e) => self.raise_here(e),
        }
    }
}
