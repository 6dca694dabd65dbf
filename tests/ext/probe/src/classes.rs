//! Native classes: dunder methods, properties, class methods, destructors, traced values.

use miniscript_sdk as ms;
use ms::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// How often the destructor of each class ran.
static DROPPED: Mutex<BTreeMap<&str, usize>> = Mutex::new(BTreeMap::new());

pub fn note_drop(class: &'static str) {
    if let Ok(mut dropped) = DROPPED.lock() {
        *dropped.entry(class).or_default() += 1;
    }
}

/// How often the destructor of a class ran.
#[ms::function]
pub fn dropped(class: &str) -> usize {
    DROPPED.lock().map_or(0, |dropped| dropped.get(class).copied().unwrap_or(0))
}

/// Forgets it.
#[ms::function]
pub fn reset_dropped() {
    if let Ok(mut dropped) = DROPPED.lock() {
        dropped.clear();
    }
}

/// A point of the plane, or an arrow.
#[ms::class]
#[derive(Clone, Copy, PartialEq)]
pub struct Vector {
    x: f64,
    y: f64,
}

fn not_implemented(cx: &Cx) -> Result<Value> {
    cx.builtin("NotImplemented")
}

#[ms::methods]
impl Vector {
    /// Number of coordinates.
    const SIZE: i64 = 2;

    #[ms(new)]
    fn new(x: f64, #[ms(default = 0.0)] y: f64) -> Self {
        Self { x, y }
    }

    /// The vector of an angle and a length.
    #[ms(static)]
    fn polar(angle: f64, #[ms(default = 1.0)] length: f64) -> Self {
        Self { x: angle.cos() * length, y: angle.sin() * length }
    }

    /// The null vector, of the class it is called on.
    #[ms(class)]
    fn zero(cls: Value) -> ms::New<Self> {
        ms::New::of(cls, Self { x: 0.0, y: 0.0 })
    }

    /// The name of the class it is called on.
    #[ms(class, calls_back)]
    fn class_name(cx: &Cx, cls: Value, #[ms(default = "!")] mark: String) -> Result<String> {
        let name: String = cx.get_attr(cls, "__name__")?.to(cx)?;
        Ok(name + &mark)
    }

    /// The horizontal part.
    #[ms(getter)]
    fn x(&self) -> f64 {
        self.x
    }

    #[ms(setter)]
    fn set_x(&mut self, x: f64) -> Result<()> {
        if x.is_nan() {
            return Err(Error::value("x must be a number"));
        }
        self.x = x;
        Ok(())
    }

    /// Only to be read.
    #[ms(getter)]
    fn length(&self) -> f64 {
        self.x.hypot(self.y)
    }

    /// Times a number, rounded down on demand.
    fn scaled(&self, by: f64, #[ms(keyword, default = false)] down: bool) -> Self {
        let round = |v: f64| if down { v.floor() } else { v };
        Self { x: round(self.x * by), y: round(self.y * by) }
    }

    fn __add__(&self, cx: &Cx, other: Value) -> Result<Value> {
        match other.to::<Instance<'_, Self>>(cx) {
            Ok(other) => {
                let other = *other.borrow()?;
                cx.make(Self { x: self.x + other.x, y: self.y + other.y })
            }
            Err(error) => {
                cx.catch(error)?;
                not_implemented(cx)
            }
        }
    }

    fn __rmul__(&self, by: f64) -> Self {
        self.scaled(by, false)
    }

    fn __neg__(&self) -> Self {
        self.scaled(-1.0, false)
    }

    fn __eq__(&self, cx: &Cx, other: Value) -> Result<Value> {
        match other.to::<Instance<'_, Self>>(cx) {
            Ok(other) => cx.make(*self == *other.borrow()?),
            Err(error) => {
                cx.catch(error)?;
                not_implemented(cx)
            }
        }
    }

    fn __lt__(&self, other: Instance<'_, Self>) -> Result<bool> {
        Ok(self.length() < other.borrow()?.length())
    }

    fn __hash__(&self) -> i64 {
        (self.x * 1000.0 + self.y) as i64
    }

    fn __repr__(&self) -> String {
        format!("Vector({}, {})", self.x, self.y)
    }

    fn __str__(&self) -> String {
        format!("({}, {})", self.x, self.y)
    }

    fn __format__(&self, spec: &str) -> String {
        format!("<{}|{spec}>", self.length())
    }

    fn __bool__(&self) -> bool {
        self.x != 0.0 || self.y != 0.0
    }

    fn __getitem__(&self, index: i64) -> Result<f64> {
        match index {
            0 => Ok(self.x),
            1 => Ok(self.y),
            _ => Err(Error::new("IndexError", "vector index out of range")),
        }
    }

    fn __abs__(&self) -> f64 {
        self.length()
    }

    fn __float__(&self) -> f64 {
        self.length()
    }
}

