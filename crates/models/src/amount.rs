//! Large amounts, for people.

/// A number, such as `13.1 billion`.
pub fn count(number: u64) -> String {
    match number {
        0..1_000_000 => number.to_string(),
        1_000_000..1_000_000_000 => format!("{:.1} million", number as f64 / 1e6),
        _ => format!("{:.1} billion", number as f64 / 1e9),
    }
}

/// An amount of memory, such as `1.5 GB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["MB", "GB", "TB", "PB", "EB"];
    let mut size = number as f64 / 1e6;
    let mut unit = 0;
    while size >= 1e3 && unit + 1 < UNITS.len() {
        size /= 1e3;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_for_people() {
        assert_eq!(count(999_999), "999999");
        assert_eq!(count(22_855_952), "22.9 million");
        assert_eq!(count(13_100_000_000), "13.1 billion");
        assert_eq!(bytes(91_423_808), "91.4 MB");
        assert_eq!(bytes(52_400_000_000), "52.4 GB");
        assert_eq!(bytes(u64::MAX), "18.4 EB");
    }
}
