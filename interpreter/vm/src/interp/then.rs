//! Going on after whatever a function of ours came to: a value at once, or a call.

use crate::Vm;
use crate::native::{Action, Answer, Exit, NResult, Row, Then};
use crate::object::map::Dict;
use crate::value::Value;

impl Vm {
    /// Hands the result of `r` to `row`: at once if it is there, otherwise when the call that `r`
    /// asks for has returned. A row that catches sees exceptions of both ways.
    pub fn and_then<'v>(
        &'v self,
        r: NResult<'v>,
        row: &'static Row,
        state: Vec<Value<'v>>,
    ) -> NResult<'v> {
        match r {
            Ok(v) => (row.resume)(self, &state, Answer::Value(v)),
            Err(Exit::Raise(e)) if row.catches => (row.resume)(self, &state, Answer::Raised(e)),
            Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
            Err(Exit::Do(action)) => Err(append(action, row, state)),
        }
    }

    /// As [`Vm::and_then`] for effects: the row is given None.
    pub fn and_then_effect<'v>(
        &'v self,
        r: Result<(), Exit<'v>>,
        row: &'static Row,
        state: Vec<Value<'v>>,
    ) -> NResult<'v> {
        self.and_then(r.map(|()| Value::NONE), row, state)
    }

    /// Calls `func` with `args` and the entries of `kw` (a dict, or Empty) as keywords.
    pub fn call_kw<'v>(
        &'v self,
        func: Value<'v>,
        mut args: Vec<Value<'v>>,
        kw: Value<'v>,
    ) -> Exit<'v> {
        let mut kwnames = Value::EMPTY;
        if let Some(d) = kw.get::<Dict>().filter(|d| !d.is_empty()) {
            let (names, values): (Vec<_>, Vec<_>) = d.entries().into_iter().unzip();
            args.extend(values);
            kwnames = match self.tuple(&names) {
                Ok(t) => t,
                Err(e) => return e,
            };
        }
        Exit::Do(Box::new(Action::Call { func, args, kwnames, then: None }))
    }
}

/// `row` after what `action` does already.
pub(crate) fn append<'v>(
    mut action: Box<Action<'v>>,
    row: &'static Row,
    state: Vec<Value<'v>>,
) -> Exit<'v> {
    let outer = Then { row, state };
    match &mut *action {
        Action::Call { then, .. } | Action::Resume { then, .. } | Action::Suspend { then, .. } => {
            *then = Some(match then.take() {
                None => outer,
                Some(inner) => chain(inner, outer),
            });
        }
        Action::Next { then, .. } => {
            let inner = std::mem::replace(then, Then { row, state: Vec::new() });
            *then = chain(inner, outer);
        }
        Action::Nested { .. } | Action::Again(_) => {}
    }
    Exit::Do(action)
}

fn chain<'v>(inner: Then<'v>, outer: Then<'v>) -> Then<'v> {
    let catches = inner.row.catches || outer.row.catches;
    let mut state =
        vec![Value::address(inner.row), Value::address(outer.row), Value::len(inner.state.len())];
    state.extend(inner.state);
    state.extend(outer.state);
    Then { row: if catches { &CATCHING } else { &PLAIN }, state }
}

impl<'v> Then<'v> {
    /// A chained row as the inner one and the outer one.
    pub(super) fn split(mut self) -> (Then<'v>, Option<Then<'v>>) {
        if !std::ptr::eq(self.row, &PLAIN) && !std::ptr::eq(self.row, &CATCHING) {
            return (self, None);
        }
        let (Some(inner), Some(outer), Some(n)) =
            (self.state[0].as_address(), self.state[1].as_address(), self.state[2].as_small())
        else {
            return (self, None);
        };
        let theirs = self.state.split_off(3 + n as usize);
        self.state.drain(..3);
        (Then { row: inner, state: self.state }, Some(Then { row: outer, state: theirs }))
    }
}

static PLAIN: Row = Row { name: "then", catches: false, resume };
static CATCHING: Row = Row { name: "then_catch", catches: true, resume };

fn resume<'v>(vm: &'v Vm, state: &[Value<'v>], answer: Answer<'v>) -> NResult<'v> {
    let (Some(inner), Some(outer), Some(n)) =
        (state[0].as_address(), state[1].as_address(), state[2].as_small())
    else {
        return answer.value();
    };
    let (mine, theirs) = state[3..].split_at(n as usize);
    let r = match answer {
        Answer::Raised(e) if !inner.catches => Err(Exit::Raise(e)),
        a => (inner.resume)(vm, mine, a),
    };
    vm.and_then(r, outer, theirs.to_vec())
}
