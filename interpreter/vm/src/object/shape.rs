//! Shapes (hidden classes): which class an object has and in which slot each attribute is.
//!
//! Shape numbers are never reused, so a cache that holds one can only go stale, not wrong. The
//! shapes of the builtin classes come first, in the order of [`Type`](crate::builtins::Type).

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashMap;

use crate::value::Word;

/// The number of a shape.
pub type ShapeId = u32;

/// More attributes than this, and an object keeps them in a dict.
pub const MAX_SLOTS: usize = 100;

/// One shape.
pub struct Shape {
    /// The class, a word.
    pub class: Cell<Word>,
    /// Interned names by slot.
    names: Vec<Word>,
    /// Next shape by added name.
    next: RefCell<Vec<(Word, ShapeId)>>,
    /// Slots by name, made when there are more than a few.
    index: RefCell<Option<FxHashMap<Word, u32>>>,
    /// Objects of this shape keep their attributes in a dict.
    pub dict_mode: bool,
}

/// All shapes of a VM.
#[derive(Default)]
pub struct Shapes {
    // Boxed so that a shape may be lent while another is added.
    list: RefCell<Vec<std::rc::Rc<Shape>>>,
}

impl Shape {
    /// The slot of `name`.
    #[inline]
    pub fn slot(&self, name: Word) -> Option<usize> {
        if self.names.len() <= 8 {
            return self.names.iter().position(|&n| n == name);
        }
        let mut index = self.index.borrow_mut();
        let map = index.get_or_insert_with(|| {
            self.names.iter().enumerate().map(|(i, &n)| (n, i as u32)).collect()
        });
        map.get(&name).map(|&i| i as usize)
    }

    /// The names by slot.
    pub fn names(&self) -> &[Word] {
        &self.names
    }
}

impl Shapes {
    /// A new root shape of `class`.
    pub fn root(&self, class: Word, dict_mode: bool) -> ShapeId {
        self.push(Shape {
            class: Cell::new(class),
            names: Vec::new(),
            next: RefCell::default(),
            index: RefCell::default(),
            dict_mode,
        })
    }

    fn push(&self, s: Shape) -> ShapeId {
        let mut list = self.list.borrow_mut();
        list.push(std::rc::Rc::new(s));
        (list.len() - 1) as ShapeId
    }

    /// The shape with number `id`.
    #[inline]
    pub fn get(&self, id: ShapeId) -> std::rc::Rc<Shape> {
        self.list.borrow()[id as usize].clone()
    }

    /// The class of shape `id`.
    #[inline(always)]
    pub fn class(&self, id: ShapeId) -> Word {
        self.list.borrow()[id as usize].class.get()
    }

    /// Number of shapes.
    pub fn len(&self) -> usize {
        self.list.borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape after adding `name`, or `None` if the object should change to a dict.
    pub fn add(&self, id: ShapeId, name: Word) -> Option<ShapeId> {
        let from = self.get(id);
        if let Some(&(_, to)) = from.next.borrow().iter().find(|(n, _)| *n == name) {
            return Some(to);
        }
        if from.names.len() >= MAX_SLOTS || from.next.borrow().len() >= 64 {
            return None;
        }
        let mut names = from.names.clone();
        names.push(name);
        let to = self.push(Shape {
            class: Cell::new(from.class.get()),
            names,
            next: RefCell::default(),
            index: RefCell::default(),
            dict_mode: false,
        });
        from.next.borrow_mut().push((name, to));
        Some(to)
    }

    /// The shape with `names` in order, from a root.
    pub fn with_names(&self, root: ShapeId, names: &[Word]) -> Option<ShapeId> {
        names.iter().try_fold(root, |s, &n| self.add(s, n))
    }

    /// Visits the words of all shapes. Classes are kept alive by their shapes: a shape is only
    /// as dead as the VM.
    pub fn trace(&self, m: &mut crate::heap::Marker) {
        for s in self.list.borrow().iter() {
            m.cell(&s.class);
            m.words(&s.names);
        }
    }
}
