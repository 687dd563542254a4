//! Values on the command line that need more than their type: durations, shares, what is either on or off.

/// A share of a hundred, for a canary.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.strip_suffix('%').unwrap_or(text).trim_end().parse().ok();
    // Two decimals are what a host can tell apart.
    number
        .filter(|number| (0.01..=100.0).contains(number))
        .ok_or_else(|| format!("`{text}` is no share: write a number from 0.01 to 100"))
}

/// A time from now, in seconds: `90s`, `15m`, `12h`, `30d`, `2w`.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    const LONGEST: u64 = 10 * 365 * 86_400;
    let wrong = || format!("`{text}` is no time: write a number and its unit (s, m, h, d or w), such as 30d");
    let place = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at_checked(place).ok_or_else(wrong)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return Err(wrong()),
    };
    let seconds = number.parse::<u64>().map_err(|_| wrong())?.saturating_mul(factor);
    match seconds {
        0 => Err(format!("`{text}` is over at once: write at least 1s")),
        1..=LONGEST => Ok(seconds),
        _ => Err(format!("`{text}` is longer than ten years: leave it out for something that never expires")),
    }
}

/// Something that `off` ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Switch<T> {
    /// From now on, with this.
    On(T),
    /// No longer.
    Off,
}

/// A share, or `off`.
pub(crate) fn percent_or_off(text: &str) -> Result<Switch<f64>, String> {
    if text == "off" { Ok(Switch::Off) } else { percent(text).map(Switch::On).map_err(|error| error + ", or off") }
}

/// The number of a version, or `off`.
pub(crate) fn version_or_off(text: &str) -> Result<Switch<u32>, String> {
    match (text, text.parse()) {
        ("off", _) => Ok(Switch::Off),
        (_, Ok(number)) if number > 0 => Ok(Switch::On(number)),
        _ => Err(format!("`{text}` is no version: write its number, or off")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, expected) in
            [("1s", 1), ("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600)]
        {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for wrong in ["", "30", "d", "-1d", "1.5h", "30 d", "3months", "١d"] {
            assert!(seconds(wrong).unwrap_err().contains("write a number and its unit"), "{wrong}");
        }
        assert!(seconds("0d").unwrap_err().contains("over at once"));
        assert!(seconds("99999d").unwrap_err().contains("ten years"));
        assert!(seconds("18446744073709551615w").unwrap_err().contains("ten years"));
        assert!(seconds("99999999999999999999999d").unwrap_err().contains("no time"));
    }

    #[test]
    fn shares_are_above_nothing_and_up_to_a_hundred() {
        assert_eq!((percent("10"), percent("0.25%"), percent("100 %")), (Ok(10.0), Ok(0.25), Ok(100.0)));
        for wrong in ["0", "0.001", "-1", "100.1", "NaN", "inf", "ten", ""] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
        assert_eq!((percent_or_off("off"), percent_or_off("5")), (Ok(Switch::Off), Ok(Switch::On(5.0))));
        assert!(percent_or_off("on").unwrap_err().ends_with("or off"));
        assert_eq!((version_or_off("off"), version_or_off("7")), (Ok(Switch::Off), Ok(Switch::On(7))));
        assert!(version_or_off("0").is_err() && version_or_off("v7").is_err());
    }
}
