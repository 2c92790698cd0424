//! Points in time, in the form of RFC 3339.

use chrono::{DateTime, Datelike, Duration, FixedOffset, Timelike};

use super::{Function, STRING, Val, Want, function, string, text};
use crate::duration::nanoseconds;

pub(super) const FUNCTIONS: &[Function] = &[
    function("formatdate", &[STRING, STRING], Want::String, |a, at| {
        Ok(string(formatted(text(&a[0]), &strict(&a[1])?)?, at))
    }),
    function("timeadd", &[STRING, STRING], Want::String, |a, at| {
        let later =
            strict(&a[0])?.checked_add_signed(duration(text(&a[1]))?).ok_or("the result is no point in time")?;
        Ok(string(rfc3339(&later), at))
    }),
    function("timecmp", &[STRING, STRING], Want::Number, |a, at| {
        Ok(Val::int(point(&a[0])?.cmp(&point(&a[1])?) as i64, at.span))
    }),
];

fn point(value: &Val) -> Result<DateTime<FixedOffset>, String> {
    let text = text(value);
    let refused = || format!("{text:?} is no RFC 3339 timestamp");
    // The crate is more lenient about letters and leap seconds than terraform is.
    if text.as_bytes().get(10) != Some(&b'T') || text.ends_with('z') || text.get(17..19) == Some("60") {
        return Err(refused());
    }
    // An offset of a whole day is no offset for the crate, but one for terraform.
    if let Some(rest) = text.strip_suffix("+24:00") {
        let point = DateTime::parse_from_rfc3339(&format!("{rest}Z")).map_err(|_| refused())?;
        return point.checked_sub_signed(Duration::days(1)).ok_or_else(refused);
    }
    DateTime::parse_from_rfc3339(text).map_err(|_| refused())
}

/// A point in time whose offset is less than a day, which `timecmp` alone does not ask for.
fn strict(value: &Val) -> Result<DateTime<FixedOffset>, String> {
    match text(value).ends_with("24:00") {
        true => Err(format!("{:?} has an offset of a whole day", text(value))),
        false => point(value),
    }
}

fn rfc3339(point: &DateTime<FixedOffset>) -> String {
    let zone = zone(point, true, true);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
        point.year(),
        point.month(),
        point.day(),
        point.hour(),
        point.minute(),
        point.second()
    )
}

/// `Z` for UTC if wanted, else `+01:00` or `+0100`.
fn zone(point: &DateTime<FixedOffset>, letter: bool, colon: bool) -> String {
    let seconds = point.offset().local_minus_utc();
    if seconds == 0 && letter {
        return "Z".into();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}{}{:02}", minutes / 60, if colon { ":" } else { "" }, minutes % 60)
}

/// A duration as Go writes it.
fn duration(text: &str) -> Result<Duration, String> {
    let length = nanoseconds(text).ok_or_else(|| format!("{text:?} is no duration: write it as in 1h30m"))?;
    Ok(Duration::nanoseconds(length as i64))
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The pattern language of `formatdate`: runs of one letter, quoted literals, and all else as it stands.
fn formatted(pattern: &str, point: &DateTime<FixedOffset>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest = quoted(&rest[1..], &mut out)?;
            continue;
        }
        let run = rest.len() - rest.trim_start_matches(first).len();
        let token = &rest[..run];
        rest = &rest[run..];
        if !first.is_ascii_alphabetic() {
            out.push_str(token);
            continue;
        }
        let (twelve, year) = (point.hour12().1, point.year());
        let (month, day) = (MONTHS[point.month0() as usize], DAYS[point.weekday().num_days_from_monday() as usize]);
        out.push_str(&match token {
            "YYYY" => format!("{year:04}"),
            "YY" => format!("{:02}", year.rem_euclid(100)),
            "MMMM" => month.to_string(),
            "MMM" => month[..3].to_string(),
            "MM" => format!("{:02}", point.month()),
            "M" => point.month().to_string(),
            "DD" => format!("{:02}", point.day()),
            "D" => point.day().to_string(),
            "EEEE" => day.to_string(),
            "EEE" => day[..3].to_string(),
            "hh" => format!("{:02}", point.hour()),
            "h" => point.hour().to_string(),
            "HH" => format!("{twelve:02}"),
            "H" => twelve.to_string(),
            "AA" => if point.hour() < 12 { "AM" } else { "PM" }.to_string(),
            "aa" => if point.hour() < 12 { "am" } else { "pm" }.to_string(),
            "mm" => format!("{:02}", point.minute()),
            "m" => point.minute().to_string(),
            "ss" => format!("{:02}", point.second()),
            "s" => point.second().to_string(),
            "ZZZZZ" => zone(point, false, true),
            "ZZZZ" => zone(point, false, false),
            "ZZZ" if point.offset().local_minus_utc() == 0 => "UTC".to_string(),
            "ZZZ" => zone(point, false, false),
            "Z" => zone(point, true, true),
            _ => return Err(format!("{token:?} is no part of a date; quote what is literal")),
        });
    }
    Ok(out)
}

/// Reads a quoted literal, after its opening quote; two quotes are one. Gives what follows it.
fn quoted<'p>(mut rest: &'p str, out: &mut String) -> Result<&'p str, String> {
    loop {
        let end = rest.find('\'').ok_or("a quote in the pattern is never closed")?;
        out.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                out.push('\'');
                rest = after;
            }
            None => return Ok(rest),
        }
    }
}
