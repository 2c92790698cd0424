//! How a number is written: in decimal, with as many digits as are asked for or as tell it from every other, and in other bases.

use std::cmp::Ordering;
use std::fmt;

use dashu_int::UBig;

use super::number::Number;

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
        // From below: with a power too high, rounding could fill the digits that are missing.
        let mut power = ((bits - 1) as f64 * std::f64::consts::LOG10_2).floor() as i64;
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
        let (mut short, mut enough) = (0, DIGITS);
        while enough - short > 1 {
            let middle = short + (enough - short) / 2;
            if self.is_read_from(&self.scientific(middle), float.precision()) {
                enough = middle;
            } else {
                short = middle;
            }
        }
        f.write_str(&positional(&self.scientific(enough)))
    }
}

impl Number {
    /// Whether decimal digits, as [`Number::scientific`] gives them, are nearer to this number than to any other with a mantissa of
    /// so many bits. In whole numbers: conversions of floating point between bases take a thousand times as long.
    fn is_read_from(&self, (_, digits, power): &(bool, String, i64), precision: usize) -> bool {
        let Ok(mut decimal) = digits.parse::<UBig>() else { return false };
        let repr = self.float().into_repr();
        let precision = precision.max(repr.digits()).max(1);
        let unused = precision - repr.digits();
        let (significand, exponent) = repr.into_parts();
        let (mut binary, mut unit) = (significand.into_parts().1 << unused, UBig::ONE);
        let is_even = &binary % 2u8 == 0;
        // The number below a power of two is half as far away as that above.
        let is_power = binary == UBig::ONE << (precision - 1);
        let (ten, exponent) = (power - (digits.len() as i64 - 1), exponent as i64 - unused as i64);
        let tens = UBig::from(10u8).pow(ten.unsigned_abs() as usize);
        if ten >= 0 {
            decimal *= tens;
        } else {
            (binary, unit) = (binary * &tens, unit * tens);
        }
        let twos = exponent.unsigned_abs() as usize;
        if exponent >= 0 {
            (binary, unit) = (binary << twos, unit << twos);
        } else {
            decimal <<= twos;
        }
        let (far, part) = match decimal < binary {
            true => (binary - decimal, if is_power { 4u8 } else { 2 }),
            false => (decimal - binary, 2),
        };
        match (far * part).cmp(&unit) {
            Ordering::Less => true,
            Ordering::Equal => is_even,
            Ordering::Greater => false,
        }
    }
}

/// Digits without an exponent.
fn positional((has_minus, digits, power): &(bool, String, i64)) -> String {
    let sign = if *has_minus { "-" } else { "" };
    let before = power + 1;
    let (whole, fraction) = match usize::try_from(before) {
        Ok(before) if before >= digits.len() => return format!("{sign}{digits}{}", "0".repeat(before - digits.len())),
        Ok(before) if before > 0 => (digits[..before].to_string(), digits[before..].to_string()),
        _ => ("0".to_string(), format!("{}{digits}", "0".repeat(before.unsigned_abs() as usize))),
    };
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
    fn text_of_any_number_reads_back_and_one_digit_less_does_not() {
        let third = number("1").divide(&number("3")).unwrap();
        let mut one = number("1.5");
        for step in 1..200_u32 {
            let factor = number(&format!("{}.{}e{}", step * 7919 % 97, step * 104_729, i64::from(step % 61) - 30));
            one = one.multiply(if step % 3 == 0 { &third } else { &factor }).unwrap();
            let text = one.to_string();
            assert_eq!(number(&text), one, "{text}");
            let digits = text.trim_start_matches(['-', '0', '.']).replace('.', "").trim_end_matches('0').len();
            let shorter = one.scientific(digits - 1);
            let shorter =
                format!("{}{}e{}", if shorter.0 { "-" } else { "" }, shorter.1, shorter.2 - digits as i64 + 2);
            assert_ne!(number(&shorter), one, "{text}");
            if one.to_string().len() > 2_000 {
                one = number("0.7");
            }
        }
        let mut two = number("1");
        for power in 1..600 {
            two = two.divide(&number("2")).unwrap();
            assert_eq!(number(&two.to_string()), two, "2^-{power}");
        }
    }

    #[test]
    fn decimals_are_rounded_from_all_bits() {
        assert_eq!(number("0.1").fixed(25), "0.1000000000000000000000000");
        assert_eq!(number("2.5").fixed(0), "2");
        assert_eq!(number("-0.005").fixed(2), "-0.00");
        assert_eq!(number("1e30").fixed(1), "1000000000000000000000000000000.0");
        assert_eq!(number("999.96").scientific(4), (false, "1000".into(), 3));
        assert_eq!(number("-0.00012345").scientific(3), (true, "123".into(), -4));
        assert_eq!(number("9.9999999999999963e-29").scientific(16), (false, "9999999999999996".into(), -29));
    }
}
