//! Numbers, texts, bytes and handles.

use super::{FromMs, IntoMs};
use crate::cx::host_call;
use crate::{Cx, Error, Kept, Result, Value};
use miniscript_abi::*;

impl FromMs<'_> for Value {
    fn from_ms(_: &Cx, value: Value) -> Result<Self> {
        Ok(value)
    }

    fn from_absent() -> Option<Self> {
        Some(Value::new(MsValue::ABSENT))
    }
}

impl IntoMs for Value {
    fn into_ms(self, _: &Cx) -> Result<Value> {
        Ok(self)
    }
}

impl FromMs<'_> for Kept {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        value.keep(cx)
    }
}

impl IntoMs for Kept {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        let kept = self.get().raw();
        if !kept.is_handle() {
            return Ok(self.get());
        }
        cx.out_value(|out| host_call!(cx, value.scoped(kept, out)))
    }
}

impl IntoMs for &Kept {
    fn into_ms(self, _: &Cx) -> Result<Value> {
        Ok(self.get())
    }
}

impl FromMs<'_> for bool {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        value.raw().as_bool().ok_or_else(|| Error::mismatch(cx, "bool", value))
    }
}

impl IntoMs for bool {
    fn into_ms(self, _: &Cx) -> Result<Value> {
        Ok(Value::new(MsValue::bool(self)))
    }
}

impl IntoMs for () {
    fn into_ms(self, _: &Cx) -> Result<Value> {
        Ok(Value::NONE)
    }
}

impl FromMs<'_> for i64 {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        let raw = value.raw();
        match raw.tag {
            MS_TAG_INT => Ok(raw.payload as i64),
            MS_TAG_BOOL => Ok((raw.payload != 0) as i64),
            MS_TAG_BIGINT => Err(too_large("i64")),
            _ => cx.to_index(value)?.raw().as_int().ok_or_else(|| too_large("i64")),
        }
    }
}

fn too_large(target: &str) -> Error {
    Error::new("OverflowError", format!("int too large to convert to {target}"))
}

fn below_zero() -> Error {
    Error::new("OverflowError", "can't convert negative int to unsigned")
}

impl IntoMs for i64 {
    fn into_ms(self, _: &Cx) -> Result<Value> {
        Ok(Value::new(MsValue::int(self)))
    }
}

macro_rules! small_ints {
    ($($int:ty),*) => { $(
        impl FromMs<'_> for $int {
            fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
                let wide = i64::from_ms(cx, value)?;
                <$int>::try_from(wide).map_err(|_| match wide {
                    ..0 if <$int>::MIN == 0 => below_zero(),
                    _ => too_large(stringify!($int)),
                })
            }
        }

        impl IntoMs for $int {
            fn into_ms(self, cx: &Cx) -> Result<Value> {
                i64::from(self).into_ms(cx)
            }
        }
    )* };
}

small_ints!(i8, i16, i32, u8, u16, u32);

impl FromMs<'_> for u64 {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        let (negative, limbs) = read_int(cx, value)?;
        match (negative, limbs.as_slice()) {
            (_, []) => Ok(0),
            (false, [limb]) => Ok(*limb),
            (true, _) => Err(below_zero()),
            _ => Err(too_large("u64")),
        }
    }
}

impl IntoMs for u64 {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        match i64::try_from(self) {
            Ok(small) => small.into_ms(cx),
            Err(_) => make_int(cx, false, &[self]),
        }
    }
}

impl FromMs<'_> for usize {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        usize::try_from(u64::from_ms(cx, value)?).map_err(|_| too_large("usize"))
    }
}

impl IntoMs for usize {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        (self as u64).into_ms(cx)
    }
}

impl FromMs<'_> for isize {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        isize::try_from(i64::from_ms(cx, value)?).map_err(|_| too_large("isize"))
    }
}

impl IntoMs for isize {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        (self as i64).into_ms(cx)
    }
}

/// Sign and magnitude of an int of any size.
pub(crate) fn read_int(cx: &Cx, value: Value) -> Result<(bool, Vec<u64>)> {
    let value = cx.to_index(value)?;
    if let Some(small) = value.raw().as_int() {
        let limbs = if small == 0 { Vec::new() } else { vec![small.unsigned_abs()] };
        return Ok((small < 0, limbs));
    }
    let mut limbs = vec![0; 4];
    let (mut negative, mut len) = (0, 0);
    loop {
        cx.check(host_call!(
            cx,
            value.int_read(value.raw(), &mut negative, limbs.as_mut_ptr(), limbs.len(), &mut len)
        ))?;
        if len <= limbs.len() {
            limbs.truncate(len);
            return Ok((negative != 0, limbs));
        }
        limbs.resize(len, 0);
    }
}

