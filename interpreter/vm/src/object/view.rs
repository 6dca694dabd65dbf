//! `memoryview`: a typed window on the bytes of a bytes or bytearray object, or on those that a
//! payload lends.

#![allow(unsafe_code)]

use std::cell::{Cell, Ref, RefCell};
use std::rc::Rc;

use super::opaque::Opaque;
use super::read;
use super::text::{ByteArray, Bytes};
use crate::heap::{Header, Kind, Marker, Object};
use crate::value::{EMPTY, Value, Word};

/// The bytes of an object that has some.
pub enum Data<'v> {
    /// Those of `bytes`.
    Fixed(&'v [u8]),
    /// Those of a `bytearray` or of a payload.
    Array(Ref<'v, [u8]>),
}

impl std::ops::Deref for Data<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Data::Fixed(b) => b,
            Data::Array(b) => b,
        }
    }
}

/// Which bytes a view shows, and as what.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Where the first item begins.
    pub offset: usize,
    /// The format character of the items.
    pub format: u8,
    /// Whether the format was given with an `@`.
    pub native_mark: bool,
    /// Bytes of an item.
    pub item: usize,
    /// Items of each dimension.
    pub shape: Vec<usize>,
    /// Bytes from one item to the next, of each dimension.
    pub strides: Vec<isize>,
}

impl Layout {
    /// Plain bytes.
    pub fn bytes(len: usize) -> Layout {
        Layout {
            offset: 0,
            format: b'B',
            native_mark: false,
            item: 1,
            shape: vec![len],
            strides: vec![1],
        }
    }

    /// Number of items.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Bytes of all items.
    pub fn byte_len(&self) -> usize {
        self.count() * self.item
    }

    /// Whether the items lie without gaps in the order of the last index first (`C`) or of the
    /// first index first.
    pub fn is_contiguous(&self, last_first: bool) -> bool {
        let mut step = self.item as isize;
        let mut fits = |(&n, &stride): (&usize, &isize)| {
            let good = n <= 1 || stride == step;
            step = step.saturating_mul(n as isize);
            good
        };
        let mut dims = self.shape.iter().zip(&self.strides);
        self.count() == 0 || if last_first { dims.rev().all(fits) } else { dims.all(&mut fits) }
    }

    /// Calls `f` with the place of each item, the last index changing first.
    pub fn for_each_item(&self, mut f: impl FnMut(usize)) {
        if self.count() == 0 {
            return;
        }
        let mut index = vec![0; self.shape.len()];
        let mut at = self.offset as isize;
        loop {
            f(at as usize);
            let mut d = self.shape.len();
            loop {
                let Some(next) = d.checked_sub(1) else { return };
                d = next;
                index[d] += 1;
                at += self.strides[d];
                if index[d] < self.shape[d] {
                    break;
                }
                at -= self.strides[d] * index[d] as isize;
                index[d] = 0;
            }
        }
    }
}

/// A `memoryview`.
#[repr(C)]
pub struct MemoryView {
    head: Header,
    /// Whose bytes these are; Empty once released.
    owner: Cell<Word>,
    /// Keeps the owner from changing its length.
    lock: RefCell<Option<Rc<()>>>,
    /// Whether the bytes may not be changed.
    pub readonly: bool,
    /// Which bytes.
    pub layout: Layout,
}

impl MemoryView {
    pub(crate) fn new(shape: u32, owner: Value<'_>, readonly: bool, layout: Layout) -> MemoryView {
        MemoryView {
            head: Header::new(Kind::MemoryView, shape),
            owner: Cell::new(owner.word()),
            lock: RefCell::new(match owner.get::<Opaque>() {
                Some(lender) => lender.with_buffer(|b| Rc::clone(b.exports)),
                None => owner.get::<ByteArray>().map(ByteArray::export),
            }),
            readonly,
            layout,
        }
    }

    /// Whose bytes these are; `None` once released.
    pub fn owner(&self) -> Option<Value<'_>> {
        Some(read(&self.owner)).filter(|v| !v.is_empty())
    }

    /// Lets go of the bytes.
    pub fn release(&self) {
        self.owner.set(EMPTY);
        self.lock.take();
    }

    /// All bytes of the owner.
    pub fn owner_bytes(&self) -> Option<Data<'_>> {
        let owner = self.owner()?;
        if let Some(b) = owner.get::<Bytes>() {
            return Some(Data::Fixed(b.bytes()));
        }
        if let Some(lender) = owner.get::<Opaque>() {
            return lender.bytes().map(Data::Array);
        }
        owner.get::<ByteArray>().map(|b| Data::Array(Ref::map(b.bytes(), |b| &b[..])))
    }

    /// The bytes shown, if they lie in one piece.
    pub fn contiguous(&self) -> Option<Data<'_>> {
        let l = &self.layout;
        if !l.is_contiguous(true) {
            return None;
        }
        let range = l.offset..l.offset + l.byte_len();
        Some(match self.owner_bytes()? {
            Data::Fixed(b) => Data::Fixed(b.get(range)?),
            Data::Array(b) => {
                b.get(range.clone())?;
                Data::Array(Ref::map(b, |b| &b[range]))
            }
        })
    }

    /// A copy of the bytes shown, in order; `None` once released.
    pub fn copy(&self) -> Option<Vec<u8>> {
        if let Some(b) = self.contiguous() {
            return Some(b.to_vec());
        }
        let all = self.owner_bytes()?;
        let mut out = Vec::with_capacity(self.layout.byte_len());
        self.layout.for_each_item(|at| {
            out.extend_from_slice(all.get(at..at + self.layout.item).unwrap_or(&[]));
        });
        Some(out)
    }
}

/// The bytes of a bytes, bytearray or contiguous memoryview object, or those that it lends.
pub fn data_of(v: Value<'_>) -> Option<Data<'_>> {
    if let Some(b) = v.get::<Bytes>() {
        return Some(Data::Fixed(b.bytes()));
    }
    if let Some(b) = v.get::<ByteArray>() {
        return Some(Data::Array(Ref::map(b.bytes(), |b| &b[..])));
    }
    if let Some(lender) = v.get::<Opaque>() {
        return lender.bytes().map(Data::Array);
    }
    v.get::<MemoryView>()?.contiguous()
}

// SAFETY: repr(C), header first, the one word traced.
unsafe impl Object for MemoryView {
    const KIND: Kind = Kind::MemoryView;
    const DROPS: bool = true;
    fn trace(&self, m: &mut Marker) {
        m.cell(&self.owner);
    }
    fn owned_bytes(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn items_are_visited_in_order() {
        let l = Layout {
            offset: 2,
            shape: vec![2, 3],
            strides: vec![12, 4],
            item: 4,
            ..Layout::bytes(0)
        };
        let mut at = Vec::new();
        l.for_each_item(|i| at.push(i));
        assert_eq!(at, [2, 6, 10, 14, 18, 22]);
        assert!(l.is_contiguous(true) && !l.is_contiguous(false));
        let back = Layout { offset: 2, strides: vec![-1], ..Layout::bytes(3) };
        let mut at = Vec::new();
        back.for_each_item(|i| at.push(i));
        assert_eq!(at, [2, 1, 0]);
        assert!(!back.is_contiguous(true));
        Layout::bytes(0).for_each_item(|_| panic!("there is none"));
    }
}
