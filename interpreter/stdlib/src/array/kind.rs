//! The kinds of items: their letters, sizes, and how values become bytes.

use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::num::Int;
use miniscript_vm::object::text::Str;
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

use crate::args;

/// A kind of items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kind {
    pub(super) code: u8,
    pub(super) size: usize,
    /// What overflow messages call it.
    name: &'static str,
}

/// All letters.
pub(super) const CODES: &str = "bBuhHiIlLqQfd";

impl Kind {
    pub(super) fn of(code: u8) -> Option<Kind> {
        let (size, name) = match code {
            b'b' => (1, "signed char"),
            b'B' => (1, "unsigned byte integer"),
            b'u' => (4, ""),
            b'h' => (2, "signed short integer"),
            b'H' => (2, "unsigned short"),
            b'i' => (4, "signed integer"),
            b'I' => (4, "unsigned int"),
            b'l' | b'L' | b'q' | b'Q' => (8, ""),
            b'f' => (4, ""),
            b'd' => (8, ""),
            _ => return None,
        };
        Some(Kind { code, size, name })
    }

    pub(super) fn is_text(self) -> bool {
        self.code == b'u'
    }

    /// The bytes of a value, of which the first `size` count.
    pub(super) fn pack<'v>(self, vm: &'v Vm, v: Value<'v>) -> Result<[u8; 8], Exit<'v>> {
        match self.code {
            b'u' => {
                let mut chars = v.get::<Str>().map(|s| wtf8::code_points(s.bytes()));
                match chars.as_mut().map(|c| (c.next(), c.next())) {
                    Some((Some(c), None)) => Ok(u64::from(c).to_le_bytes()),
                    _ => Err(vm.type_error("array item must be unicode character")),
                }
            }
            b'f' => Ok(u64::from((args::real(vm, v)? as f32).to_bits()).to_le_bytes()),
            b'd' => Ok(args::real(vm, v)?.to_bits().to_le_bytes()),
            _ => self.pack_int(vm, v),
        }
    }

    fn pack_int<'v>(self, vm: &'v Vm, v: Value<'v>) -> Result<[u8; 8], Exit<'v>> {
        let n = match args::index(vm, v)? {
            Int::Small(n) => Some(i128::from(n)),
            Int::Big(n) => i128::try_from(&n).ok().or(match n.sign() {
                num_bigint::Sign::Minus => Some(i128::MIN),
                _ => Some(i128::MAX),
            }),
        };
        let n = n.unwrap_or(0);
        let bits = self.size as u32 * 8;
        let signed = self.code.is_ascii_lowercase();
        let (min, max) = match signed {
            true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
            false => (0, (1i128 << bits) - 1),
        };
        if (min..=max).contains(&n) {
            let mut out = [0; 8];
            out.copy_from_slice(&n.to_le_bytes()[..8]);
            return Ok(out);
        }
        let text = match self.code {
            b'l' | b'L' if n > max => {
                let kind = if signed { "long" } else { "unsigned long" };
                format!("Python int too large to convert to C {kind}")
            }
            b'l' => "Python int too large to convert to C long".to_owned(),
            b'q' | b'Q' if n > max || signed => "int too big to convert".to_owned(),
            b'Q' => "can't convert negative int to unsigned".to_owned(),
            b'I' | b'L' if n < 0 => "can't convert negative value to unsigned int".to_owned(),
            _ if n > max => format!("{} is greater than maximum", self.name),
            _ => format!("{} is less than minimum", self.name),
        };
        Err(vm.overflow_error(text))
    }

    /// The value of an item.
    pub(super) fn unpack<'v>(self, vm: &'v Vm, bytes: &[u8]) -> NResult<'v> {
        let mut raw = [0; 8];
        raw[..bytes.len()].copy_from_slice(bytes);
        let n = u64::from_le_bytes(raw);
        Ok(match self.code {
            b'u' if n < 0x11_0000 => {
                return vm.str_bytes(wtf8::encode(n as u32, &mut [0; 4]));
            }
            b'u' => {
                return Err(
                    vm.value_error(format!("character U+{n:x} is not in range [U+0000; U+10ffff]"))
                );
            }
            b'f' => Value::float(f64::from(f32::from_bits(n as u32))),
            b'd' => Value::float(f64::from_bits(n)),
            code if code.is_ascii_uppercase() => vm.uint(n),
            _ => {
                let unused = 64 - bytes.len() as u32 * 8;
                vm.int((n << unused) as i64 >> unused)
            }
        })
    }
}