/// An int of any size.
pub(crate) fn make_int(cx: &Cx, negative: bool, limbs: &[u64]) -> Result<Value> {
    cx.out_value(|out| {
        host_call!(cx, value.int_make(u32::from(negative), limbs.as_ptr(), limbs.len(), out))
    })
}

#[cfg(feature = "bigint")]
mod bigint {
    use super::*;
    use num_bigint::{BigInt, BigUint, Sign};

    impl FromMs<'_> for BigInt {
        fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
            if let Some(small) = value.raw().as_int() {
                return Ok(BigInt::from(small));
            }
            let (negative, limbs) = read_int(cx, value)?;
            let digits: Vec<u32> =
                limbs.iter().flat_map(|limb| [*limb as u32, (*limb >> 32) as u32]).collect();
            let sign = if negative { Sign::Minus } else { Sign::Plus };
            Ok(BigInt::from_biguint(sign, BigUint::new(digits)))
        }
    }

    impl IntoMs for &BigInt {
        fn into_ms(self, cx: &Cx) -> Result<Value> {
            match i64::try_from(self) {
                Ok(small) => small.into_ms(cx),
                Err(_) => {
                    let (sign, limbs) = self.to_u64_digits();
                    make_int(cx, sign == Sign::Minus, &limbs)
                }
            }
        }
    }

    impl IntoMs for BigInt {
        fn into_ms(self, cx: &Cx) -> Result<Value> {
            (&self).into_ms(cx)
        }
    }
}

impl FromMs<'_> for f64 {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        match value.raw().as_float() {
            Some(number) => Ok(number),
            None => cx.to_float(value),
        }
    }
}

impl IntoMs for f64 {
    fn into_ms(self, _: &Cx) -> Result<Value> {
        Ok(Value::new(MsValue::float(self)))
    }
}

impl FromMs<'_> for f32 {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        f64::from_ms(cx, value).map(|number| number as f32)
    }
}

impl IntoMs for f32 {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        f64::from(self).into_ms(cx)
    }
}

impl<'a> FromMs<'a> for &'a str {
    fn from_ms(cx: &'a Cx, value: Value) -> Result<Self> {
        if !matches!(value.raw().tag, MS_TAG_STR | MS_TAG_OBJECT) {
            return Err(Error::mismatch(cx, "str", value));
        }
        let mut text = MsStr::EMPTY;
        let status = host_call!(cx, value.str_read(value.raw(), &mut text));
        if status == MS_RAISED && value.raw().tag == MS_TAG_OBJECT {
            // No `str` after all: the message names the parameter.
            let pending = cx.catch(Error::pending())?;
            let type_error = cx.builtin("TypeError")?;
            return Err(match cx.is_instance(pending, type_error)? {
                true => Error::mismatch(cx, "str", value),
                false => Error::object(pending.keep(cx)?),
            });
        }
        cx.check(status)?;
        // SAFETY: the host lends the text of an immutable `str` for the call, which `'a` does
        // not outlive, and answers MS_OK only for UTF-8.
        unsafe { text.as_str() }.ok_or_else(|| Error::new("SystemError", "invalid text from host"))
    }
}

impl FromMs<'_> for String {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        <&str>::from_ms(cx, value).map(str::to_owned)
    }
}

impl IntoMs for &str {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        cx.out_value(|out| host_call!(cx, value.str_make(MsStr::new(self), out)))
    }
}

impl IntoMs for String {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        self.as_str().into_ms(cx)
    }
}

impl IntoMs for &String {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        self.as_str().into_ms(cx)
    }
}

/// The content of a `bytes` or another bytes-like object. (A `Vec<u8>` is a list of ints.)
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl<'a> FromMs<'a> for &'a [u8] {
    fn from_ms(cx: &'a Cx, value: Value) -> Result<Self> {
        // Only the immutable type: another one could change while it is borrowed.
        if value.raw().tag != MS_TAG_BYTES {
            return Err(Error::mismatch(cx, "bytes", value));
        }
        let mut bytes = MsStr::EMPTY;
        cx.check(host_call!(cx, value.bytes_read(value.raw(), &mut bytes)))?;
        // SAFETY: lent for the call, as for `&str`.
        Ok(unsafe { bytes.as_bytes() })
    }
}

impl FromMs<'_> for Bytes {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        if !value.raw().is_handle() {
            return Err(Error::mismatch(cx, "a bytes-like object", value));
        }
        let mut bytes = MsStr::EMPTY;
        cx.check(host_call!(cx, value.bytes_read(value.raw(), &mut bytes)))?;
        // SAFETY: lent until script runs again; copied at once.
        Ok(Self(unsafe { bytes.as_bytes() }.to_vec()))
    }
}

impl IntoMs for &[u8] {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        cx.out_value(|out| host_call!(cx, value.bytes_make(MsStr::bytes(self), out)))
    }
}

impl IntoMs for Bytes {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        self.0.as_slice().into_ms(cx)
    }
}
