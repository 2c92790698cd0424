//! Terraform's numbers: binary floating point of 512 bits, as `cty.Number` computes them, with a fast path for integers.
//!
//! What functions compute in doubles has 53 bits, and what they count has 64: a result has the bits of its operand with more.
//! `0.1 + 0.2 == 0.3` is true at this precision once written back in decimal, and `1 / 3 * 3 == 1`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use dashu_float::FBig;
use dashu_float::round::mode::HalfEven;
use dashu_int::IBig;

pub(super) type Float = FBig<HalfEven, 2>;
pub(super) type Decimal = FBig<HalfEven, 10>;

/// Bits of the mantissa, as terraform parses and computes.
const PRECISION: usize = 512;
/// Bits of a double.
const DOUBLE: usize = 53;
/// Bits of a number that counts.
const WORD: usize = 64;
/// Decimal exponents beyond this are refused: writing such a number out would cost more than it is worth.
const MAX_EXPONENT: i64 = 10_000;
/// Binary exponents that results may have.
const MAX_BINARY_EXPONENT: isize = 40_000;

/// A number.
#[derive(Debug, Clone)]
pub enum Number {
    /// An integer that fits, of full precision.
    Int(i64),
    /// Any other number; integers of full precision that fit are never here.
    Big(Arc<Float>),
    /// What a division by zero yields: `1 / 0` is a value in Terraform.
    Infinite {
        /// Below every other number instead of above.
        is_negative: bool,
    },
}

/// Why an operation has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Zero divided by zero, or an infinite number minus itself: no number is right.
    Undefined,
    /// The result is too large or too small to write out.
    Range,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::Undefined => "the result is no number",
            Refused::Range => "the number is out of range",
        })
    }
}

