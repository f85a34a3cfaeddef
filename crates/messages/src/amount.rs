//! Amounts for people to read.

/// Writes a large number, such as `13.1 billion`.
pub fn count(number: u64) -> String {
    match number {
        0..1_000_000 => number.to_string(),
        1_000_000..1_000_000_000 => format!("{:.1} million", number as f64 / 1e6),
        _ => format!("{:.1} billion", number as f64 / 1e9),
    }
}

/// Writes an amount of memory, such as `1.5 GB`.
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

/// Writes a number with commas between thousands, such as `22,855,952`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a number with its noun, in the plural unless it is one: `1 image`, `3,000 images`.
pub fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number as u64))
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

    #[test]
    fn thousands_are_grouped_and_nouns_counted() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(22_855_952), "22,855,952");
        assert_eq!(counted(1, "image"), "1 image");
        assert_eq!(counted(3000, "image"), "3,000 images");
    }
}
