//! Times and sizes as people write them.

/// What an `f64` holds to the millisecond, and a server can count.
const SECONDS_MAX: f64 = 1e9;
/// Two to the power of this many bytes is more than any machine has.
const BYTES_MAX: f64 = (1_u64 << 50) as f64;

/// Milliseconds of a time such as `90`, `1.5`, `90s`, `2m` or `1h30m`. 0 stands for the default.
pub(crate) fn milliseconds(text: &str) -> Result<u64, String> {
    const HELP: &str = "not a time, such as 90, 1.5, 90s, 2m or 1h30m";
    let mut rest = text.trim();
    let mut seconds = 0.0;
    if rest.is_empty() {
        return Err(HELP.to_owned());
    }
    while !rest.is_empty() {
        let (number, unit, after) = split(rest).ok_or(HELP)?;
        let factor = match unit.to_ascii_lowercase().as_str() {
            // Only the last may be without a unit, and only when it is alone.
            "" if rest.len() == text.trim().len() => 1.0,
            "ms" => 0.001,
            "s" | "sec" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            _ => return Err(HELP.to_owned()),
        };
        seconds += number * factor;
        rest = after.trim_start();
    }
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return Err("more than can be counted".to_owned());
    }
    // Little is not nothing.
    Ok(if seconds == 0.0 { 0 } else { ((seconds * 1000.0) as u64).max(1) })
}

/// Reads a size such as `512`, `512M`, `1.5G` or `65536K`, as MiB. 0 stands for the default.
pub(crate) fn mebibytes(text: &str) -> Result<u64, String> {
    Ok(size(text, f64::from(1 << 20))?.div_ceil(1 << 20))
}

/// Reads a size such as `100000`, `64K` or `20M`, as bytes.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    match size(text, 1.0)? {
        0 => Err("must be above 0".to_owned()),
        bytes => Ok(bytes),
    }
}

fn size(text: &str, plain: f64) -> Result<u64, String> {
    let help = || "not a size, such as 512M or 1.5G".to_owned();
    let (number, unit, after) = split(text.trim()).ok_or_else(help)?;
    let unit = unit.to_ascii_lowercase();
    let factor = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit) {
        "" if unit.is_empty() => plain,
        "" => 1.0,
        "k" => f64::from(1 << 10),
        "m" => f64::from(1 << 20),
        "g" => f64::from(1 << 30),
        "t" => (1_u64 << 40) as f64,
        _ => return Err(help()),
    };
    let bytes = number * factor;
    if !after.is_empty() || !(0.0..=BYTES_MAX).contains(&bytes) {
        return Err(if after.is_empty() { "more than any machine has".to_owned() } else { help() });
    }
    Ok(bytes.ceil() as u64)
}

/// Returns a number, the letters behind it, and the rest.
fn split(text: &str) -> Option<(f64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let rest = rest.trim_start();
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    Some((number.parse().ok()?, unit, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_many_ways() {
        for (text, expected) in [
            ("90", 90_000),
            ("1.5", 1500),
            (".5", 500),
            ("90s", 90_000),
            ("2m", 120_000),
            ("2 min", 120_000),
            ("1h30m", 5_400_000),
            ("1h 30m 1.5s", 5_401_500),
            ("250ms", 250),
            ("0", 0),
            ("0.0001", 1),
        ] {
            assert_eq!(milliseconds(text), Ok(expected), "{text}");
        }
        for text in ["", "x", "-1", "1x", "1m30", "m", "1e3", "nan", "inf", "2d", "99999999999", "1,5"] {
            assert!(milliseconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_written_in_many_ways() {
        for (text, expected) in [
            ("64", 64),
            ("512M", 512),
            ("512mb", 512),
            ("1G", 1024),
            ("1.5GiB", 1536),
            ("65536K", 64),
            ("65537k", 65),
            ("1T", 1 << 20),
            ("1048577B", 2),
            ("0", 0),
        ] {
            assert_eq!(mebibytes(text), Ok(expected), "{text}");
        }
        assert_eq!((bytes("100"), bytes("20M"), bytes("1k")), (Ok(100), Ok(20 << 20), Ok(1024)));
        assert!(bytes("0").is_err());
        for text in ["", "G", "1X", "-1", "1G1M", "1 G x", "1e9", "99999999T"] {
            assert!(mebibytes(text).is_err(), "{text}");
        }
    }
}