impl Number {
    /// Reads decimal text: digits, a fraction, an exponent; `inf` for infinity. None for anything else, second signs included.
    pub fn parse(text: &str) -> Option<Number> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.strip_prefix('+').unwrap_or(digits);
        if plain.len() != digits.len() && digits.len() != text.len() {
            return None;
        }
        if let Ok(int) = text.parse::<i64>()
            && (int != 0 || !text.starts_with('-'))
        {
            return Some(Number::Int(int));
        }
        if matches!(plain, "inf" | "Inf") {
            return Some(Number::Infinite { is_negative: text.starts_with('-') });
        }
        let (mantissa, exponent) = match plain.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (plain, 0),
        };
        let well_formed = mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && mantissa.bytes().any(|byte| byte.is_ascii_digit())
            && mantissa.bytes().filter(|byte| *byte == b'.').count() <= 1;
        if !well_formed || exponent.abs() > MAX_EXPONENT || mantissa.len() as i64 > MAX_EXPONENT {
            return None;
        }
        let negative = text.starts_with('-');
        let decimal = Decimal::from_str(&format!("{}{mantissa}e{exponent}", if negative { "-" } else { "" })).ok()?;
        let number = Number::of(decimal.with_base_and_precision::<2>(PRECISION).value());
        Some(if negative && number == Number::Int(0) { Number::Int(0).negate() } else { number })
    }

    /// What is computed in doubles; none for NaN.
    pub fn from_f64(double: f64) -> Option<Number> {
        if double.is_infinite() {
            return Some(Number::Infinite { is_negative: double < 0.0 });
        }
        let float = Float::try_from(double).ok().filter(|_| !double.is_nan())?;
        let float = if double == 0.0 && double.is_sign_negative() { -Float::ZERO } else { float };
        Some(Number::Big(Arc::new(float.with_precision(DOUBLE).value())))
    }

    /// What is counted: an integer of 64 bits.
    pub fn word(int: i64) -> Number {
        Number::Big(Arc::new(Float::from(int).with_precision(WORD).value()))
    }

    fn of(float: Float) -> Number {
        if float.precision() >= PRECISION
            && float.repr().is_int()
            && float.repr().exponent() < 64
            && let Ok(int) = i64::try_from(float.clone())
        {
            return Number::Int(int);
        }
        Number::Big(Arc::new(float))
    }

    fn checked(float: Float) -> Result<Number, Refused> {
        if float.repr().is_infinite() || float.repr().exponent().abs() > MAX_BINARY_EXPONENT {
            return Err(Refused::Range);
        }
        Ok(Number::of(float))
    }

    pub(super) fn float(&self) -> Float {
        match self {
            Number::Int(int) => Float::from(*int).with_precision(PRECISION).value(),
            Number::Big(float) => (**float).clone(),
            Number::Infinite { is_negative: false } => Float::INFINITY,
            Number::Infinite { is_negative: true } => Float::NEG_INFINITY,
        }
    }

    /// The sum.
    pub fn add(&self, other: &Number) -> Result<Number, Refused> {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) if a.checked_add(*b).is_some() => Ok(Number::Int(a + b)),
            (Number::Infinite { is_negative: a }, Number::Infinite { is_negative: b }) if a != b => {
                Err(Refused::Undefined)
            }
            (infinite @ Number::Infinite { .. }, _) | (_, infinite @ Number::Infinite { .. }) => Ok(infinite.clone()),
            _ => Number::checked(sum(&self.float(), &other.float())),
        }
    }

    /// The difference.
    pub fn subtract(&self, other: &Number) -> Result<Number, Refused> {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) if a.checked_sub(*b).is_some() => Ok(Number::Int(a - b)),
            (Number::Infinite { .. }, _) | (_, Number::Infinite { .. }) => self.add(&other.negate()),
            _ => Number::checked(sum(&self.float(), &-other.float())),
        }
    }

    /// The product.
    pub fn multiply(&self, other: &Number) -> Result<Number, Refused> {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) if a.checked_mul(*b).is_some() => Ok(match a * b {
                0 => self.zero_by(other),
                product => Number::Int(product),
            }),
            (Number::Infinite { .. }, other) | (other, Number::Infinite { .. }) if other.is_zero() => {
                Err(Refused::Undefined)
            }
            (Number::Infinite { .. }, _) | (_, Number::Infinite { .. }) => Ok(self.infinite_by(other)),
            _ => {
                let (a, b) = (self.float(), other.float());
                let bits = a.precision().max(b.precision());
                // A product keeps all its bits, up to the full precision.
                let product = a.with_precision(PRECISION).value() * b.with_precision(PRECISION).value();
                let bits = bits.max(product.repr().digits());
                Number::checked(product.with_precision(bits).value())
            }
        }
    }

    /// Infinity with the sign that a product or quotient of the two has.
    fn infinite_by(&self, other: &Number) -> Number {
        Number::Infinite { is_negative: self.has_minus() != other.has_minus() }
    }

    /// Zero with the sign that a product or quotient of the two has.
    fn zero_by(&self, other: &Number) -> Number {
        if self.has_minus() != other.has_minus() { Number::Int(0).negate() } else { Number::Int(0) }
    }

    fn is_zero(&self) -> bool {
        self.as_i64() == Some(0)
    }

    /// The quotient.
    pub fn divide(&self, other: &Number) -> Result<Number, Refused> {
        match (self, other) {
            (Number::Infinite { .. }, Number::Infinite { .. }) => Err(Refused::Undefined),
            _ if self.is_zero() && other.is_zero() => Err(Refused::Undefined),
            (Number::Infinite { .. }, _) => Ok(self.infinite_by(other)),
            _ if other.is_zero() => Ok(self.infinite_by(other)),
            (_, Number::Infinite { .. }) | (Number::Int(0), Number::Int(_)) => Ok(self.zero_by(other)),
            (Number::Int(a), Number::Int(b)) if a.checked_rem(*b) == Some(0) => Ok(Number::Int(a / b)),
            _ => Number::checked(self.float() / other.float()),
        }
    }

    /// What remains of the truncated division: its sign is that of `self`.
    pub fn remainder(&self, other: &Number) -> Result<Number, Refused> {
        match (self, other) {
            (Number::Infinite { .. }, _) | (_, Number::Infinite { .. }) => Err(Refused::Undefined),
            // Terraform takes the quotient for infinite, of which nothing is subtracted.
            _ if other.is_zero() => Ok(self.clone()),
            (Number::Int(a), Number::Int(b)) => Ok(Number::Int(a.checked_rem(*b).unwrap_or(0))),
            _ => {
                let whole = (self.float() / other.float()).trunc().with_precision(PRECISION).value();
                Number::checked(self.float() - whole * other.float())
            }
        }
    }

    /// The number with the other sign.
    pub fn negate(&self) -> Number {
        match self {
            // Zero has a sign, which shows when it is written out.
            Number::Int(0) => Number::Big(Arc::new((-Float::ZERO).with_precision(PRECISION).value())),
            Number::Int(int) if *int != i64::MIN => Number::Int(-int),
            Number::Infinite { is_negative } => Number::Infinite { is_negative: !is_negative },
            _ => Number::of(-self.float()),
        }
    }

    /// The largest integer that is not larger.
    pub fn floor(&self) -> Number {
        match self {
            Number::Int(_) | Number::Infinite { .. } => self.clone(),
            Number::Big(float) if float.repr().is_neg_zero() => Number::Int(0),
            Number::Big(float) => Number::of(float.floor().with_precision(float.precision()).value()),
        }
    }

    /// The smallest integer that is not smaller.
    pub fn ceil(&self) -> Number {
        match self {
            Number::Int(_) | Number::Infinite { .. } => self.clone(),
            Number::Big(float) if float.repr().is_neg_zero() => Number::Int(0),
            Number::Big(float) => Number::of(float.ceil().with_precision(float.precision()).value()),
        }
    }

    /// The number without its fraction.
    pub fn truncate(&self) -> Number {
        match self {
            Number::Int(_) | Number::Infinite { .. } => self.clone(),
            Number::Big(float) => Number::of(float.trunc().with_precision(float.precision()).value()),
        }
    }

    /// Less than zero; the zero that is written with a minus is not.
    pub fn is_negative(&self) -> bool {
        *self < Number::Int(0)
    }

    /// Whether there is no fraction.
    pub fn is_integer(&self) -> bool {
        match self {
            Number::Int(_) => true,
            Number::Big(float) => float.repr().is_int() || float.repr().is_neg_zero(),
            Number::Infinite { .. } => false,
        }
    }

    /// The integer, where it is one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Number::Int(int) => Some(*int),
            Number::Big(float) if float.repr().is_neg_zero() => Some(0),
            Number::Big(float) if float.repr().is_int() && float.repr().exponent() < 64 => {
                i64::try_from((**float).clone()).ok()
            }
            Number::Big(_) | Number::Infinite { .. } => None,
        }
    }

    /// Whether it is neither of the two infinite numbers.
    pub fn is_finite(&self) -> bool {
        !matches!(self, Number::Infinite { .. })
    }

    /// Negative, or the zero that is written with a minus.
    pub fn has_minus(&self) -> bool {
        self.is_negative() || matches!(self, Number::Big(float) if float.repr().is_neg_zero())
    }

    /// The integer, of any size, where it is one.
    pub fn as_integer(&self) -> Option<IBig> {
        match self {
            Number::Int(int) => Some(IBig::from(*int)),
            Number::Big(float) => self.is_integer().then(|| float.trunc().to_int().value()),
            Number::Infinite { .. } => None,
        }
    }

    /// The nearest double.
    pub fn as_f64(&self) -> f64 {
        match self {
            Number::Int(int) => *int as f64,
            Number::Big(float) => float.to_f64().value(),
            Number::Infinite { is_negative: false } => f64::INFINITY,
            Number::Infinite { is_negative: true } => f64::NEG_INFINITY,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a.cmp(b),
            _ => self.float().cmp(&other.float()),
        }
    }
}

