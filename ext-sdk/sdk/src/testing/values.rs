//! The value table of the test host.

use super::*;

/// The VM behind the pointer of a call.
///
/// # Safety
/// `vm` is the pointer of a live [`Vm`].
pub(super) unsafe fn vm<'a>(vm: *mut MsVm) -> &'a Vm {
    // SAFETY: by contract; all of `Vm` that changes is in cells.
    unsafe { &*vm.cast::<Vm>() }
}

impl Vm {
    pub(super) fn raise(&self, raised: Raised) -> MsStatus {
        *self.pending.borrow_mut() = Some(raised);
        MS_RAISED
    }

    /// Writes a result or makes the exception pending.
    ///
    /// # Safety
    /// `out` is writable.
    pub(super) unsafe fn give(&self, result: Result<Py, Raised>, out: *mut MsValue) -> MsStatus {
        match result {
            Ok(value) => {
                // SAFETY: by contract.
                unsafe { *out = self.handle(&value) };
                MS_OK
            }
            Err(raised) => self.raise(raised),
        }
    }

    /// # Safety
    /// `values` points to `len` values.
    pub(super) unsafe fn list_of(
        &self,
        len: usize,
        values: *const MsValue,
    ) -> Result<Vec<Py>, Raised> {
        // SAFETY: by contract.
        (0..len).map(|index| self.value(unsafe { *values.add(index) })).collect()
    }

    fn object_of(&self, value: MsValue) -> Result<Rc<Object>, Raised> {
        match self.value(value)? {
            Py::Object(object) => Ok(object),
            other => Err(Raised::new("TypeError", format!("unexpected {}", other.type_name()))),
        }
    }
}

pub(super) static TABLE: MsHostValue = MsHostValue {
    size: size_of::<MsHostValue>(),
    int_make: Some(int_make),
    int_read: Some(int_read),
    int_parse: None,
    str_make: Some(str_make),
    str_make_extended: Some(str_make),
    str_read: Some(str_read),
    str_read_extended: Some(str_read),
    bytes_make: Some(bytes_make),
    bytes_read: Some(bytes_read),
    tuple_make: Some(tuple_make),
    list_make: Some(list_make),
    list_push: None,
    dict_make: Some(dict_make),
    dict_next: Some(dict_next),
    set_make: Some(set_make),
    items_read: Some(items_read),
    retain: Some(retain),
    release: Some(release),
    scoped: Some(scoped),
    scope_open: None,
    scope_close: None,
};

unsafe extern "C" fn int_make(
    at: *mut MsVm,
    negative: u32,
    limbs: *const u64,
    len: usize,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let mut limbs = std::slice::from_raw_parts(limbs, len).to_vec();
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        let value = match limbs.as_slice() {
            [] => Py::Int(0),
            [limb] if negative == 0 && *limb <= i64::MAX as u64 => Py::Int(*limb as i64),
            [limb] if negative != 0 && *limb <= 1 << 63 => Py::Int((*limb as i64).wrapping_neg()),
            _ => Py::object(Object::BigInt(negative != 0, limbs)),
        };
        vm(at).give(Ok(value), out)
    }
}

unsafe extern "C" fn int_read(
    at: *mut MsVm,
    value: MsValue,
    negative: *mut u32,
    limbs: *mut u64,
    capacity: usize,
    len: *mut usize,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let (sign, source) = match vm(at).value(value) {
            Ok(Py::Int(number)) => (number < 0, vec![number.unsigned_abs()]),
            Ok(Py::Bool(flag)) => (false, vec![u64::from(flag)]),
            Ok(Py::Object(object)) => match &*object {
                Object::BigInt(sign, limbs) => (*sign, limbs.clone()),
                _ => return vm(at).raise(Raised::new("TypeError", "not an int")),
            },
            Ok(_) => return vm(at).raise(Raised::new("TypeError", "not an int")),
            Err(raised) => return vm(at).raise(raised),
        };
        *negative = u32::from(sign);
        *len = source.len();
        for (index, limb) in source.iter().take(capacity).enumerate() {
            *limbs.add(index) = *limb;
        }
        MS_OK
    }
}

unsafe extern "C" fn str_make(at: *mut MsVm, text: MsStr, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        match text.as_str() {
            Some(text) => vm(at).give(Ok(Py::str(text)), out),
            None => vm(at).raise(Raised::new("ValueError", "invalid UTF-8")),
        }
    }
}

