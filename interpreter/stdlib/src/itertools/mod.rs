//! `itertools`: iterators in Rust. What they call may be script code, so each goes on from rows.

mod combine;
mod count;
mod group;
mod pools;
mod select;

use miniscript_vm::native::{NResult, NativeDef, Row};
use miniscript_vm::object::iter::Iter;
use miniscript_vm::{Value, Vm};

use crate::class::{ADD_METHODS, ClassDef};
use crate::module::ModuleDef;

const FUNCTIONS: &[NativeDef] = &[group::TEE, count::STATE, ADD_METHODS];

const CLASSES: &[&ClassDef] = &[
    &count::COUNT,
    &count::CYCLE,
    &count::REPEAT,
    &combine::CHAIN,
    &combine::ZIP_LONGEST,
    &combine::PAIRWISE,
    &combine::BATCHED,
    &select::ACCUMULATE,
    &select::COMPRESS,
    &select::DROPWHILE,
    &select::FILTERFALSE,
    &select::ISLICE,
    &select::STARMAP,
    &select::TAKEWHILE,
    &group::GROUPBY,
    &group::GROUPER,
    &group::TEE_CLASS,
    &pools::PRODUCT,
    &pools::PERMUTATIONS,
    &pools::COMBINATIONS,
    &pools::REPLACED,
];

/// The module.
pub(crate) const MODULE: ModuleDef =
    ModuleDef::source("itertools", "itertools.ms").with(FUNCTIONS).classes(CLASSES);

/// The iterator that a state begins with.
fn iter_of<'v>(v: Value<'v>) -> &'v Iter {
    v.get::<Iter>().expect("states of these rows begin with the iterator")
}

/// `iter(v)`, handed to `row`.
fn open<'v>(vm: &'v Vm, v: Value<'v>, row: &'static Row, state: Vec<Value<'v>>) -> NResult<'v> {
    vm.and_then(vm.get_iter(v), row, state)
}