/// Counts; scripts may derive from it.
#[ms::class(subclassable)]
pub struct Counter {
    value: i64,
}

#[ms::methods]
impl Counter {
    /// The largest start.
    const LIMIT: i64 = 100;

    #[ms(new)]
    fn new(#[ms(default = 0)] start: i64) -> Result<Self> {
        if start > Self::LIMIT {
            return Err(Error::value("too much"));
        }
        Ok(Self { value: start })
    }

    /// Adds, and returns the new value.
    fn add(&mut self, #[ms(default = 1)] by: i64) -> i64 {
        self.value += by;
        self.value
    }

    /// The value.
    #[ms(getter)]
    pub fn value(&self) -> i64 {
        self.value
    }

    #[ms(setter)]
    fn set_value(&mut self, value: i64) {
        self.value = value;
    }

    fn __len__(&self) -> i64 {
        self.value
    }

    fn __repr__(&self) -> String {
        format!("Counter({})", self.value)
    }

    /// Calls while the counter is borrowed.
    #[ms(calls_back)]
    fn during(&mut self, cx: &Cx, callback: Value) -> Result<Value> {
        self.value += 1;
        cx.call(callback, &[])
    }

    /// Calls the method `step` of the object, which a script class may define.
    #[ms(calls_back)]
    fn steps(&self, cx: &Cx, #[ms(object)] object: Value, n: usize) -> Result<Vec<Value>> {
        let step = cx.get_attr(object, "step")?;
        (0..n).map(|i| cx.call(step, &[cx.make(i)?])).collect()
    }

    /// Panics.
    fn explode(&mut self) {
        self.value = -1;
        panic!("the counter exploded");
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        note_drop("Counter");
    }
}

/// Keeps script objects, and may be part of a cycle.
#[ms::class(subclassable)]
pub struct Node {
    children: RefCell<Vec<Kept>>,
    root: Option<Kept>,
}

#[ms::methods]
impl Node {
    #[ms(new)]
    fn new() -> Self {
        Self { children: RefCell::new(Vec::new()), root: None }
    }

    /// Keeps a value as long as the node lives.
    fn append(&self, cx: &Cx, child: Value) -> Result<()> {
        self.children.borrow_mut().push(child.keep_traced(cx)?);
        Ok(())
    }

    /// Keeps a value as a root.
    fn set_root(&mut self, cx: &Cx, value: Value) -> Result<()> {
        self.root = Some(value.keep(cx)?);
        Ok(())
    }

    /// The values.
    #[ms(getter)]
    fn children(&self) -> Vec<Value> {
        self.children.borrow().iter().map(Kept::get).collect()
    }

    /// Forgets them.
    fn clear(&self) {
        self.children.borrow_mut().clear();
    }