/// The sum, rounded once from its exact value.
fn sum(a: &Float, b: &Float) -> Float {
    let precision = a.precision().max(b.precision());
    if a.repr().significand().is_zero() && b.repr().significand().is_zero() {
        let both = a.repr().is_neg_zero() && b.repr().is_neg_zero();
        let zero = if both { -Float::ZERO } else { Float::ZERO };
        return zero.with_precision(precision).value();
    }
    let at = |float: &Float| if float.repr().significand().is_zero() { None } else { Some(float.repr().exponent()) };
    let lowest = at(a).into_iter().chain(at(b)).min().unwrap_or(0);
    let shifted = |float: &Float| match at(float) {
        Some(exponent) => float.repr().significand().clone() << (exponent - lowest).unsigned_abs(),
        None => IBig::ZERO,
    };
    let significand = shifted(a) + shifted(b);
    // A zero with an exponent would be the one that is written with a minus.
    let exponent = if significand.is_zero() { 0 } else { lowest };
    Float::from_parts(significand, exponent).with_precision(precision).value()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).expect(text)
    }

    #[test]
    fn decimals_add_up_as_in_terraform() {
        assert_eq!(number("0.1").add(&number("0.2")).unwrap(), number("0.3"));
        assert_eq!(number("1").divide(&number("3")).unwrap().multiply(&number("3")).unwrap(), number("1"));
        assert_eq!(number("-7.5").remainder(&number("2")).unwrap(), number("-1.5"));
        assert_eq!(number("1e400").to_string().len(), 401);
        assert_eq!(number("-0.5").add(&number("0.5")).unwrap().to_string(), "0");
    }

    #[test]
    fn results_are_as_precise_as_their_operands() {
        assert_eq!(Number::from_f64(-39.752115110873014).unwrap().to_string(), "-39.752115110873014");
        assert_eq!(Number::word(1).divide(&Number::word(3)).unwrap().to_string(), "0.33333333333333333334");
        assert_eq!(Number::word(1).divide(&number("3")).unwrap().to_string().len(), 2 + 155);
        assert_eq!(
            Number::from_f64(0.1).unwrap().multiply(&Number::from_f64(3.0).unwrap()).unwrap().to_string(),
            "0.30000000000000002"
        );
        assert_eq!(Number::from_f64(-0.0).unwrap().to_string(), "-0");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "abc", "1x", "--1", "-+1", ".", "1.2.3", "1e", "0x10", "INF", "NaN", "1e999999999"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_division_by_zero_is_infinite() {
        let (above, below) = (number("inf"), number("-inf"));
        assert_eq!(number("5").divide(&number("0")), Ok(above.clone()));
        assert_eq!(number("-5").divide(&number("0")), Ok(below.clone()));
        assert_eq!(number("0").divide(&number("0")), Err(Refused::Undefined));
        assert_eq!(above.subtract(&above), Err(Refused::Undefined));
        assert_eq!(number("5").divide(&below).unwrap().to_string(), "-0");
        assert!(below < number("-1e400") && number("1e400") < above);
    }

    #[test]
    fn integers_that_do_not_fit_stay_exact() {
        let big = number("9223372036854775807").add(&number("1")).unwrap();
        assert_eq!(big.to_string(), "9223372036854775808");
        assert_eq!(big.subtract(&number("1")).unwrap().as_i64(), Some(i64::MAX));
    }
}
