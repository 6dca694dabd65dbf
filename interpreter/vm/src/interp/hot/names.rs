//! Moves, cells, globals, attributes.

#![allow(unsafe_code)]

use super::{frame_function, kind_is, obj, shape_of};
use crate::Vm;
use crate::cache::kind;
use crate::code::op::Ins;
use crate::heap::Kind;
use crate::interp::dispatch::{Handler0, Next};
use crate::interp::state::State;
use crate::object::func::{CellObj, Function};
use crate::object::instance::{Slots, more_of};
use crate::object::map::Dict;
use crate::object::record::Module;
use crate::object::seq::Tuple;
use crate::table::DictTable;
use crate::value::*;

/// The value of a module's attribute, if the cache `c` knows where module `o` has it.
#[inline(always)]
unsafe fn module_attribute(o: Word, c: *const Word) -> Option<Word> {
    // SAFETY: the cache's key said that `o` has the shape of modules; the dict is compared with
    // the module's own before it is read.
    unsafe {
        let dict = *c.add(3) as *const Dict;
        let module = &*obj::<Module>(o);
        if !std::ptr::eq(ptr_of(module.dict.get()).cast::<Dict>(), dict) {
            return None;
        }
        let t = &*(*dict).table_ptr();
        let packed = *c.add(2);
        if t.version() & 0xFFFF_FFFF != packed >> 32 {
            return None;
        }
        t.get((packed & 0xFFFF_FFFF) as usize).map(|e| e.value)
    }
}

/// The place of an attribute behind an instance.
#[inline(always)]
unsafe fn inline_slot(o: Word, offset: u64) -> *mut Word {
    // SAFETY: the cache's key said that objects of this shape have it there.
    unsafe { ptr_of(o).cast::<u8>().add(offset as usize).cast() }
}

/// What the cache of an attribute instruction says about object `o`: its own entry, or one of the
/// second level for a site that sees several shapes.
#[inline(always)]
unsafe fn entry(o: Word, c: *const Word, st: *mut State) -> Option<*const Word> {
    // SAFETY: a live object; `c` is the cache of the running instruction.
    unsafe {
        let shape = shape_of(o);
        if *c.add(1) as u32 == shape && *c.add(1) >> 32 != 0 {
            return Some(c);
        }
        let row = (*st).sites.row(c, shape);
        if (*row)[0] == c as u64 && (*row)[1] as u32 == shape {
            return Some(row.cast());
        }
        None
    }
}

/// Whether the cache `c` has an entry of `kind` for objects of the shape of `o`. In halves, since
/// a constant of 64 bits takes a register more.
#[inline(always)]
unsafe fn is_for(c: *const Word, o: Word, kind: u64) -> bool {
    // SAFETY: a live object; `c` is the cache of the running instruction, whose key is two halves.
    unsafe {
        let key = c.add(1).cast::<u32>();
        *key == shape_of(o) && *key.add(1) == (kind >> 32) as u32
    }
}

/// The table of the running frame's globals, if `base[-1]` is a function.
#[inline(always)]
unsafe fn global_table(base: *mut Word) -> Option<*mut DictTable> {
    // SAFETY: base[-1] of a script frame is its function or generator; globals are a dict.
    unsafe {
        let w = *base.sub(1);
        if !kind_is(w, Kind::Function) {
            return None;
        }
        Some((*obj::<Dict>((*obj::<Function>(w)).globals.get())).table_ptr())
    }
}

/// GETGLOBAL of a builtin, or in a generator.
#[inline(never)]
unsafe extern "sysv64" fn get_global(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler.
    unsafe {
        let c = k.add(*pc as usize);
        let Some(f) = frame_function(base) else { slow!(pc, base, ins, k, st, table) };
        let dict = obj::<Dict>((*f).globals.get());
        let t = &*(*dict).table_ptr();
        let w = if *c.add(1) == kind::GLOBAL {
            t.entry_of(*c.add(2) as usize, *c).map_or(EMPTY, |e| e.value)
        } else if *c.add(1) == kind::BUILTIN | t.version() && *c.add(3) == dict as u64 {
            // The state is the VM's first field, and what holds the builtins is a dict.
            let builtins = &*(*obj::<Dict>((*st.cast::<Vm>()).builtins.get())).table_ptr();
            builtins.entry_of(*c.add(2) as usize, *c).map_or(EMPTY, |e| e.value)
        } else {
            EMPTY
        };
        if w == EMPTY {
            slow!(pc, base, ins, k, st, table)
        }
        *base.add(Ins(ins as u32).a()) = w;
        goto!(pc.add(1), base, k, st, table)
    }
}

/// GETATTR beyond an attribute behind an instance of the expected shape.
#[inline(never)]
unsafe extern "sysv64" fn get_attribute(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; R[b] is an object. What an entry says holds for all
    // objects of its shape.
    unsafe {
        let i = Ins(ins as u32);
        let o = *base.add(i.b());
        let Some(c) = entry(o, k.add(*pc as usize), st) else { slow!(pc, base, ins, k, st, table) };
        let w = match *c.add(1) & kind::MASK {
            kind::INLINE | kind::SLOT => *inline_slot(o, *c.add(2)),
            kind::CLASS => *c.add(2),
            kind::MORE => {
                let more = more_of(&*ptr_of(o)).get();
                (*obj::<Slots>(more)).cells().get_unchecked(*c.add(2) as usize).get()
            }
            kind::ITEM => {
                let items = (*obj::<Tuple>(o)).items();
                items.get(*c.add(2) as usize).map_or(EMPTY, |v| v.word())
            }
            kind::MODULE => module_attribute(o, c).unwrap_or(EMPTY),
            kind::OBJECT if *c.add(3) == o => *c.add(2),
            _ => EMPTY,
        };
        if w == EMPTY {
            slow!(pc, base, ins, k, st, table)
        }
        *base.add(i.a()) = w;
        goto!(pc.add(1), base, k, st, table)
    }
}

