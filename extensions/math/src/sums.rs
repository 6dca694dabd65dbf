//! Sums, products and norms with CPython's care for the last bit.

use crate::libm;
use miniscript_sdk as ms;
use ms::abi::{MS_TAG_BIGINT, MS_TAG_BOOL, MS_TAG_FLOAT, MS_TAG_INT};
use ms::{Binary, Cx, Error, Result, Value};

/// Return an accurate floating point sum of values in the iterable seq.
///
/// Assumes IEEE-754 floating point arithmetic.
#[ms::function(positional, calls_back)]
pub fn fsum(cx: &Cx, seq: Value) -> Result<f64> {
    let mut sum = ExactSum::default();
    let iterator = cx.iter(seq)?;
    while let Some(item) = cx.next(iterator)? {
        sum.add(item.to(cx)?)?;
    }
    sum.result()
}

/// Shewchuk's sum: partial sums that do not overlap, in order of growing size.
#[derive(Default)]
struct ExactSum {
    partials: Vec<f64>,
    /// Infinities and NaNs among the values.
    special: f64,
    infinities: f64,
}

impl ExactSum {
    fn add(&mut self, value: f64) -> Result<()> {
        let mut x = value;
        let mut kept = 0;
        for index in 0..self.partials.len() {
            let mut y = self.partials[index];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                self.partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        self.partials.truncate(kept);
        if x == 0.0 {
            return Ok(());
        }
        if x.is_finite() {
            self.partials.push(x);
            return Ok(());
        }
        // Either a value was not finite, or the sum left the range.
        if value.is_finite() {
            return Err(Error::new("OverflowError", "intermediate overflow in fsum"));
        }
        if value.is_infinite() {
            self.infinities += value;
        }
        self.special += value;
        self.partials.clear();
        Ok(())
    }

    fn result(mut self) -> Result<f64> {
        if self.special != 0.0 {
            return if self.infinities.is_nan() {
                Err(Error::value("-inf + inf in fsum"))
            } else {
                Ok(self.special)
            };
        }
        let Some(mut high) = self.partials.pop() else { return Ok(0.0) };
        let mut low = 0.0;
        while let Some(y) = self.partials.pop() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            if low != 0.0 {
                break;
            }
        }
        // Half-even needs the sign of what lies below the tie.
        if let Some(below) = self.partials.last()
            && (low < 0.0 && *below < 0.0 || low > 0.0 && *below > 0.0)
        {
            let doubled = low * 2.0;
            let rounded = high + doubled;
            if doubled == rounded - high {
                high = rounded;
            }
        }
        Ok(high)
    }
}

/// Calculate the product of all the elements in the input iterable.
///
/// The default start value for the product is 1.
///
/// When the iterable is empty, return the start value.  This function is
/// intended specifically for use with numeric values and may reject
/// non-numeric types.
#[ms::function(calls_back)]
pub fn prod(
    cx: &Cx,
    #[ms(positional)] iterable: Value,
    #[ms(keyword, default = 1)] start: Value,
) -> Result<Value> {
    let mut result = start;
    let iterator = cx.iter(iterable)?;
    while let Some(item) = cx.next(iterator)? {
        let (a, b) = (result.raw(), item.raw());
        let small = match (a.as_int(), b.as_int()) {
            (Some(a), Some(b)) => a.checked_mul(b).map(|product| cx.make(product)),
            _ => match (a.as_float(), b.as_float()) {
                (Some(a), Some(b)) => Some(cx.make(a * b)),
                _ => None,
            },
        };
        result = match small {
            Some(product) => product?,
            None => cx.binary(Binary::Mul, result, item)?,
        };
    }
    Ok(result)
}

/// A sum of two doubles and what rounding took from it.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let second = sum - a;
    (sum, (a - (sum - second)) + (b - second))
}

/// A product of two doubles and what rounding took from it.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// A sum of products in three doubles.
#[derive(Clone, Copy, Default)]
struct Triple {
    high: f64,
    low: f64,
    tiny: f64,
}

