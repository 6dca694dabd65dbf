//! Moves, cells, globals, attributes.

#![allow(unsafe_code)]

use super::{frame_function, obj, shape_of};
use crate::cache::kind;
use crate::code::op::Ins;
use crate::interp::dispatch::{Handler0, Next};
use crate::interp::state::State;
use crate::object::func::CellObj;
use crate::object::instance::{Slots, more_of};
use crate::object::map::Dict;
use crate::object::record::Module;
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
        let dict = *c.add(3) as *const Dict;
        let Some(f) = frame_function(base) else { return Next::Slow };
        let globals = ptr_of((*f).globals.get()).cast::<Dict>();
        if dict.is_null() || !std::ptr::eq(globals, dict) {
            return Next::Slow;
        }
        let t = &*(*dict).table_ptr();
        let version = t.version() << 1 | 1;
        let key = *c.add(1);
        if key == version {
            match t.get(*c.add(2) as usize) {
                Some(e) => *base.add(i.a()) = e.value,
                None => return Next::Slow,
            }
        } else if key == version | 1 << 63 {
            *base.add(i.a()) = *c.add(2);
        } else {
            return Next::Slow;
        }
        Next::Go(pc.add(1))
    }
    GETATTR |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let c = k.add(*pc as usize);
        let shape = u64::from(shape_of(o));
        let key = *c.add(1);
        if key == shape | kind::INLINE {
            *base.add(i.a()) = *ptr_of(o).cast::<u8>().add(*c.add(2) as usize).cast::<Word>();
            return Next::Go(pc.add(1));
        }
        if key == shape | kind::CLASS {
            *base.add(i.a()) = *c.add(2);
            return Next::Go(pc.add(1));
        }
        if key == shape | kind::MORE {
            let more = more_of(&*ptr_of(o)).get();
            let block = &*obj::<Slots>(more);
            *base.add(i.a()) = block.cells().get_unchecked(*c.add(2) as usize).get();
            return Next::Go(pc.add(1));
        }
        if key == shape | kind::MODULE {
            if let Some(w) = module_attribute(o, c) {
                *base.add(i.a()) = w;
                return Next::Go(pc.add(1));
            }
        }
        Next::Slow
    }
    SETATTR |pc, base, i, k, st| {
        let o = *base.add(i.a());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let c = k.add(*pc as usize);
        let shape = u64::from(shape_of(o));
        let key = *c.add(1);
        if key == shape | kind::INLINE {
            *ptr_of(o).cast::<u8>().add(*c.add(2) as usize).cast::<Word>() = *base.add(i.b());
            return Next::Go(pc.add(1));
        }
        if key == shape | kind::ADD {
            *ptr_of(o).cast::<u8>().add(*c.add(2) as usize).cast::<Word>() = *base.add(i.b());
            (*ptr_of(o)).shape.set(*c.add(3) as u32);
            return Next::Go(pc.add(1));
        }
        Next::Slow
    }
    SELF |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let c = k.add(*pc as usize);
        let shape = u64::from(shape_of(o));
        if *c.add(1) == shape | kind::METHOD {
            *base.add(i.a()) = *c.add(2);
            *base.add(i.a() + 1) = o;
            return Next::Go(pc.add(1));
        }
        if *c.add(1) == shape | kind::MODULE {
            if let Some(w) = module_attribute(o, c) {
                *base.add(i.a()) = w;
                *base.add(i.a() + 1) = EMPTY;
                return Next::Go(pc.add(1));
            }
        }
        Next::Slow
    }
}