/// SETATTR beyond an attribute behind an instance of the expected shape.
#[inline(never)]
unsafe extern "sysv64" fn set_attribute(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: as for `get_attribute`, with the object in R[a].
    unsafe {
        let i = Ins(ins as u32);
        let o = *base.add(i.a());
        let Some(c) = entry(o, k.add(*pc as usize), st) else { slow!(pc, base, ins, k, st, table) };
        match *c.add(1) & kind::MASK {
            kind::INLINE => *inline_slot(o, *c.add(2)) = *base.add(i.b()),
            kind::ADD => {
                *inline_slot(o, *c.add(2)) = *base.add(i.b());
                (*ptr_of(o)).shape.set(*c.add(3) as u32);
            }
            _ => slow!(pc, base, ins, k, st, table),
        }
        goto!(pc.add(1), base, k, st, table)
    }
}

/// SELF beyond a method of the expected shape.
#[inline(never)]
unsafe extern "sysv64" fn load_method(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: as for `get_attribute`.
    unsafe {
        let i = Ins(ins as u32);
        let o = *base.add(i.b());
        let Some(c) = entry(o, k.add(*pc as usize), st) else { slow!(pc, base, ins, k, st, table) };
        let (f, receiver) = match *c.add(1) & kind::MASK {
            kind::METHOD => (*c.add(2), o),
            kind::MODULE => (module_attribute(o, c).unwrap_or(EMPTY), EMPTY),
            kind::OBJECT if *c.add(3) == o => (*c.add(2), EMPTY),
            kind::CLASS_METHOD if *c.add(3) == o => (*c.add(2), o),
            _ => (EMPTY, EMPTY),
        };
        if f == EMPTY {
            slow!(pc, base, ins, k, st, table)
        }
        *base.add(i.a()) = f;
        *base.add(i.a() + 1) = receiver;
        goto!(pc.add(1), base, k, st, table)
    }
}

hot! {
    MOVE |pc, base, i, k, st| {
        *base.add(i.a()) = *base.add(i.b());
        Next::Go(pc)
    }
    LOADK |pc, base, i, k, st| {
        *base.add(i.a()) = *k.add(i.bx());
        Next::Go(pc)
    }
    LOADI |pc, base, i, k, st| {
        *base.add(i.a()) = int_word(i.sbx() as i64);
        Next::Go(pc)
    }
    LOADS |pc, base, i, k, st| {
        *base.add(i.a()) = EMPTY + i.b() as u64;
        Next::Go(pc)
    }
    CHECK |pc, base, i, k, st| {
        if *base.add(i.a()) == EMPTY { Next::Slow } else { Next::Go(pc.add(1)) }
    }
    GETCELL |pc, base, i, k, st| {
        let v = (*obj::<CellObj>(*base.add(i.b()))).contents.get();
        if v == EMPTY {
            return Next::Slow;
        }
        *base.add(i.a()) = v;
        Next::Go(pc.add(1))
    }
    SETCELL |pc, base, i, k, st| {
        (*obj::<CellObj>(*base.add(i.a()))).contents.set(*base.add(i.b()));
        Next::Go(pc)
    }
    GETFREE |pc, base, i, k, st| {
        let Some(f) = frame_function(base) else { return Next::Slow };
        let cell = *(*f).free.add(i.bx());
        let v = (*obj::<CellObj>(cell)).contents.get();
        if v == EMPTY {
            return Next::Slow;
        }
        *base.add(i.a()) = v;
        Next::Go(pc)
    }
    SETFREE |pc, base, i, k, st| {
        let Some(f) = frame_function(base) else { return Next::Slow };
        let cell = *(*f).free.add(i.bx());
        (*obj::<CellObj>(cell)).contents.set(*base.add(i.a()));
        Next::Go(pc)
    }
    GETGLOBAL |pc, base, i, k, st| {
        let c = k.add(*pc as usize);
        if *c.add(1) == kind::GLOBAL
            && let Some(t) = global_table(base)
            && let Some(e) = (*t).entry_of(*c.add(2) as usize, *c)
        {
            *base.add(i.a()) = e.value;
            return Next::Go(pc.add(1));
        }
        Next::Tail(get_global)
    }
    SETGLOBAL |pc, base, i, k, st| {
        let c = k.add(*pc as usize);
        if *c.add(1) == kind::GLOBAL
            && let Some(t) = global_table(base)
            && let Some(e) = (*t).entry_of_mut(*c.add(2) as usize, *c)
        {
            e.value = *base.add(i.a());
            return Next::Go(pc.add(1));
        }
        Next::Slow
    }
    GETATTR |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let c = k.add(*pc as usize);
        if is_for(c, o, kind::INLINE) {
            *base.add(i.a()) = *inline_slot(o, *c.add(2));
            return Next::Go(pc.add(1));
        }
        Next::Tail(get_attribute)
    }
    SETATTR |pc, base, i, k, st| {
        let o = *base.add(i.a());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let c = k.add(*pc as usize);
        if is_for(c, o, kind::INLINE) {
            *inline_slot(o, *c.add(2)) = *base.add(i.b());
            return Next::Go(pc.add(1));
        }
        Next::Tail(set_attribute)
    }
    SELF |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let c = k.add(*pc as usize);
        if is_for(c, o, kind::METHOD) {
            *base.add(i.a()) = *c.add(2);
            *base.add(i.a() + 1) = o;
            return Next::Go(pc.add(1));
        }
        Next::Tail(load_method)
    }
}
