//! Durations as Go writes them, and with it Docker and Terraform: `1h30m`, `-1.5h`, `100ms`, `0`.
//! Source: `time.ParseDuration` of Go's standard library.

/// Units with their nanoseconds; of two that begin alike the longer comes first.
const UNITS: &[(&str, f64)] =
    &[("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 6e10), ("h", 3.6e12)];

/// The longest duration that Go can hold, in nanoseconds.
const MAX: f64 = 9.2e18;

/// Nanoseconds; none for what is no duration, or longer than Go can hold.
pub fn nanoseconds(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "0" {
        return Some(0.0);
    }
    let (mut rest, mut total) = (unsigned, 0.0);
    while !rest.is_empty() {
        let number = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (value, unit) = rest.split_at(number);
        let (name, size) = UNITS.iter().find(|(name, _)| unit.starts_with(name))?;
        total += value.parse::<f64>().ok()? * size;
        rest = &unit[name.len()..];
    }
    let is_one = !unsigned.is_empty() && total <= MAX;
    is_one.then_some(if text.starts_with('-') { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::nanoseconds;

    #[test]
    fn durations_are_those_of_go() {
        for (text, wanted) in [
            ("0", 0.0),
            ("-0", 0.0),
            ("1h30m", 5.4e12),
            ("-1.5h", -5.4e12),
            ("+.5s", 5e8),
            ("5.s", 5e9),
            ("1m1ms", 6.0001e10),
            ("2µs", 2e3),
        ] {
            assert_eq!(nanoseconds(text), Some(wanted), "{text}");
        }
        for text in ["", "-", "1", "1h0", "00", ".s", "1.2.3s", "s", "1d", "1 h", "-+1s", "3000000h"] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
    }
}
