//! Running a native again from its beginning: with an argument made an int by script code, or
//! after a collection. A native that may ask for it has no effects before.

#![allow(unsafe_code)]

use crate::Vm;
use crate::native::{Action, Again, Answer, Exit, NResult, Row};
use crate::object::func::Native;
use crate::object::seq::{Slice, Tuple};
use crate::object::text::{Bytes, Str};
use crate::value::{EMPTY, Value};

/// After the `__index__` of an argument (or of the parts of a slice). State: the native, its
/// arguments as a tuple, the place of the argument.
static INDEX_ROW: Row = Row {
    name: "again_index",
    catches: false,
    resume: |vm, state, answer| {
        let given = answer.value()?;
        if let Some(warned) = vm.index_warning(given, &INDEX_ROW, state) {
            return Err(warned);
        }
        let v = vm.checked_index(given)?;
        let (Some(f), Some(args)) = (state[0].get::<Native>(), state[1].get::<Tuple>()) else {
            return Ok(v);
        };
        let mut args = args.items().to_vec();
        let mut asked = v;
        if let Some(slot) = state[2].as_small().and_then(|i| args.get_mut(i as usize)) {
            asked = std::mem::replace(slot, v);
        }
        vm.run_native(f, &args).map_err(|e| vm.too_big_index(e, asked))
    },
};

/// After the `__fspath__` of an argument. State: the native, its arguments as a tuple, the place of
/// the argument.
static PATH_ROW: Row = Row {
    name: "again_path",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        let (Some(f), Some(args)) = (state[0].get::<Native>(), state[1].get::<Tuple>()) else {
            return Ok(v);
        };
        let mut args = args.items().to_vec();
        let slot = state[2].as_small().and_then(|i| args.get_mut(i as usize));
        let Some(slot) = slot else { return Ok(v) };
        if !v.is_a::<Str>() && !v.is_a::<Bytes>() {
            return Err(vm.type_error(format!(
                "expected {}.__fspath__() to return str or bytes, not {}",
                vm.type_name(*slot),
                vm.type_name(v)
            )));
        }
        *slot = v;
        vm.run_native(f, &args)
    },
};

/// After the collection. State: the native, its arguments as a tuple.
static SETTLED_ROW: Row = Row {
    name: "again_settled",
    catches: false,
    resume: |vm, state, answer: Answer<'_>| {
        let v = answer.value()?;
        let (Some(f), Some(args)) = (state[0].get::<Native>(), state[1].get::<Tuple>()) else {
            return Ok(v);
        };
        vm.settled.set(true);
        let r = vm.run_native(f, args.items());
        vm.settled.set(false);
        r
    },
};

impl Vm {
    /// What native `f`, called with `args`, comes to after it asked to be run again.
    #[cold]
    #[inline(never)]
    pub(crate) fn run_again<'v>(
        &'v self,
        f: &'v Native,
        args: &[Value<'v>],
        action: Box<Action<'v>>,
    ) -> NResult<'v> {
        let Action::Again(why) = *action else { return Err(Exit::Do(action)) };
        let native = Value::object(f);
        match why {
            Again::Index(v) => {
                let Some(at) = args.iter().position(|a| a.is(v)) else {
                    return Err(self.no_integer(v));
                };
                let state = vec![native, self.tuple(args)?, Value::len(at)];
                if v.is_a::<Slice>() {
                    let plain = self.prelude("seq", "plain_slice")?;
                    return Err(Exit::call(plain, vec![v], &INDEX_ROW, state));
                }
                match self.method(v, self.names.__index__)? {
                    Some((f, args)) => self.call_then(f, args, &INDEX_ROW, state),
                    None => Err(self.no_integer(v)),
                }
            }
            Again::Path(v) => {
                let at = args.iter().position(|a| a.is(v));
                match (at, self.method(v, self.names.__fspath__)?) {
                    (Some(at), Some((f, call))) => {
                        let state = vec![native, self.tuple(args)?, Value::len(at)];
                        self.call_then(f, call, &PATH_ROW, state)
                    }
                    _ => Err(self.no_path(v)),
                }
            }
            Again::Settled => {
                let state = vec![native, self.tuple(args)?];
                self.clear_above(args);
                let settle = self.prelude("seq", "settle")?;
                Err(Exit::call(settle, Vec::new(), &SETTLED_ROW, state))
            }
        }
    }

    /// Empties the registers of the running frame above the arguments of the call being made: what
    /// is left there is of no use, and would keep alive what it refers to.
    fn clear_above(&self, args: &[Value<'_>]) {
        let (base, top) = (self.st.base.get(), self.st.top());
        let from = args.as_ptr_range().end.cast_mut().cast::<u64>();
        if from > base && from <= top {
            // SAFETY: the arguments lie in the running frame, so these are its registers above
            // the window of the call, which no code reads before it has written them.
            unsafe {
                let mut p = from;
                while p < top {
                    p.write(EMPTY);
                    p = p.add(1);
                }
            }
        }
    }

    fn no_path<'v>(&'v self, v: Value<'v>) -> Exit<'v> {
        let t = self.type_name(v);
        self.type_error(format!("expected str, bytes or os.PathLike object, not {t}"))
    }

    /// What a native that cannot be run again raises instead.
    pub(crate) fn refused_again<'v>(&'v self, why: Again<'v>) -> Exit<'v> {
        match why {
            Again::Index(v) => self.no_integer(v),
            Again::Path(v) => self.no_path(v),
            Again::Settled => self.exported_error(),
        }
    }
}
