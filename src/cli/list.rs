//! `pyexec list`

use super::{
    Failure, Result,
    console::print,
    options::{ServerOptions, UnusedFlags},
    wire::Listed,
};
use clap::{Args, ValueEnum};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PAGE: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only those in this state
    #[arg(long, value_name = "STATUS")]
    status: Option<Status>,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,

    /// Print a JSON array of all that the server says
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerOptions,

    /// Print no headings
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    _unused: UnusedFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    Pending,
    Running,
    Completed,
    Failed,
    Killed,
}

pub(crate) fn run(arguments: &Arguments) -> Result<u8> {
    let client = arguments.server.named_or_usual(arguments.quiet)?;
    let status = arguments.status.and_then(|status| status.to_possible_value());
    let status = status.as_ref().map(|status| status.get_name());
    let mut executions = Vec::new();
    let mut after = None;
    while executions.len() < arguments.limit {
        let wanted = PAGE.min(arguments.limit - executions.len());
        let page = client.list(status, wanted, after.as_deref())?;
        let got = page.executions.len();
        executions.extend(page.executions.into_iter().take(wanted));
        after = page.next;
        if after.is_none() || got == 0 {
            break;
        }
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&executions).unwrap_or_default();
        print(&format!("{text}\n"))?;
        return Ok(0);
    }
    let listed: Result<Vec<Listed>, _> = executions.into_iter().map(serde_json::from_value).collect();
    let listed = listed.map_err(|e| Failure::Fault(format!("the server's list makes no sense: {e}")))?;
    print(&table(&listed, SystemTime::now(), !arguments.quiet))?;
    Ok(0)
}

fn table(listed: &[Listed], now: SystemTime, headings: bool) -> String {
    let mut rows = Vec::new();
    if headings {
        rows.push(["ID", "STATUS", "AGE", "DURATION", "EXIT"].map(str::to_owned));
    }
    rows.extend(listed.iter().map(|execution| row(execution, now)));
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let (id, status, age, duration) = (width(0), width(1), width(2), width(3));
    let line = |[a, b, c, d, e]: &[String; 5]| format!("{a:id$}  {b:status$}  {c:>age$}  {d:>duration$}  {e:>4}\n");
    rows.iter().map(line).collect()
}

fn row(execution: &Listed, now: SystemTime) -> [String; 5] {
    let ended = !matches!(execution.status.as_str(), "pending" | "running");
    let created = execution.created_at.as_deref().or(execution.started_at.as_deref()).and_then(time);
    let age = created.map(|created| now.duration_since(created).unwrap_or_default());
    let (started, finished) =
        (execution.started_at.as_deref().and_then(time), execution.finished_at.as_deref().and_then(time));
    let duration = match (execution.duration_ms, started, finished) {
        (Some(ms), _, _) if ended => Some(Duration::from_millis(ms)),
        (_, Some(started), Some(finished)) => finished.duration_since(started).ok(),
        (_, Some(started), None) if !ended => now.duration_since(started).ok(),
        _ => None,
    };
    let exit_code = execution.exit_code.filter(|_| execution.status == "completed");
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        plain(&execution.execution_id),
        plain(&execution.status),
        or_dash(age.map(rough)),
        or_dash(duration.map(fine)),
        or_dash(exit_code.map(|code| code.to_string())),
    ]
}

pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(100).collect()
}

pub(crate) fn rough(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86_400 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

fn fine(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        return format!("{} ms", time.as_millis());
    }
    format!("{:.1} s", time.as_secs_f64())
}

/// Reads a time as servers write it: `2026-01-31T23:59:59.123Z`.
pub(crate) fn time(text: &str) -> Option<SystemTime> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut clock = clock.splitn(3, ':');
    let (hour, minute): (u64, u64) = (clock.next()?.parse().ok()?, clock.next()?.parse().ok()?);
    let second: f64 = clock.next()?.parse().ok()?;
    if !(1970..10_000).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || !(0.0..61.0).contains(&second)
    {
        return None;
    }
    // Years begin in March here, so that the leap day is the last of one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let since_epoch = days.checked_sub(719_468)?;
    let seconds = since_epoch * 86_400 + hour * 3600 + minute * 60;
    Some(UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_secs_f64(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn times_are_understood() {
        assert_eq!(time("1970-01-01T00:00:00.000Z"), Some(at(0)));
        assert_eq!(time("2000-02-29T12:30:15.5Z"), Some(at(951_827_415) + Duration::from_millis(500)));
        assert_eq!(time("2026-11-20T22:21:47.000000Z"), Some(at(1_795_213_307)));
        for bad in
            ["", "Z", "TZ", "2026-11-20", "2026-13-01T00:00:00Z", "1969-01-01T00:00:00Z", "2026-01-01T00:00:NaNZ"]
        {
            assert_eq!(time(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_table_lines_up() {
        let listed = [
            Listed {
                execution_id: "exe_1".into(),
                status: "completed".into(),
                created_at: Some("1970-01-01T00:00:10.000Z".into()),
                duration_ms: Some(12),
                exit_code: Some(3),
                ..Listed::default()
            },
            Listed {
                execution_id: "exe_22".into(),
                status: "running".into(),
                created_at: Some("1970-01-01T00:01:00.000Z".into()),
                started_at: Some("1970-01-01T00:01:50.000Z".into()),
                exit_code: Some(0),
                ..Listed::default()
            },
        ];
        let expected = "ID      STATUS     AGE  DURATION  EXIT\nexe_1   completed   1m     12 ms     3\nexe_22  running     \
                        1m    10.0 s     -\n";
        assert_eq!(table(&listed, at(120), true), expected);
        assert_eq!(table(&[], at(0), false), "");
    }
}
