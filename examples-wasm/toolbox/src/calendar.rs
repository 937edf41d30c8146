//! Days, hours and their names, in UTC: a pod has no time zone.

use std::time::{Duration, SystemTime};

/// A second, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since 1970.
    pub seconds: i64,
    pub nanoseconds: u32,
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// 1 is the first of January.
    pub day_of_year: u32,
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
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Moment {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Moment::new(since.as_secs() as i64, since.subsec_nanos()),
            Err(before) => Moment::new(-(before.duration().as_secs() as i64), 0),
        }
    }
}

impl Moment {
    pub fn new(seconds: i64, nanoseconds: u32) -> Moment {
        let days = seconds.div_euclid(86_400);
        let time = seconds.rem_euclid(86_400) as u32;
        let (year, month, day) = date(days);
        Moment {
            seconds,
            nanoseconds,
            year,
            month,
            day,
            hour: time / 3_600,
            minute: time / 60 % 60,
            second: time % 60,
            weekday: (days + 4).rem_euclid(7) as u32,
            day_of_year: (days - day_number(year, 1, 1)) as u32 + 1,
        }
    }

    /// The second of a date and a time of day.
    pub fn from_parts(year: i64, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Moment {
        let time = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
        Moment::new(day_number(year, month, day) * 86_400 + time, 0)
    }

    pub fn time(self) -> SystemTime {
        match u64::try_from(self.seconds) {
            Ok(seconds) => SystemTime::UNIX_EPOCH + Duration::new(seconds, self.nanoseconds),
            Err(_) => SystemTime::UNIX_EPOCH - Duration::from_secs(self.seconds.unsigned_abs()),
        }
    }

    /// In the words of `strftime`.
    pub fn format(self, format: &str) -> String {
        let mut text = String::new();
        let mut letters = format.chars();
        while let Some(c) = letters.next() {
            match c {
                '%' => self.field(letters.next(), &mut letters, &mut text),
                c => text.push(c),
            }
        }
        text
    }

    fn field(self, letter: Option<char>, rest: &mut std::str::Chars, text: &mut String) {
        let twelve = (self.hour + 11) % 12 + 1;
        let month = MONTHS.get(self.month as usize - 1).copied().unwrap_or_default();
        let day = DAYS.get(self.weekday as usize).copied().unwrap_or_default();
        let formatted = match letter {
            Some('Y') => self.year.to_string(),
            Some('y') => format!("{:02}", self.year.rem_euclid(100)),
            Some('C') => format!("{:02}", self.year / 100),
            Some('m') => format!("{:02}", self.month),
            Some('d') => format!("{:02}", self.day),
            Some('e') => format!("{:2}", self.day),
            Some('H') => format!("{:02}", self.hour),
            Some('I') => format!("{twelve:02}"),
            Some('k') => format!("{:2}", self.hour),
            Some('l') => format!("{twelve:2}"),
            Some('M') => format!("{:02}", self.minute),
            Some('S') => format!("{:02}", self.second),
            Some('N') => format!("{:09}", self.nanoseconds),
            Some('s') => self.seconds.to_string(),
            Some('p') => if self.hour < 12 { "AM" } else { "PM" }.to_owned(),
            Some('P') => if self.hour < 12 { "am" } else { "pm" }.to_owned(),
            Some('j') => format!("{:03}", self.day_of_year),
            Some('u') => (if self.weekday == 0 { 7 } else { self.weekday }).to_string(),
            Some('w') => self.weekday.to_string(),
            Some('a') => day[..3].to_owned(),
            Some('A') => day.to_owned(),
            Some('b' | 'h') => month[..3].to_owned(),
            Some('B') => month.to_owned(),
            Some('F') => self.format("%Y-%m-%d"),
            Some('T') => self.format("%H:%M:%S"),
            Some('R') => self.format("%H:%M"),
            Some('D') => self.format("%m/%d/%y"),
            Some('r') => self.format("%I:%M:%S %p"),
            Some('c') => self.format("%a %b %e %H:%M:%S %Y"),
            Some('x') => self.format("%m/%d/%y"),
            Some('X') => self.format("%H:%M:%S"),
            Some('Z') => "UTC".to_owned(),
            Some('z') => "+0000".to_owned(),
            Some(':') if rest.as_str().starts_with('z') => {
                rest.next();
                "+00:00".to_owned()
            }
            Some('3') if rest.as_str().starts_with('N') => {
                rest.next();
                format!("{:03}", self.nanoseconds / 1_000_000)
            }
            Some('-') => match rest.next() {
                Some(letter) => self.format(&format!("%{letter}")).trim_start_matches(['0', ' ']).to_owned(),
                None => String::new(),
            },
            Some('n') => "\n".to_owned(),
            Some('t') => "\t".to_owned(),
            Some('%') => "%".to_owned(),
            Some(other) => format!("%{other}"),
            None => "%".to_owned(),
        };
        text.push_str(&formatted);
    }
}

/// Days since 1970 of a date of the Gregorian calendar.
fn day_number(year: i64, month: u32, day: u32) -> i64 {
    // Years that begin in March, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * i64::from((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970.
fn date(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * month + 2) / 5 + 1) as u32;
    let month = if month < 10 { month + 3 } else { month - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_dates() {
        for (seconds, expected) in [
            (0, "Thu 1970-01-01T00:00:00 001"),
            (951_782_400, "Tue 2000-02-29T00:00:00 060"),
            (1_735_689_599, "Tue 2024-12-31T23:59:59 366"),
            (-1, "Wed 1969-12-31T23:59:59 365"),
        ] {
            let moment = Moment::new(seconds, 0);
            assert_eq!(moment.format("%a %FT%T %j"), expected);
            let again =
                Moment::from_parts(moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second);
            assert_eq!(again, moment);
        }
    }

    #[test]
    fn formats() {
        let moment = Moment::new(1_700_000_000, 5_000_000);
        assert_eq!(moment.format("%s %:z %3N %-d %I%p %%"), "1700000000 +00:00 005 14 10PM %");
    }
}