    #[ms(trace)]
    fn trace(&self, tracer: &mut ms::Tracer) {
        for child in self.children.borrow().iter() {
            tracer.visit(child);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        note_drop("Node");
    }
}

/// A container with all its dunder methods; several of them call back.
#[ms::class]
pub struct Stack {
    items: RefCell<Vec<Kept>>,
}

#[ms::methods]
impl Stack {
    #[ms(new)]
    fn new(cx: &Cx, #[ms(args)] items: Vec<Value>) -> Result<Self> {
        let items: Result<_> = items.into_iter().map(|item| item.keep_traced(cx)).collect();
        Ok(Self { items: RefCell::new(items?) })
    }

    fn place(&self, index: i64) -> Result<usize> {
        let len = self.items.borrow().len() as i64;
        let place = if index < 0 { index + len } else { index };
        if (0..len).contains(&place) {
            Ok(place as usize)
        } else {
            Err(Error::new("IndexError", "stack index out of range"))
        }
    }

    fn __len__(&self) -> usize {
        self.items.borrow().len()
    }

    fn __getitem__(&self, index: i64) -> Result<Value> {
        let place = self.place(index)?;
        Ok(self.items.borrow()[place].get())
    }

    fn __setitem__(&self, cx: &Cx, index: i64, value: Value) -> Result<()> {
        let place = self.place(index)?;
        self.items.borrow_mut()[place] = value.keep_traced(cx)?;
        Ok(())
    }

    fn __delitem__(&self, index: i64) -> Result<()> {
        let place = self.place(index)?;
        self.items.borrow_mut().remove(place);
        Ok(())
    }

