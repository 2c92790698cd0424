//! A day, for suppressions that end.

use std::fmt;

/// A day of the proleptic Gregorian calendar, as `2027-03-01`. The order is that of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day written `YYYY-MM-DD`; none for anything else, as days that do not exist.
    pub fn parse(text: &str) -> Option<Date> {
        let bytes = text.as_bytes();
        let digits = |range: std::ops::Range<usize>| {
            let part = bytes.get(range)?;
            part.iter()
                .all(u8::is_ascii_digit)
                .then(|| part.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
        };
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let (year, month, day) = (digits(0..4)?, digits(5..7)? as u8, digits(8..10)? as u8);
        ((1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day)).then_some(Date { year, month, day })
    }

    /// The day in UTC at this many seconds after 1970-01-01.
    pub fn from_unix(seconds: u64) -> Date {
        let mut days = seconds / 86_400;
        let mut year = 1970;
        loop {
            let length = if is_leap(year) { 366 } else { 365 };
            if days < length || year == 9999 {
                break;
            }
            days -= length;
            year += 1;
        }
        let mut month = 1;
        while month < 12 && days >= u64::from(days_in(year, month)) {
            days -= u64::from(days_in(year, month));
            month += 1;
        }
        Date { year, month, day: days.min(30) as u8 + 1 }
    }

    /// The day before; the first day there is stays.
    pub fn previous(self) -> Date {
        match (self.year, self.month, self.day) {
            (0, 1, 1) => self,
            (year, 1, 1) => Date { year: year - 1, month: 12, day: 31 },
            (year, month, 1) => Date { year, month: month - 1, day: days_in(year, month - 1) },
            (year, month, day) => Date { year, month, day: day - 1 },
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn is_leap(year: u16) -> bool {
    (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_dates() {
        for text in ["2027-03-01", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(Date::parse(text).map(|date| date.to_string()).as_deref(), Some(text));
        }
        for text in ["2027-02-29", "1900-02-29", "2027-13-01", "2027-00-01", "2027-04-31", "2027-4-01", "27-04-01"] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        for text in ["", "2027-03-01 ", "2027/03/01", "+027-03-01", "2027-03-0é", "01.03.2027"] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_are_counted_from_1970() {
        let day = |seconds| Date::from_unix(seconds).to_string();
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(86_399), "1970-01-01");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(1_798_675_200), "2026-12-31");
        assert_eq!(day(u64::MAX).split('-').next(), Some("9999"));
    }

    #[test]
    fn dates_are_ordered_and_have_a_day_before() {
        let date = |text| Date::parse(text).expect("a date");
        assert!(date("2026-12-31") < date("2027-01-01"));
        assert_eq!(date("2024-03-01").previous(), date("2024-02-29"));
        assert_eq!(date("2027-01-01").previous(), date("2026-12-31"));
    }
}
