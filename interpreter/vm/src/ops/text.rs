//! `str()`, `repr()`, `format()` and f-strings.

use crate::Vm;
use crate::native::{Exit, NResult};
use crate::value::Value;

impl Vm {
    /// `format(v, spec)`.
    pub fn format_value<'v>(&'v self, v: Value<'v>, spec: Value<'v>) -> NResult<'v> {
        let _ = (v, spec);
        Err(self.unfinished("format"))
    }

    /// `format(conv(v), '')`; conversion 0 none, 1 str, 2 repr, 3 ascii.
    pub(crate) fn format_plain<'v>(&'v self, v: Value<'v>, conversion: usize) -> NResult<'v> {
        let _ = (v, conversion);
        Err(self.unfinished("format"))
    }

    /// `str(v)`, `repr(v)` or `ascii(v)` by conversion 1, 2, 3.
    pub(crate) fn convert<'v>(&'v self, v: Value<'v>, conversion: usize) -> NResult<'v> {
        let _ = (v, conversion);
        Err(self.unfinished("convert"))
    }

    /// Strings joined: the end of an f-string.
    pub(crate) fn join_strings<'v>(&'v self, parts: &[Value<'v>]) -> NResult<'v> {
        let bytes: Vec<&[u8]> = parts
            .iter()
            .filter_map(|p| p.get::<crate::object::text::Str>())
            .map(|s| s.bytes())
            .collect();
        self.str_parts(&bytes)
    }

    /// Prints the value of an interactive expression.
    pub(crate) fn print_expression<'v>(&'v self, v: Value<'v>) -> Result<(), Exit<'v>> {
        let _ = v;
        Err(self.unfinished("print expression"))
    }
}