impl Triple {
    fn plus_product(self, a: f64, b: f64) -> Self {
        let (product, product_rest) = two_product(a, b);
        let (high, high_rest) = two_sum(self.high, product);
        let (middle, middle_rest) = two_sum(self.low, product_rest);
        let (low, low_rest) = two_sum(middle, high_rest);
        Self { high, low, tiny: self.tiny + middle_rest + low_rest }
    }

    fn value(self) -> f64 {
        let (sum, rest) = two_sum(self.low, self.high);
        self.tiny + rest + sum
    }
}

/// The sum of `sumprod`: ints in a machine word as long as all are small ints, then doubles in
/// three words as long as one of each pair is a float, then whatever the operators do.
struct ProductSum<'a> {
    cx: &'a Cx,
    total: Value,
    ints: Option<i64>,
    int_path: bool,
    floats: Option<Triple>,
    float_path: bool,
}

impl ProductSum<'_> {
    fn add(&mut self, p: Value, q: Value) -> Result<()> {
        if self.int_path {
            if let (Some(a), Some(b)) = (p.raw().as_int(), q.raw().as_int())
                && let Some(product) = a.checked_mul(b)
                && let Some(sum) = self.ints.unwrap_or(0).checked_add(product)
            {
                self.ints = Some(sum);
                return Ok(());
            }
            self.end_ints()?;
        }
        if self.float_path {
            if let Some((a, b)) = self.as_floats(p, q) {
                let sum = self.floats.unwrap_or_default().plus_product(a, b);
                if sum.high.is_finite() {
                    self.floats = Some(sum);
                    return Ok(());
                }
            }
            self.end_floats()?;
        }
        let product = self.cx.binary(Binary::Mul, p, q)?;
        self.total = self.cx.binary(Binary::Add, self.total, product)?;
        Ok(())
    }

    /// Two doubles, or one and an int.
    fn as_floats(&self, p: Value, q: Value) -> Option<(f64, f64)> {
        let (a, b) = (p.raw().tag, q.raw().tag);
        let int = |tag| matches!(tag, MS_TAG_INT | MS_TAG_BOOL | MS_TAG_BIGINT);
        let fits = match (a == MS_TAG_FLOAT, b == MS_TAG_FLOAT) {
            (true, true) => true,
            (true, false) => int(b),
            (false, true) => int(a),
            (false, false) => false,
        };
        if !fits {
            return None;
        }
        match (p.to(self.cx), q.to(self.cx)) {
            (Ok(a), Ok(b)) => Some((a, b)),
            (Err(error), _) | (_, Err(error)) => {
                // An int beyond the range of a double: the operators decide.
                let _ = self.cx.catch(error);
                None
            }
        }
    }

    fn end_ints(&mut self) -> Result<()> {
        self.int_path = false;
        if let Some(sum) = self.ints.take() {
            let sum = self.cx.make(sum)?;
            self.total = self.cx.binary(Binary::Add, self.total, sum)?;
        }
        Ok(())
    }

    fn end_floats(&mut self) -> Result<()> {
        self.float_path = false;
        if let Some(sum) = self.floats.take() {
            let sum = self.cx.make(sum.value())?;
            self.total = self.cx.binary(Binary::Add, self.total, sum)?;
        }
        Ok(())
    }
}

/// Return the sum of products of values from two iterables p and q.
///
/// Roughly equivalent to:
///
///     sum(itertools.starmap(operator.mul, zip(p, q, strict=True)))
///
/// For float and mixed int/float inputs, the intermediate products
/// and sums are computed with extended precision.
#[ms::function(positional, calls_back)]
pub fn sumprod(cx: &Cx, p: Value, q: Value) -> Result<Value> {
    let (left, right) = (cx.iter(p)?, cx.iter(q)?);
    let mut sum = ProductSum {
        cx,
        total: cx.make(0i64)?,
        ints: None,
        int_path: true,
        floats: None,
        float_path: true,
    };
    loop {
        match (cx.next(left)?, cx.next(right)?) {
            (Some(p), Some(q)) => sum.add(p, q)?,
            (None, None) => break,
            _ => return Err(Error::value("Inputs are not the same length")),
        }
    }
    sum.end_ints()?;
    sum.end_floats()?;
    Ok(sum.total)
}

