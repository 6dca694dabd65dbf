//! Calls: argument windows, keywords, stars and methods.

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::unit::{Compiler, Res};
use crate::code::op::{Op, Special};
use crate::code::proto::Const;

/// Calls with more arguments than this pass them in a list.
const MAX_ARGS: usize = 100;

impl<'a> Compiler<'a> {
    pub fn call(&mut self, call: &'a Call, dst: u32, span: Span) -> Res {
        self.check_keywords(&call.keywords)?;
        let plain = self.fits(0, &call.args, &call.keywords);
        let f = self.window(dst)?;
        if let ExprKind::Attribute { value, attr, .. } = &call.func.kind
            && plain
        {
            self.check_super(value);
            let attr = self.mangled(attr);
            let receiver = self.tmp()?;
            let object = self.operand(value, Some(receiver), true)?;
            self.op_named(Op::SELF, f, object, &attr, call.func.span);
            self.arguments(f, true, (0, None), &call.args, &call.keywords, span)?;
        } else {
            self.expr(&call.func, f)?;
            self.arguments(f, false, (0, None), &call.args, &call.keywords, span)?;
        }
        self.mov(dst, f);
        Ok(())
    }

    /// `super().name` reads the first parameter as a variable, which may have no value any more;
    /// `super()` alone says so in its own way.
    pub fn check_super(&mut self, value: &Expr) {
        if let ExprKind::Call(call) = &value.kind
            && call.args.is_empty()
            && call.keywords.is_empty()
            && matches!(&call.func.kind, ExprKind::Name(name) if &**name == "super")
            && self.u.proto.arg_count > 0
            && let Some(first) = self.syms.scopes[self.u.scope].order.first().cloned()
        {
            self.read_plain(&first, value.span);
        }
    }

    /// Whether the arguments (after `extra` that are there already) fit registers as they are.
    fn fits(&self, extra: usize, args: &[Expr], keywords: &[Keyword]) -> bool {
        let count = extra + args.len() + keywords.len();
        count <= MAX_ARGS
            && count + 8 <= self.room() as usize
            && !args.iter().any(|e| matches!(e.kind, ExprKind::Starred(_)))
            && !keywords.iter().any(|k| k.arg.is_none())
    }

    /// Evaluates arguments and calls `R[f]`, which is the top temporary (or, for a method, has
    /// its receiver after it). The first `extra` arguments are in place already, `last` is a
    /// register whose value follows the positional ones.
    pub fn arguments(
        &mut self,
        f: u32,
        method: bool,
        (extra, last): (u32, Option<u32>),
        args: &'a [Expr],
        keywords: &'a [Keyword],
        span: Span,
    ) -> Res {
        if !self.fits(extra as usize, args, keywords) {
            return self.call_ex(f, (extra, last), args, keywords, span);
        }
        for arg in args {
            let t = self.tmp()?;
            self.expr(arg, t)?;
        }
        let mut extra = extra;
        if let Some(last) = last {
            let t = self.tmp()?;
            self.mov(t, last);
            extra += 1;
        }
        for k in keywords {
            let t = self.tmp()?;
            self.expr(&k.value, t)?;
        }
        let count = extra + (args.len() + keywords.len()) as u32;
        let op = match (method, keywords.is_empty()) {
            (false, true) => Op::CALL,
            (true, true) => Op::CALLM,
            (false, false) => Op::CALLKW,
            (true, false) => Op::CALLMKW,
        };
        if !keywords.is_empty() {
            let names = keywords.iter().filter_map(|k| k.arg.as_ref());
            let names = names.map(|n| Const::Str(n.name.as_bytes().into())).collect();
            let k = self.u.consts.add(Const::Tuple(names));
            self.opx(Op::KWNAMES, 0, 0, 0, k, span);
        }
        self.op(op, f, count, 0, span);
        self.u.top = f + 1;
        Ok(())
    }

    /// A call with stars, or with very many arguments.
    fn call_ex(
        &mut self,
        f: u32,
        (extra, last): (u32, Option<u32>),
        args: &'a [Expr],
        keywords: &'a [Keyword],
        span: Span,
    ) -> Res {
        // The window: callee, list, dict. Arguments in place already go into the list.
        if extra == 0 {
            let list = self.tmp()?;
            // An error about a starred argument speaks of the callee only if it is the only one.
            let whose = if args.len() == 1 { f } else { list };
            self.argument_list(whose, args, list, span)?;
        } else {
            self.op(Op::MKLIST, f + 1, f + 1, extra, span);
            self.u.top = f + 2;
            let more = self.tmp()?;
            let whose = if args.len() == 1 { f } else { more };
            self.argument_list(whose, args, more, span)?;
            self.op(Op::EXTEND, f + 1, more, f + 1, span);
            self.u.top = f + 2;
        }
        if let Some(last) = last {
            self.op(Op::APPEND, f + 1, last, 0, span);
        }
        let dict = self.tmp()?;
        if keywords.is_empty() {
            self.special(dict, Special::Empty);
        } else {
            self.op(Op::MKDICT, dict, dict, 0, span);
            let mark = self.u.top;
            // Names were checked to differ, so they are merged (and compared) only once something
            // unknown has come in.
            let mut unknown = false;
            for k in keywords {
                match &k.arg {
                    Some(name) if !unknown => {
                        let t = self.tmps(2)?;
                        self.load_str(t, &name.name);
                        self.expr(&k.value, t + 1)?;
                        self.op(Op::DICTADD, dict, t, t + 1, k.span);
                    }
                    Some(name) => {
                        let t = self.tmps(3)?;
                        self.load_str(t + 1, &name.name);
                        self.expr(&k.value, t + 2)?;
                        self.op(Op::MKDICT, t, t + 1, 1, k.span);
                        self.op(Op::DICTMERGE, dict, t, f, span);
                    }
                    None => {
                        unknown = true;
                        let r = self.operand(&k.value, None, true)?;
                        self.op(Op::DICTMERGE, dict, r, f, span);
                    }
                }
                self.u.top = mark;
            }
        }
        self.op(Op::CALLEX, f, 0, 0, span);
        self.u.top = f + 1;
        Ok(())
    }

    pub fn check_keywords(&self, keywords: &[Keyword]) -> Res {
        if keywords.len() < 2 {
            return Ok(());
        }
        let mut seen = rustc_hash::FxHashSet::default();
        for k in keywords {
            if let Some(name) = &k.arg
                && !seen.insert(&name.name)
            {
                let text = format!("keyword argument repeated: {}", name.name);
                return Err(super::error("call", text, k.span));
            }
        }
        Ok(())
    }
}
