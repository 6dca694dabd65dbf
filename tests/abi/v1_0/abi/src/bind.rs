//! The meaning of a parameter table: how positional and named arguments land in the slots that a
//! native receives, and the messages CPython has for what does not fit.
//!
//! Values are generic, so the engine binds its own words and a test host binds `MsValue`s.

use crate::{
    MS_FN_VARIADIC, MS_PARAM_HAS_DEFAULT, MS_PARAM_KEYWORD, MS_PARAM_KWARGS, MS_PARAM_OPTIONAL,
    MS_PARAM_POSITIONAL, MS_PARAM_VARARGS, MsLiteral, MsParam,
};

/// Why arguments do not fit; the message of a TypeError.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindError(pub String);

/// Makes the values that binding itself needs.
pub trait BindValues<V> {
    /// What a native's argument is; may differ from what the caller passes.
    type Slot;
    /// An argument that was passed.
    fn given(&mut self, value: &V) -> Self::Slot;
    /// The value of a default.
    fn literal(&mut self, literal: &MsLiteral) -> Self::Slot;
    /// The mark of a parameter that was not passed.
    fn absent(&mut self) -> Self::Slot;
    /// The dict of `**kwargs`.
    fn kwargs(&mut self, pairs: Vec<(&str, V)>) -> Self::Slot;
}

/// Fills `slots` with one value for each parameter but `*args`, then the further positional
/// arguments. `shown` is the function's name in messages, `module.name` for a function of a
/// module; `flags` and `params` are the record's.
pub fn bind<V: Clone, B: BindValues<V>>(
    shown: &str,
    flags: u32,
    params: &[MsParam],
    positional: &[V],
    named: &[(&str, V)],
    values: &mut B,
    slots: &mut Vec<B::Slot>,
) -> Result<(), BindError> {
    slots.clear();
    if flags & MS_FN_VARIADIC != 0 {
        if !named.is_empty() {
            return Err(BindError(format!("{shown}() takes no keyword arguments")));
        }
        slots.extend(positional.iter().map(|value| values.given(value)));
        return Ok(());
    }
    Binder { shown, params, positional, named }.fill(values, slots)
}

struct Binder<'a, V> {
    shown: &'a str,
    params: &'a [MsParam],
    positional: &'a [V],
    named: &'a [(&'a str, V)],
}

impl<'a, V: Clone> Binder<'a, V> {
    fn fill<B: BindValues<V>>(
        &self,
        values: &mut B,
        slots: &mut Vec<B::Slot>,
    ) -> Result<(), BindError> {
        let takes_rest = self.params.iter().any(|p| p.kind == MS_PARAM_VARARGS);
        let places = self.params.iter().filter(|p| by_position(p)).count();
        self.check_names()?;
        if self.positional.len() > places && !takes_rest {
            return Err(self.count_error(places));
        }
        let mut used = vec![false; self.named.len()];
        let mut next = 0;
        let mut kwargs_slot = None;
        for param in self.params {
            match param.kind {
                MS_PARAM_VARARGS => continue,
                MS_PARAM_KWARGS => {
                    kwargs_slot = Some(slots.len());
                    slots.push(values.absent());
                    continue;
                }
                _ => {}
            }
            let placed = if by_position(param) {
                next += 1;
                self.positional.get(next - 1)
            } else {
                None
            };
            let value = match (placed, self.take_named(param, &mut used)) {
                (Some(_), Some(_)) => return Err(self.given_twice(param, next)),
                (Some(value), None) => values.given(value),
                (None, Some(value)) => values.given(&value),
                (None, None) if param.flags & MS_PARAM_HAS_DEFAULT != 0 => {
                    values.literal(&param.default_value)
                }
                (None, None) if param.flags & MS_PARAM_OPTIONAL != 0 => values.absent(),
                (None, None) => return Err(self.missing(param, next, places)),
            };
            slots.push(value);
        }
        let spare: Vec<(&str, V)> = self
            .named
            .iter()
            .zip(&used)
            .filter(|(_, used)| !**used)
            .map(|((name, value), _)| (*name, value.clone()))
            .collect();
        match kwargs_slot {
            Some(slot) => slots[slot] = values.kwargs(spare),
            None => {
                if let Some((name, _)) = spare.first() {
                    return Err(BindError(format!(
                        "{}() got an unexpected keyword argument '{name}'",
                        self.bare()
                    )));
                }
            }
        }
        slots.extend(self.positional.iter().skip(places).map(|value| values.given(value)));
        Ok(())
    }