unsafe extern "C" fn str_read(at: *mut MsVm, value: MsValue, out: *mut MsStr) -> MsStatus {
    // SAFETY: the contract of the table; the slot keeps the text alive for the call.
    unsafe {
        match vm(at).object_of(value) {
            Ok(object) => match &*object {
                Object::Str(text) => {
                    *out = MsStr::new(text);
                    MS_OK
                }
                _ => vm(at).raise(Raised::new("TypeError", "not a str")),
            },
            Err(raised) => vm(at).raise(raised),
        }
    }
}

unsafe extern "C" fn bytes_make(at: *mut MsVm, bytes: MsStr, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe { vm(at).give(Ok(Py::object(Object::Bytes(bytes.as_bytes().to_vec()))), out) }
}

unsafe extern "C" fn bytes_read(at: *mut MsVm, value: MsValue, out: *mut MsStr) -> MsStatus {
    // SAFETY: the contract of the table; the slot keeps the bytes alive for the call.
    unsafe {
        match vm(at).object_of(value) {
            Ok(object) => match &*object {
                Object::Bytes(bytes) => {
                    *out = MsStr::bytes(bytes);
                    MS_OK
                }
                _ => vm(at).raise(Raised::new("TypeError", "a bytes-like object is required")),
            },
            Err(raised) => vm(at).raise(raised),
        }
    }
}

unsafe extern "C" fn tuple_make(
    at: *mut MsVm,
    len: usize,
    items: *const MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe { vm(at).give(vm(at).list_of(len, items).map(Py::tuple), out) }
}

unsafe extern "C" fn list_make(
    at: *mut MsVm,
    len: usize,
    items: *const MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe { vm(at).give(vm(at).list_of(len, items).map(Py::list), out) }
}

unsafe extern "C" fn set_make(
    at: *mut MsVm,
    len: usize,
    items: *const MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        vm(at).give(vm(at).list_of(len, items).map(|items| Py::object(Object::Set(items))), out)
    }
}

unsafe extern "C" fn dict_make(
    at: *mut MsVm,
    pairs: usize,
    items: *const MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let result = vm(at).list_of(pairs * 2, items).map(|flat| {
            let pairs = flat.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
            Py::object(Object::Dict(RefCell::new(pairs)))
        });
        vm(at).give(result, out)
    }
}

unsafe extern "C" fn dict_next(
    at: *mut MsVm,
    dict: MsValue,
    cursor: *mut u64,
    key: *mut MsValue,
    value: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let vm = vm(at);
        let pair = match vm.object_of(dict) {
            Ok(object) => match &*object {
                Object::Dict(pairs) => pairs.borrow().get(*cursor as usize).cloned(),
                _ => return vm.raise(Raised::new("TypeError", "not a dict")),
            },
            Err(raised) => return vm.raise(raised),
        };
        let Some((k, v)) = pair else { return MS_END };
        *cursor += 1;
        *key = vm.handle(&k);
        *value = vm.handle(&v);
        MS_OK
    }
}

unsafe extern "C" fn items_read(
    at: *mut MsVm,
    value: MsValue,
    start: usize,
    items: *mut MsValue,
    capacity: usize,
    len: *mut usize,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let vm = vm(at);
        let list = match vm.value(value).map(|value| value.items()) {
            Ok(Some(list)) => list,
            Ok(None) => return vm.raise(Raised::new("TypeError", "not a sequence")),
            Err(raised) => return vm.raise(raised),
        };
        *len = list.len();
        for (index, item) in list.iter().skip(start).take(capacity).enumerate() {
            *items.add(index) = vm.handle(item);
        }
        MS_OK
    }
}

unsafe extern "C" fn retain(at: *mut MsVm, value: MsValue, _: u32, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let vm = vm(at);
        match vm.value(value) {
            Ok(object @ Py::Object(_)) => {
                let (index, aux) = vm.new_slot(object, true);
                *out = MsValue { tag: value.tag, aux, payload: index as u64 };
                MS_OK
            }
            Ok(_) => {
                *out = value;
                MS_OK
            }
            Err(raised) => vm.raise(raised),
        }
    }
}

unsafe extern "C" fn release(at: *mut MsVm, value: MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        if value.is_handle() && vm(at).value(value).is_ok() {
            vm(at).free(value.payload as usize);
        }
        MS_OK
    }
}

unsafe extern "C" fn scoped(at: *mut MsVm, value: MsValue, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe { vm(at).give(vm(at).value(value), out) }
}
