//! Numbers as a reader of a report wants them.

/// A count with its thousands grouped: `1,006,987`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number to six significant digits: `0.198795`, `1.2e-7`. NaN is empty.
pub(crate) fn rounded(number: f64) -> String {
    if number.is_nan() {
        return String::new();
    }
    let magnitude = number.abs();
    if number.is_infinite() || magnitude < f64::MIN_POSITIVE {
        return if number.is_infinite() {
            number.to_string()
        } else {
            "0".to_owned()
        };
    }
    let scientific = format!("{number:.5e}");
    let rounded: f64 = scientific.parse().unwrap_or(number);
    if (1e-5..1e15).contains(&rounded.abs()) {
        return rounded.to_string();
    }
    format!("{rounded:e}")
}

/// A share as percent with two digits: `19.88%`. What rounding would make nothing or everything is told apart from it.
/// NaN is empty.
pub(crate) fn percent(share: f64) -> String {
    const LEAST: f64 = 0.000_05;
    match share {
        nan if nan.is_nan() => String::new(),
        tiny if tiny > 0.0 && tiny < LEAST => "<0.01%".to_owned(),
        most if (1.0 - LEAST..1.0 - 1e-12).contains(&most) => ">99.99%".to_owned(),
        share if share.abs() < 1e12 => format!("{:.2}%", share * 100.0),
        large => format!("{}%", rounded(large * 100.0)),
    }
}

/// A factor to four digits: `1.2048`, `12.05`.
pub(crate) fn factor(number: f64) -> String {
    match number {
        nan if nan.is_nan() => String::new(),
        small if small.abs() < 10.0 => format!("{small:.4}"),
        middle if middle.abs() < 1e4 => format!("{middle:.2}"),
        large => rounded(large),
    }
}

/// A count in few characters: `950`, `12 k`, `1.5 M`.
pub(crate) fn compact(count: u64) -> String {
    const SCALES: [(u64, &str); 4] = [
        (1_000_000_000_000, "T"),
        (1_000_000_000, "G"),
        (1_000_000, "M"),
        (1_000, "k"),
    ];
    match SCALES.iter().find(|(scale, _)| count >= *scale) {
        Some((scale, letter)) => {
            let tenths = count / (scale / 10);
            match tenths % 10 {
                0 => format!("{} {letter}", tenths / 10),
                tenth => format!("{}.{tenth} {letter}", tenths / 10),
            }
        }
        None => count.to_string(),
    }
}

/// A size in bytes, and in a larger unit where that is shorter.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let exact = format!("{} bytes", grouped(count));
    match UNITS.iter().find(|(scale, _)| count >= *scale) {
        Some((scale, unit)) => format!("{exact} ({:.1} {unit})", count as f64 / *scale as f64),
        None => exact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_not_wrong() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.198_795_180_722, "0.198795"),
            (0.999_999_999, "1"),
            (0.000_1, "0.0001"),
            (0.000_05, "0.00005"),
            (0.000_001_234_567_8, "1.23457e-6"),
            (123_456_789.0, "123457000"),
            (-0.25, "-0.25"),
            (-3e16, "-3e16"),
            (f64::NAN, ""),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(rounded(number), text);
        }
    }

    #[test]
    fn percents_have_two_digits_and_never_pretend() {
        for (share, text) in [
            (0.0, "0.00%"),
            (0.198_795_180_722, "19.88%"),
            (1.0, "100.00%"),
            (1.0 - 1e-15, "100.00%"),
            (0.999_99, ">99.99%"),
            (0.000_049, "<0.01%"),
            (0.000_05, "0.01%"),
            (1.13, "113.00%"),
            (f64::NAN, ""),
            (1e20, "1e22%"),
        ] {
            assert_eq!(percent(share), text);
        }
        assert_eq!(
            [factor(1.0), factor(12.345), factor(1e9)],
            ["1.0000", "12.35", "1000000000"]
        );
    }

    #[test]
    fn counts_are_grouped_and_compact() {
        for (count, long, short) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1,000", "1 k"),
            (1_500, "1,500", "1.5 k"),
            (1_006_987, "1,006,987", "1 M"),
            (u64::MAX, "18,446,744,073,709,551,615", "18446744 T"),
        ] {
            assert_eq!((grouped(count).as_str(), compact(count).as_str()), (long, short));
        }
        assert_eq!(bytes(1536), "1,536 bytes (1.5 KiB)");
        assert_eq!(bytes(12), "12 bytes");
    }
}
