//! How a number is written: in decimal, with as many digits as are asked for or as tell it from every other, and in other bases.

use std::cmp::Ordering;
use std::fmt;

use dashu_int::UBig;

use super::number::{Decimal, Number};

/// Decimal digits that tell any two mantissas of that size apart.
const DIGITS: usize = 156;

impl Number {
    /// The digits of an integer in a base from 2 to 36; none where it is no integer.
    pub fn in_base(&self, base: u8) -> Option<String> {
        Some(self.as_integer()?.in_radix(base).to_string())
    }

    /// The decimal of a finite number with this many digits after the point; halves go to the even digit.
    pub fn fixed(&self, places: usize) -> String {
        let sign = if self.has_minus() { "-" } else { "" };
        let digits = self.scaled(places as i64).to_string();
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// The sign of a finite number, this many significant digits, and the decimal exponent of the first.
    pub fn scientific(&self, digits: usize) -> (bool, String, i64) {
        if *self == Number::Int(0) {
            return (self.has_minus(), "0".repeat(digits), 0);
        }
        let repr = self.float().into_repr();
        let bits = repr.digits() as i64 + repr.exponent() as i64;
        let mut power = (bits as f64 * std::f64::consts::LOG10_2).floor() as i64;
        loop {
            let text = self.scaled(digits as i64 - 1 - power).to_string();
            match text.len().cmp(&digits) {
                Ordering::Equal => return (self.has_minus(), text, power),
                Ordering::Greater => power += 1,
                Ordering::Less => power -= 1,
            }
        }
    }

    /// The integer nearest to the number times a power of ten, without its sign; halves go to the even one.
    fn scaled(&self, power: i64) -> UBig {
        let (significand, exponent) = self.float().into_repr().into_parts();
        let (_, mut above) = significand.into_parts();
        let mut below = UBig::ONE;
        let ten = UBig::from(10u8).pow(power.unsigned_abs() as usize);
        if power >= 0 {
            above *= ten
        } else {
            below *= ten
        }
        if exponent >= 0 {
            above <<= exponent as usize
        } else {
            below <<= exponent.unsigned_abs()
        }
        let (whole, rest) = (&above / &below, &above % &below);
        let twice = rest * 2u8;
        let is_up = twice > below || (twice == below && &whole % 2u8 == 1);
        if is_up { whole + UBig::ONE } else { whole }
    }
}

/// The shortest decimal that reads back as the same number, never with an exponent, as terraform turns numbers into text.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let float = match self {
            Number::Int(int) => return write!(f, "{int}"),
            Number::Infinite { is_negative } => return f.write_str(if *is_negative { "-Inf" } else { "+Inf" }),
            Number::Big(float) => float,
        };
        if float.repr().is_neg_zero() {
            return f.write_str("-0");
        }
        if let Some(int) = self.as_i64() {
            return write!(f, "{int}");
        }
        let at = |digits: usize| (**float).clone().with_base_and_precision::<10>(digits).value();
        let same =
            |decimal: &Decimal| decimal.clone().with_base_and_precision::<2>(float.precision()).value() == **float;
        let (mut short, mut enough) = (0, DIGITS);
        while enough - short > 1 {
            let middle = short + (enough - short) / 2;
            if same(&at(middle)) {
                enough = middle;
            } else {
                short = middle;
            }
        }
        f.write_str(&positional(&at(enough)))
    }
}

/// Digits without an exponent.
fn positional(decimal: &Decimal) -> String {
    let (significand, exponent) = decimal.repr().clone().into_parts();
    let text = significand.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    if exponent >= 0 {
        return format!("{sign}{digits}{}", "0".repeat(exponent as usize));
    }
    let places = exponent.unsigned_abs();
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).expect(text)
    }

    #[test]
    fn text_is_the_shortest_that_reads_back() {
        for text in ["0.1", "1.5", "-3.25", "0.000001", "123456789012345678901234567890", "12345678901234567890.5"] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("1.50").to_string(), "1.5");
        assert_eq!(number("1e3").to_string(), "1000");
        assert_eq!(number("1").divide(&number("3")).unwrap().to_string().len(), 2 + 155);
    }

    #[test]
    fn decimals_are_rounded_from_all_bits() {
        assert_eq!(number("0.1").fixed(25), "0.1000000000000000000000000");
        assert_eq!(number("2.5").fixed(0), "2");
        assert_eq!(number("-0.005").fixed(2), "-0.00");
        assert_eq!(number("1e30").fixed(1), "1000000000000000000000000000000.0");
        assert_eq!(number("999.96").scientific(4), (false, "1000".into(), 3));
        assert_eq!(number("-0.00012345").scientific(3), (true, "123".into(), -4));
    }
}