    #[ms(calls_back)]
    fn __contains__(&self, cx: &Cx, value: Value) -> Result<bool> {
        let items: Vec<Value> = self.items.borrow().iter().map(Kept::get).collect();
        for item in items {
            if cx.equals(item, value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn __iter__(&self, cx: &Cx) -> Result<Value> {
        let items: Vec<Value> = self.items.borrow().iter().map(Kept::get).collect();
        let list = cx.make(items)?;
        cx.iter(list)
    }

    #[ms(calls_back)]
    fn __repr__(&self, cx: &Cx) -> Result<String> {
        let items: Vec<Value> = self.items.borrow().iter().map(Kept::get).collect();
        let shown: Result<Vec<String>> = items.into_iter().map(|item| cx.repr(item)).collect();
        Ok(format!("Stack<{}>", shown?.join(" ")))
    }

    /// The items that the function takes to be true.
    #[ms(calls_back)]
    fn __call__(
        &self,
        cx: &Cx,
        test: Value,
        #[ms(keyword, default = false)] invert: bool,
    ) -> Result<Vec<Value>> {
        let items: Vec<Value> = self.items.borrow().iter().map(Kept::get).collect();
        let mut found = Vec::new();
        for item in items {
            let result = cx.call(test, &[item])?;
            if cx.truth(result)? != invert {
                found.push(item);
            }
        }
        Ok(found)
    }

    #[ms(trace)]
    fn trace(&self, tracer: &mut ms::Tracer) {
        for item in self.items.borrow().iter() {
            tracer.visit(item);
        }
    }
}

/// A context manager that notes what happened.
#[ms::class]
pub struct Guard {
    swallow: bool,
    seen: Vec<String>,
}

#[ms::methods]
impl Guard {
    #[ms(new)]
    fn new(#[ms(default = false)] swallow: bool) -> Self {
        Self { swallow, seen: Vec::new() }
    }

    fn __enter__(&mut self, #[ms(object)] object: Value) -> Value {
        self.seen.push("enter".to_owned());
        object
    }

    fn __exit__(&mut self, cx: &Cx, class: Value, error: Value, _traceback: Value) -> Result<bool> {
        let what = if class.is_none() { "exit".to_owned() } else { cx.type_name(error) };
        self.seen.push(what);
        Ok(self.swallow)
    }

    /// What happened.
    #[ms(getter)]
    fn seen(&self) -> Vec<String> {
        self.seen.clone()
    }
}

/// An iterator.
#[ms::class]
pub struct Countdown {
    left: i64,
}

#[ms::methods]
impl Countdown {
    #[ms(new)]
    fn new(start: i64) -> Self {
        Self { left: start }
    }

    fn __iter__(&self, #[ms(object)] object: Value) -> Value {
        object
    }

    fn __next__(&mut self) -> Result<i64> {
        if self.left == 0 {
            return Err(Error::new("StopIteration", ""));
        }
        self.left -= 1;
        Ok(self.left + 1)
    }
}

/// Async methods.
#[ms::class(subclassable)]
pub struct Sleeper {
    naps: u64,
}

#[ms::methods]
impl Sleeper {
    #[ms(new)]
    fn new() -> Self {
        Self { naps: 0 }
    }

    /// Waits and counts; the object is in use meanwhile.
    async fn nap(&mut self, #[ms(default = 1)] milliseconds: u64) -> Result<u64> {
        ms::time::sleep(std::time::Duration::from_millis(milliseconds)).await?;
        self.naps += 1;
        Ok(self.naps)
    }

    /// Waits, and only reads.
    async fn peek(&self, milliseconds: u64) -> Result<u64> {
        ms::time::sleep(std::time::Duration::from_millis(milliseconds)).await?;
        Ok(self.naps)
    }

    /// Waits without an object.
    #[ms(static)]
    async fn rest(milliseconds: u64) -> Result<&'static str> {
        ms::time::sleep(std::time::Duration::from_millis(milliseconds)).await?;
        Ok("rested")
    }

    /// Waits, and borrows the object only afterwards.
    #[ms(static)]
    async fn late(sleeper: ms::Held<Self>, milliseconds: u64) -> Result<u64> {
        ms::time::sleep(std::time::Duration::from_millis(milliseconds)).await?;
        let mut sleeper = sleeper.borrow_mut()?;
        sleeper.naps += 100;
        Ok(sleeper.naps)
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        note_drop("Sleeper");
    }
}

/// A large payload.
#[ms::class]
pub struct Big {
    filling: [u8; 1 << 16],
}

#[ms::methods]
impl Big {
    #[ms(new)]
    fn new() -> Self {
        Self { filling: [7; 1 << 16] }
    }

    #[ms(getter)]
    fn last(&self) -> u8 {
        self.filling[self.filling.len() - 1]
    }
}

/// Its destructor panics.
#[ms::class]
pub struct Bomb {
    armed: bool,
}

#[ms::methods]
impl Bomb {
    #[ms(new)]
    fn new() -> Self {
        Self { armed: true }
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        note_drop("Bomb");
        assert!(!self.armed, "the destructor panics on purpose");
    }
}

/// Cannot be made by a script.
#[ms::class]
pub struct Sealed {
    text: String,
}

#[ms::methods]
impl Sealed {
    /// Makes one.
    #[ms(static)]
    fn make(text: String) -> Self {
        Self { text }
    }

    fn __str__(&self) -> &str {
        &self.text
    }
}

/// An amount, whose operators take what they can use by its type.
#[ms::class]
pub struct Price {
    pub cents: i64,
}

#[ms::methods]
impl Price {
    #[ms(new)]
    fn new(cents: i64) -> Self {
        Self { cents }
    }

    #[ms(getter)]
    fn cents(&self) -> i64 {
        self.cents
    }

    fn __eq__(&self, other: Instance<Price>) -> Result<bool> {
        Ok(self.cents == other.borrow()?.cents)
    }

    fn __lt__(&self, other: Instance<Price>) -> Result<bool> {
        Ok(self.cents < other.borrow()?.cents)
    }

    fn __add__(&self, other: Instance<Price>) -> Result<Price> {
        Ok(Price { cents: self.cents + other.borrow()?.cents })
    }

    fn __mul__(&self, by: i64) -> Price {
        Price { cents: self.cents * by }
    }

    fn __rmul__(&self, by: i64) -> Price {
        self.__mul__(by)
    }

    fn __repr__(&self) -> String {
        format!("Price({})", self.cents)
    }
}