    /// A function without any nameable parameter says so at once.
    fn check_names(&self) -> Result<(), BindError> {
        let nameable =
            self.params.iter().any(|p| !matches!(p.kind, MS_PARAM_POSITIONAL | MS_PARAM_VARARGS));
        if !nameable && !self.named.is_empty() {
            return Err(BindError(format!("{}() takes no keyword arguments", self.shown)));
        }
        Ok(())
    }

    fn take_named(&self, param: &MsParam, used: &mut [bool]) -> Option<V> {
        if param.kind == MS_PARAM_POSITIONAL {
            return None;
        }
        let name = name_of(param);
        let index = self.named.iter().position(|(given, _)| *given == name)?;
        used[index] = true;
        Some(self.named[index].1.clone())
    }

    fn only_positional(&self) -> bool {
        self.params.iter().all(|p| p.kind == MS_PARAM_POSITIONAL)
    }

    fn count_error(&self, places: usize) -> BindError {
        let given = self.positional.len();
        let least = self.params.iter().filter(|p| by_position(p) && required(p)).count();
        if self.only_positional() {
            return self.positional_count(least, places, given);
        }
        let (at_most, places) = match () {
            () if least == places => ("exactly", places),
            () if given < least => ("at least", least),
            () => ("at most", places),
        };
        let what = if self.params.iter().any(|p| p.kind == MS_PARAM_KEYWORD) {
            "positional argument"
        } else {
            "argument"
        };
        let plural = if places == 1 { "" } else { "s" };
        BindError(format!(
            "{}() takes {at_most} {places} {what}{plural} ({given} given)",
            self.bare()
        ))
    }

    /// The messages of builtin functions whose parameters have no names.
    fn positional_count(&self, least: usize, most: usize, given: usize) -> BindError {
        let name = self.bare();
        BindError(match (least, most) {
            (0, 0) => format!("{}() takes no arguments ({given} given)", self.shown),
            (1, 1) => format!("{}() takes exactly one argument ({given} given)", self.shown),
            (least, most) => {
                let (bound, count) = match () {
                    _ if least == most => ("", least),
                    _ if given < least => ("at least ", least),
                    _ => ("at most ", most),
                };
                let plural = if count == 1 { "" } else { "s" };
                format!("{name} expected {bound}{count} argument{plural}, got {given}")
            }
        })
    }

    fn missing(&self, param: &MsParam, position: usize, places: usize) -> BindError {
        let least = self.params.iter().filter(|p| by_position(p) && required(p)).count();
        if self.only_positional() {
            return self.positional_count(least, places, self.positional.len());
        }
        let name = name_of(param);
        // A parameter without a name is counted, one with a name is named.
        if param.kind == MS_PARAM_POSITIONAL {
            return self.count_error(places);
        }
        BindError(if by_position(param) {
            format!("{}() missing required argument '{name}' (pos {position})", self.bare())
        } else {
            format!("{}() missing required keyword-only argument '{name}'", self.bare())
        })
    }

    fn given_twice(&self, param: &MsParam, position: usize) -> BindError {
        BindError(format!(
            "argument for {}() given by name ('{}') and position ({position})",
            self.bare(),
            name_of(param)
        ))
    }

    fn bare(&self) -> &'a str {
        self.shown.rsplit('.').next().unwrap_or(self.shown)
    }
}

fn by_position(param: &MsParam) -> bool {
    param.kind <= crate::MS_PARAM_NORMAL
}

fn required(param: &MsParam) -> bool {
    param.flags & (MS_PARAM_HAS_DEFAULT | MS_PARAM_OPTIONAL) == 0
}

fn name_of(param: &MsParam) -> &'static str {
    // SAFETY: a parameter table is part of a descriptor, which is never freed.
    unsafe { param.name.as_str() }.unwrap_or("?")
}
