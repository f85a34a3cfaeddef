//! Numbers for people, and the middle of some.

pub use xception_messages::counted;
pub(crate) use xception_messages::grouped as thousands;

/// The sign of negative numbers in text, as wide as a plus.
const MINUS: char = '\u{2212}';

/// Returns a number with a fixed count of decimals and no negative zero.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.contains(|c: char| c.is_ascii_digit() && c != '0') => {
            format!("{MINUS}{rest}")
        }
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

/// Returns a number with its sign, zero without.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let zero = !text.contains(|c: char| c.is_ascii_digit() && c != '0');
    if zero || text.starts_with(MINUS) {
        text
    } else {
        format!("+{text}")
    }
}

/// Returns a count with three significant digits and a unit, such as `8.36 G`.
pub(crate) fn magnitude(value: u64) -> String {
    let value = value as f64;
    let (scaled, unit) = match value {
        v if v >= 999.5e9 => (v / 1e12, " T"),
        v if v >= 999.5e6 => (v / 1e9, " G"),
        v if v >= 999.5e3 => (v / 1e6, " M"),
        v if v >= 999.5 => (v / 1e3, " k"),
        v => return fixed(v, 0),
    };
    format!("{}{unit}", significant(scaled))
}

/// Returns a positive number with three significant digits, all digits of its whole part.
pub(crate) fn significant(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    fixed(value, decimals)
}

/// Joins items as in a sentence: `a, b and c`.
pub(crate) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Writes a time span, such as `1 h 04 min` or `35 s`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

/// Returns the middle of the values; the mean of the two middle ones where their number is even.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1000), "1,000");
        assert_eq!(thousands(22_855_952), "22,855,952");
        assert_eq!(magnitude(999), "999");
        assert_eq!(magnitude(34_512), "34.5 k");
        assert_eq!(magnitude(999_600), "1.00 M");
        assert_eq!(magnitude(512_300_000), "512 M");
        assert_eq!(magnitude(8_363_000_000), "8.36 G");
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(1200, "image"), "1,200 images");
    }

    #[test]
    fn signs() {
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(fixed(-0.01, 2), "−0.01");
        assert_eq!(signed(0.5, 1), "+0.5");
        assert_eq!(signed(0.001, 1), "0.0");
        assert_eq!(signed(-3.2, 1), "−3.2");
    }

    #[test]
    fn lists() {
        let words = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(listed(&words[..0]), "");
        assert_eq!(listed(&words[..1]), "a");
        assert_eq!(listed(&words), "a, b and c");
    }

    #[test]
    fn durations_are_for_people() {
        assert_eq!(duration(0.4), "0 s");
        assert_eq!(duration(65.0), "1 min 05 s");
        assert_eq!(duration(3_840.0), "1 h 04 min");
    }

    #[test]
    fn median_takes_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