/// Multidimensional Euclidean distance from the origin to a point.
///
/// Roughly equivalent to:
///     sqrt(sum(x**2 for x in coordinates))
///
/// For a two dimensional point (x, y), gives the hypotenuse
/// using the Pythagorean theorem:  sqrt(x*x + y*y).
///
/// For example, the hypotenuse of a 3/4/5 right triangle is:
///
///     >>> hypot(3.0, 4.0)
///     5.0
#[ms::function(pure, kind = "FF_F", entry = hypot_two)]
pub fn hypot(#[ms(args)] coordinates: Vec<f64>) -> f64 {
    norm(coordinates)
}

fn hypot_two(x: f64, y: f64) -> f64 {
    norm_of(&mut [x.abs(), y.abs()])
}

/// Return the Euclidean distance between two points p and q.
///
/// The points should be specified as sequences (or iterables) of
/// coordinates.  Both inputs must have the same dimension.
///
/// Roughly equivalent to:
///     sqrt(sum((px - qx) ** 2.0 for px, qx in zip(p, q)))
#[ms::function(positional, calls_back)]
pub fn dist(cx: &Cx, p: Value, q: Value) -> Result<f64> {
    let (p, q): (Vec<Value>, Vec<Value>) = (p.to(cx)?, q.to(cx)?);
    if p.len() != q.len() {
        return Err(Error::value("both points must have the same number of dimensions"));
    }
    let mut differences = Vec::with_capacity(p.len());
    for (p, q) in p.iter().zip(&q) {
        differences.push(p.to::<f64>(cx)? - q.to::<f64>(cx)?);
    }
    Ok(norm(differences))
}

fn norm(mut vector: Vec<f64>) -> f64 {
    vector.iter_mut().for_each(|x| *x = x.abs());
    norm_of(&mut vector)
}

/// The norm of absolute values: scaled by a power of two, squared and summed without loss, and
/// the root corrected by what its square misses.
fn norm_of(vector: &mut [f64]) -> f64 {
    let has_nan = vector.iter().any(|x| x.is_nan());
    let max = vector.iter().copied().fold(0.0, f64::max);
    if max.is_infinite() {
        return max;
    }
    if has_nan {
        return f64::NAN;
    }
    if max == 0.0 || vector.len() <= 1 {
        return max;
    }
    let (_, exponent) = libm::frexp(max);
    if exponent < -1023 {
        // The scale would overflow: lift the subnormals first.
        vector.iter_mut().for_each(|x| *x /= f64::MIN_POSITIVE);
        return f64::MIN_POSITIVE * norm_of(vector);
    }
    let scale = libm::ldexp(1.0, -exponent);
    let mut squares = SquareSum { sum: 1.0, products: 0.0, sums: 0.0 };
    for x in vector.iter() {
        let x = x * scale;
        squares.add(x, x);
    }
    let mut root = (squares.sum - 1.0 + (squares.products + squares.sums)).sqrt();
    squares.add(-root, root);
    root += (squares.sum - 1.0 + (squares.products + squares.sums)) / (2.0 * root);
    root / scale
}

/// A running sum that stays above 1, with the parts that rounding took.
struct SquareSum {
    sum: f64,
    products: f64,
    sums: f64,
}

impl SquareSum {
    fn add(&mut self, a: f64, b: f64) {
        let (product, product_rest) = two_product(a, b);
        let sum = self.sum + product;
        let sum_rest = (self.sum - sum) + product;
        self.sum = sum;
        self.products += product_rest;
        self.sums += sum_rest;
    }
}
