//! The object table of the test host.

use super::values::vm;
use super::*;

pub(super) static TABLE: MsHostObject = MsHostObject {
    size: size_of::<MsHostObject>(),
    get_attr: Some(get_attr),
    find_attr: Some(find_special),
    set_attr: Some(set_attr),
    del_attr: None,
    find_special: Some(find_special),
    get_item: None,
    find_item: None,
    set_item: None,
    del_item: None,
    contains: None,
    len: None,
    iter: Some(iter),
    next: Some(next),
    truth: Some(truth),
    compare: Some(compare),
    binary: Some(binary),
    hash: None,
    same: None,
    is_instance: None,
    is_callable: Some(is_callable),
    type_of: None,
    type_name: Some(type_name),
    repr: Some(repr),
    str: Some(repr),
    to_float: Some(to_float),
    to_index: Some(to_index),
    import: None,
    builtin: None,
    class_of: None,
    native_new: Some(native_new),
    native_payload: Some(native_payload),
};

fn attribute(value: &Py, name: &str) -> Option<Py> {
    let Py::Object(object) = value else { return None };
    let Object::Instance(_, attributes) = &**object else { return None };
    attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
}

unsafe extern "C" fn get_attr(
    at: *mut MsVm,
    object: MsValue,
    name: MsStr,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        match find_special(at, object, name, out) {
            MS_END => vm(at).raise(Raised::new("AttributeError", "no such attribute")),
            status => status,
        }
    }
}

/// Exceptions take any attribute, which no test reads; other objects have none to set.
unsafe extern "C" fn set_attr(
    at: *mut MsVm,
    object: MsValue,
    _: MsStr,
    value: MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    let vm = unsafe { vm(at) };
    match vm.value(object).and_then(|object| Ok((object, vm.value(value)?))) {
        Ok((Py::Object(object), _)) if matches!(*object, Object::Exception(_)) => MS_OK,
        Ok(_) => vm.raise(Raised::new("AttributeError", "no such attribute")),
        Err(raised) => vm.raise(raised),
    }
}

unsafe extern "C" fn is_callable(at: *mut MsVm, object: MsValue, out: *mut u32) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        match vm(at).value(object) {
            Ok(value) => {
                let function = matches!(
                    &value,
                    Py::Object(object) if matches!(**object, Object::Function(_))
                );
                *out = u32::from(function);
                MS_OK
            }
            Err(raised) => vm(at).raise(raised),
        }
    }
}

unsafe extern "C" fn find_special(
    at: *mut MsVm,
    object: MsValue,
    name: MsStr,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        match vm(at).value(object) {
            Ok(value) => match attribute(&value, name.as_str().unwrap_or_default()) {
                Some(found) => vm(at).give(Ok(found), out),
                None => MS_END,
            },
            Err(raised) => vm(at).raise(raised),
        }
    }
}

unsafe extern "C" fn iter(at: *mut MsVm, object: MsValue, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let result = vm(at).value(object).and_then(|value| match value.items() {
            Some(items) => Ok(Py::object(Object::Iterator(RefCell::new(items.into_iter())))),
            None => Err(Raised::new(
                "TypeError",
                format!("'{}' object is not iterable", value.type_name()),
            )),
        });
        vm(at).give(result, out)
    }
}

unsafe extern "C" fn next(at: *mut MsVm, iterator: MsValue, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let item = match vm(at).value(iterator) {
            Ok(Py::Object(object)) => match &*object {
                Object::Iterator(items) => items.borrow_mut().next(),
                _ => return vm(at).raise(Raised::new("TypeError", "not an iterator")),
            },
            Ok(_) => return vm(at).raise(Raised::new("TypeError", "not an iterator")),
            Err(raised) => return vm(at).raise(raised),
        };
        match item {
            Some(item) => vm(at).give(Ok(item), out),
            None => MS_END,
        }
    }
}

unsafe extern "C" fn truth(at: *mut MsVm, object: MsValue, out: *mut u32) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        match vm(at).value(object) {
            Ok(value) => {
                *out = u32::from(!matches!(value, Py::None | Py::Bool(false) | Py::Int(0)));
                MS_OK
            }
            Err(raised) => vm(at).raise(raised),
        }
    }
}

unsafe extern "C" fn compare(
    at: *mut MsVm,
    op: u32,
    left: MsValue,
    right: MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let sides = vm(at).value(left).and_then(|l| Ok((l, vm(at).value(right)?)));
        let result = sides.map(|(left, right)| {
            let equal = format!("{left:?}") == format!("{right:?}");
            Py::Bool(equal == (op == MS_CMP_EQ))
        });
        vm(at).give(result, out)
    }
}

unsafe extern "C" fn binary(
    at: *mut MsVm,
    op: u32,
    left: MsValue,
    right: MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let sides = vm(at).value(left).and_then(|l| Ok((l, vm(at).value(right)?)));
        let result = sides.and_then(|(left, right)| arithmetic(op, &left, &right));
        vm(at).give(result, out)
    }
}

/// Sums and products of ints and floats.
fn arithmetic(op: u32, left: &Py, right: &Py) -> Result<Py, Raised> {
    if let (Py::Int(a), Py::Int(b)) = (left, right) {
        let result = match op {
            MS_OP_ADD => a.checked_add(*b),
            MS_OP_MUL => a.checked_mul(*b),
            _ => None,
        };
        return result.map(Py::Int).ok_or_else(|| {
            Raised::new("OverflowError", "the test host has no such arithmetic of ints")
        });
    }
    let number = |value: &Py| match value {
        Py::Int(n) => Some(*n as f64),
        Py::Float(x) => Some(*x),
        Py::Bool(flag) => Some(f64::from(u8::from(*flag))),
        _ => None,
    };
    match (op, number(left), number(right)) {
        (MS_OP_ADD, Some(a), Some(b)) => Ok(Py::Float(a + b)),
        (MS_OP_MUL, Some(a), Some(b)) => Ok(Py::Float(a * b)),
        _ => Err(Raised::new("TypeError", "unsupported operand type(s)")),
    }
}

