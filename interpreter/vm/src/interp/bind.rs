//! Putting the arguments of a call where a function's parameters are.

use crate::Vm;
use crate::native::Exit;
use crate::object::func::Function;
use crate::object::map::Dict;
use crate::object::seq::Tuple;
use crate::object::text::Str;
use crate::value::{EMPTY, Value, Word};

impl Vm {
    /// Puts the arguments where the parameters of `f` are, if they are not too many, each gets a
    /// value and there is no `**kwargs`; `false`, with nothing changed, otherwise.
    pub(super) fn bind_plain<'v>(
        &'v self,
        f: &'v Function,
        a: usize,
        n: usize,
        kwnames: Word,
    ) -> Result<bool, Exit<'v>> {
        const MOST: usize = 32;
        let proto = &f.code().proto;
        let argc = proto.arg_count as usize;
        let total = argc + proto.kwonly_count as usize;
        if proto.flags.varkw || total > MOST || n > MOST {
            return Ok(false);
        }
        let names = self.word_value(kwnames).get::<Tuple>().map_or(&[][..], |t| t.items());
        let given = n - names.len();
        if given > argc && !proto.flags.varargs {
            return Ok(false);
        }
        let defaults = crate::object::read(&f.defaults).get::<Tuple>();
        let defaults = defaults.map_or(&[][..], |t| t.items());
        if n == given && total == argc && !proto.flags.varargs {
            // Nothing but defaults is wanted, from the end.
            let Some(from) = defaults.len().checked_sub(argc - n) else { return Ok(false) };
            for (i, v) in defaults[from..].iter().enumerate() {
                self.st.set_reg(a + 1 + n + i, v.word());
            }
            return Ok(true);
        }
        let placed = given.min(argc);
        let mut bound = [EMPTY; MOST];
        for (b, v) in bound.iter_mut().zip(self.regs(a + 1, placed)) {
            *b = v.word();
        }
        let first = (proto.posonly_count as usize).max(placed);
        for (name, v) in names.iter().zip(self.regs(a + 1 + given, names.len())) {
            let Some(name) = name.get::<Str>() else { return Ok(false) };
            let found = (first..total).find(|&i| proto.locals[i].as_bytes() == name.bytes());
            match found {
                Some(i) if bound[i] == EMPTY => bound[i] = v.word(),
                _ => return Ok(false),
            }
        }
        let optional = argc.saturating_sub(defaults.len());
        for (i, b) in bound.iter_mut().enumerate().take(argc).skip(placed) {
            if *b == EMPTY {
                match i.checked_sub(optional).and_then(|i| defaults.get(i)) {
                    Some(v) => *b = v.word(),
                    None => return Ok(false),
                }
            }
        }
        let kwdefaults = crate::object::read(&f.kwdefaults).get::<Dict>();
        for (i, b) in bound.iter_mut().enumerate().take(total).skip(argc) {
            if *b == EMPTY {
                match kwdefaults.and_then(|d| self.keyword_default(d, &proto.locals[i])) {
                    Some(v) => *b = v.word(),
                    None => return Ok(false),
                }
            }
        }
        if proto.flags.varargs {
            let rest = self.tuple(self.regs(a + 1 + placed, given - placed))?;
            self.st.set_reg(a + 1 + total, rest.word());
        }
        for (i, &w) in bound[..total].iter().enumerate().skip(placed) {
            self.st.set_reg(a + 1 + i, w);
        }
        Ok(true)
    }

    /// The default of a keyword-only parameter. There are few: to compare is cheaper than to hash.
    fn keyword_default<'v>(&'v self, defaults: &'v Dict, name: &str) -> Option<Value<'v>> {
        if defaults.len() > 8 {
            return self.dict_get_str(defaults, name);
        }
        let table = defaults.table();
        let is_it = |key| {
            let key = self.word_value(key).get::<Str>();
            key.is_some_and(|key| key.bytes() == name.as_bytes())
        };
        table.iter().find(|e| is_it(e.key)).map(|e| self.word_value(e.value))
    }

    /// Puts the arguments where the parameters of `f` are: the general case.
    pub(super) fn bind_arguments<'v>(
        &'v self,
        f: &'v Function,
        a: usize,
        n: usize,
        kwnames: Word,
    ) -> Result<(), Exit<'v>> {
        let proto = &f.code().proto;
        let argc = proto.arg_count as usize;
        let kwonly = proto.kwonly_count as usize;
        let total = argc + kwonly;
        let kwnames: &[Value<'v>] =
            self.word_value(kwnames).get::<Tuple>().map_or(&[], |t| t.items());
        let given = n - kwnames.len();
        let args: Vec<Value<'v>> = self.regs(a + 1, n).to_vec();
        let slots = total + usize::from(proto.flags.varargs) + usize::from(proto.flags.varkw);
        self.room(a, slots.max(f.reg_count as usize) + 8)?;
        let mut bound: Vec<Value<'v>> = vec![Value::EMPTY; total];
        let positional = given.min(argc);
        bound[..positional].copy_from_slice(&args[..positional]);
        let extra_kw = if proto.flags.varkw { Some(self.dict()) } else { None };
        for (name, &v) in kwnames.iter().zip(&args[given..]) {
            let Some(name_str) = name.get::<Str>() else {
                return Err(self.type_error("keywords must be strings"));
            };
            let text = name_str.to_display();
            let at = proto.locals[..total]
                .iter()
                .enumerate()
                .skip(proto.posonly_count as usize)
                .position(|(_, l)| *l == text)
                .map(|i| i + proto.posonly_count as usize);
            match (at, extra_kw) {
                (Some(i), _) => {
                    if !bound[i].is_empty() {
                        return Err(self.type_error(format!(
                            "{}() got multiple values for argument '{text}'",
                            self.func_name(f)
                        )));
                    }
                    bound[i] = v;
                }
                (None, Some(d)) => {
                    let key = Value::object(self.intern_str(name_str));
                    self.dict_set_name(d, key, v)?;
                }
                (None, None) => {
                    return Err(self.unexpected_keyword(f, &text, kwnames));
                }
            }
        }
        if given > argc && !proto.flags.varargs {
            return Err(self.too_many_positional(f, given, &bound[argc..]));
        }
        if let Some(defaults) = crate::object::read(&f.defaults).get::<Tuple>() {
            let d = defaults.items();
            let first = argc.saturating_sub(d.len());
            for i in first..argc {
                if bound[i].is_empty() {
                    bound[i] = d[i - first];
                }
            }
        }
        if bound[..argc].iter().any(|v| v.is_empty()) {
            return Err(self.missing_arguments(f, &bound[..argc], 0, "positional"));
        }
        if kwonly > 0 {
            let defaults = crate::object::read(&f.kwdefaults).get::<Dict>();
            for (b, name) in bound[argc..].iter_mut().zip(&proto.locals[argc..total]) {
                if let (true, Some(d)) = (b.is_empty(), defaults)
                    && let Some(v) = self.dict_get_str(d, name)
                {
                    *b = v;
                }
            }
            if bound[argc..].iter().any(|v| v.is_empty()) {
                return Err(self.missing_arguments(f, &bound[argc..], argc, "keyword-only"));
            }
        }
        if proto.flags.varargs {
            let rest = if given > argc { &args[argc..given] } else { &[] };
            bound.push(self.tuple(rest)?);
        }
        if let Some(d) = extra_kw {
            bound.push(Value::object(d));
        }
        for (i, v) in bound.iter().enumerate() {
            self.st.set_reg(a + 1 + i, v.word());
        }
        Ok(())
    }
}
