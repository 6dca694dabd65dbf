//! `+` and `*` of the builtin sequences.

use crate::Vm;
use crate::builtins::Type;
use crate::builtins::bytes::make;
use crate::heap::Kind;
use crate::native::{Exit, NResult};
use crate::object::seq::{List, Tuple};
use crate::object::text::Str;
use crate::object::view::data_of;
use crate::value::Value;

impl Vm {
    /// `a + b` of two str, list or tuple, or of bytes and bytearrays, subclasses included; `None`
    /// if they are not.
    pub(crate) fn concat_pair<'v>(&'v self, a: Value<'v>, b: Value<'v>) -> Option<NResult<'v>> {
        match (a.kind()?, b.kind()?) {
            (Kind::Str, Kind::Str) => Some(self.concat(a.get::<Str>()?, b.get::<Str>()?)),
            (Kind::List, Kind::List) => {
                let (x, y) = (a.get::<List>()?, b.get::<List>()?);
                Some(self.joined(&x.items(), &y.items()).and_then(|all| self.list(all)))
            }
            (Kind::Tuple, Kind::Tuple) => {
                let (x, y) = (a.get::<Tuple>()?, b.get::<Tuple>()?);
                let exact = |v| self.exact_type(v) == Some(Type::Tuple);
                if x.is_empty() && exact(b) {
                    return Some(Ok(b));
                }
                if y.is_empty() && exact(a) {
                    return Some(Ok(a));
                }
                Some(self.joined(x.items(), y.items()).and_then(|all| self.tuple(&all)))
            }
            (Kind::Bytes | Kind::ByteArray, Kind::Bytes | Kind::ByteArray) => {
                Some(self.bytes_concat(a, b))
            }
            _ => None,
        }
    }

    fn joined<'v>(&'v self, x: &[Value<'v>], y: &[Value<'v>]) -> Result<Vec<Value<'v>>, Exit<'v>> {
        let mut all = self.room_for_values(x.len() + y.len())?;
        all.extend_from_slice(x);
        all.extend_from_slice(y);
        Ok(all)
    }

    fn room_for_values<'v>(&'v self, n: usize) -> Result<Vec<Value<'v>>, Exit<'v>> {
        self.check(n.saturating_mul(8))?;
        self.ticks(n / 64)?;
        let mut all = Vec::new();
        all.try_reserve_exact(n).map_err(|_| self.memory_error())?;
        Ok(all)
    }

    /// `sequence * count` of a str, list, tuple, bytes or bytearray, subclasses included; `None`
    /// if it is none.
    pub(crate) fn repeat<'v>(&'v self, a: Value<'v>, count: i64) -> Option<NResult<'v>> {
        let n = usize::try_from(count).unwrap_or(0);
        Some(match a.kind()? {
            Kind::Str => {
                let s = a.get::<Str>()?;
                if n == 1 && s.is_exact() {
                    return Some(Ok(a));
                }
                self.repeat_bytes(s.bytes(), n, Str::MAX_BYTES).and_then(|b| self.str_owned(b))
            }
            Kind::Bytes if n == 1 && self.exact_type(a) == Some(Type::Bytes) => Ok(a),
            Kind::Bytes | Kind::ByteArray => {
                let data = data_of(a)?;
                self.repeat_bytes(&data, n, usize::MAX).and_then(|b| make(self, a, b))
            }
            Kind::Tuple if n == 1 && self.exact_type(a) == Some(Type::Tuple) => Ok(a),
            Kind::Tuple => {
                self.repeat_values(a.get::<Tuple>()?.items(), n).and_then(|all| self.tuple(&all))
            }
            Kind::List => {
                self.repeat_values(&a.get::<List>()?.items(), n).and_then(|all| self.list(all))
            }
            _ => return None,
        })
    }

    /// The bytes, `n` times over; `max` is how many there may be.
    pub(crate) fn repeat_bytes(
        &self,
        data: &[u8],
        n: usize,
        max: usize,
    ) -> Result<Vec<u8>, Exit<'_>> {
        let len = data.len().checked_mul(n).filter(|l| *l <= max);
        let len = len.ok_or_else(|| self.memory_error())?;
        self.check(len)?;
        let mut all = Vec::new();
        all.try_reserve_exact(len).map_err(|_| self.memory_error())?;
        match data {
            [] => {}
            _ if n == 0 => {}
            _ => self.fill(&mut all, data, n)?,
        }
        Ok(all)
    }

    /// Appends `part` `n` times to a vector that has room, by doubling what is there.
    fn fill<T: Copy>(&self, all: &mut Vec<T>, part: &[T], n: usize) -> Result<(), Exit<'_>> {
        /// Items that are copied without a poll.
        const CHUNK: usize = 1 << 20;
        let len = part.len() * n;
        all.extend_from_slice(part);
        while all.len() < len {
            let whole = CHUNK / part.len() * part.len();
            let more = all.len().min(len - all.len()).min(whole.max(part.len()));
            all.extend_from_within(..more);
            self.ticks(more / 64)?;
        }
        Ok(())
    }

    /// The items, `n` times over.
    pub(crate) fn repeat_values<'v>(
        &'v self,
        items: &[Value<'v>],
        n: usize,
    ) -> Result<Vec<Value<'v>>, Exit<'v>> {
        let len = items.len().checked_mul(n).ok_or_else(|| self.memory_error())?;
        let mut all = self.room_for_values(len)?;
        match items {
            [] => {}
            _ if n == 0 => {}
            _ => self.fill(&mut all, items, n)?,
        }
        Ok(all)
    }
}