unsafe extern "C" fn type_name(at: *mut MsVm, object: MsValue, out: *mut MsStr) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        match vm(at).value(object) {
            Ok(value) => {
                *out = MsStr::new(value.type_name());
                MS_OK
            }
            Err(raised) => vm(at).raise(raised),
        }
    }
}

unsafe extern "C" fn repr(at: *mut MsVm, object: MsValue, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let result = vm(at).value(object).map(|value| Py::str(&format!("{value:?}")));
        vm(at).give(result, out)
    }
}

/// Calls a special method of a test object.
fn special(at: &Vm, value: &Py, name: &str) -> Option<Result<Py, Raised>> {
    attribute(value, name).map(|method| at.call_value(&method, &[]))
}

unsafe extern "C" fn to_float(at: *mut MsVm, object: MsValue, out: *mut f64) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let vm = vm(at);
        let result = vm.value(object).and_then(|value| match &value {
            Py::Float(number) => Ok(*number),
            Py::Int(number) => Ok(*number as f64),
            Py::Bool(flag) => Ok(f64::from(u8::from(*flag))),
            Py::Object(object) if matches!(**object, Object::BigInt(..)) => {
                let Object::BigInt(negative, limbs) = &**object else { unreachable!() };
                big_to_float(*negative, limbs)
            }
            _ => match special(vm, &value, "__float__") {
                Some(Ok(Py::Float(number))) => Ok(number),
                Some(Err(raised)) => Err(raised),
                _ => Err(Raised::new(
                    "TypeError",
                    format!("must be real number, not {}", value.type_name()),
                )),
            },
        });
        match result {
            Ok(number) => {
                *out = number;
                MS_OK
            }
            Err(raised) => vm.raise(raised),
        }
    }
}

/// Correctly rounded, as a real host has to.
fn big_to_float(negative: bool, limbs: &[u64]) -> Result<f64, Raised> {
    let mut text = String::from("0");
    // Through decimal digits: slow, but exact in the hands of the standard parser.
    let mut digits = vec![0u8];
    for limb in limbs.iter().rev() {
        for bit in (0..64).rev() {
            let mut carry = ((limb >> bit) & 1) as u8;
            for digit in &mut digits {
                let next = *digit * 2 + carry;
                *digit = next % 10;
                carry = next / 10;
            }
            if carry != 0 {
                digits.push(carry);
            }
        }
    }
    text.extend(digits.iter().rev().map(|digit| char::from(b'0' + digit)));
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(if negative { -number } else { number }),
        _ => Err(Raised::new("OverflowError", "int too large to convert to float")),
    }
}

unsafe extern "C" fn to_index(at: *mut MsVm, object: MsValue, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let vm = vm(at);
        let result = vm.value(object).and_then(|value| match &value {
            Py::Int(_) => Ok(value),
            Py::Bool(flag) => Ok(Py::Int(i64::from(*flag))),
            Py::Object(object) if matches!(**object, Object::BigInt(..)) => Ok(value),
            _ => special(vm, &value, "__index__").unwrap_or_else(|| {
                Err(Raised::new(
                    "TypeError",
                    format!("'{}' object cannot be interpreted as an integer", value.type_name()),
                ))
            }),
        });
        vm.give(result, out)
    }
}

unsafe extern "C" fn native_new(
    at: *mut MsVm,
    id: *const c_void,
    _: MsValue,
    payload: *const c_void,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table: `payload_size` bytes are moved.
    unsafe {
        let vm = vm(at);
        let Some(index) = vm.classes.iter().position(|class| std::ptr::eq(class.id, id)) else {
            return vm.raise(Raised::new("TypeError", "unknown native class"));
        };
        let size = vm.classes[index].payload_size;
        let place = std::alloc::alloc(NativeBox::layout(size)).cast::<c_void>();
        std::ptr::copy_nonoverlapping(payload.cast::<u8>(), place.cast::<u8>(), size);
        vm.give(Ok(Py::object(Object::Native(index, place))), out)
    }
}

struct NativeBox;

impl NativeBox {
    fn layout(size: usize) -> std::alloc::Layout {
        std::alloc::Layout::from_size_align(size.max(1), 16).expect("a small payload")
    }
}

impl Vm {
    /// Ends a native object, as a collection does.
    pub fn collect(&self, object: Py) {
        if let Py::Object(object) = object
            && let Ok(Object::Native(index, payload)) = Rc::try_unwrap(object)
        {
            let class = &self.classes[index];
            // SAFETY: the payload was moved in by `native_new` and nothing else refers to it.
            unsafe {
                if let Some(end) = class.drop {
                    end(payload);
                }
                std::alloc::dealloc(payload.cast(), NativeBox::layout(class.payload_size));
            }
        }
    }
}

unsafe extern "C" fn native_payload(
    at: *mut MsVm,
    id: *const c_void,
    object: MsValue,
    out: *mut *mut c_void,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let vm = vm(at);
        match vm.value(object) {
            Ok(Py::Object(object)) => match &*object {
                Object::Native(index, payload) if std::ptr::eq(vm.classes[*index].id, id) => {
                    *out = *payload;
                    MS_OK
                }
                _ => vm.raise(Raised::new("TypeError", "wrong native class")),
            },
            Ok(_) => vm.raise(Raised::new("TypeError", "wrong native class")),
            Err(raised) => vm.raise(raised),
        }
    }
}
