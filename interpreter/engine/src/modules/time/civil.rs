//! The proleptic Gregorian calendar, and a point of time as C's `struct tm` has it.

/// A date and a time of day, and what is known of the zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    /// Monday is 0.
    pub(super) weekday: i64,
    /// From 1.
    pub(super) yearday: i64,
    /// 1, 0, or -1: not known.
    pub(super) is_dst: i64,
    pub(super) zone: Option<String>,
    pub(super) offset: Option<i64>,
}

pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
pub(super) const MONTHS: [&str; 12] = [
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

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days before a month of a year.
pub(super) fn days_before(year: i64, month: i64) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    BEFORE[(month - 1).clamp(0, 11) as usize] + i64::from(month > 2 && is_leap(year))
}

/// Days since 1970-01-01 of a date; months and days may lie outside of their ranges.
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let y = year - 1;
    let before = y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    before + days_before(year, month) + day - 1 - 719_162
}

/// The date of a day since 1970-01-01.
pub(super) fn date_of(days: i64) -> (i64, i64, i64) {
    // Years that begin in March: the leap day is their last.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl Fields {
    /// UTC at so many seconds since the Epoch.
    pub(super) fn utc(seconds: i64) -> Fields {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        Fields {
            year,
            month,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: (days + 3).rem_euclid(7),
            yearday: days_before(year, month) + day,
            is_dst: 0,
            zone: Some("GMT".to_owned()),
            offset: Some(0),
        }
    }

    /// Seconds since the Epoch, taken as UTC.
    pub(super) fn as_utc(&self) -> i64 {
        let days = days_of(self.year, self.month, self.day);
        days * 86_400 + self.hour * 3600 + self.minute * 60 + self.second
    }

    /// The year and week of ISO 8601.
    pub(super) fn iso_week(&self) -> (i64, i64) {
        // The week belongs to the year that its Thursday is in.
        let thursday = self.yearday + 3 - self.weekday;
        let length = |year| 365 + i64::from(is_leap(year));
        let (year, thursday) = if thursday < 1 {
            (self.year - 1, thursday + length(self.year - 1))
        } else if thursday > length(self.year) {
            (self.year + 1, thursday - length(self.year))
        } else {
            (self.year, thursday)
        };
        (year, (thursday - 1) / 7 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_each_others_inverse() {
        for days in (-800_000..3_000_000).step_by(37) {
            let (y, m, d) = date_of(days);
            assert_eq!(days_of(y, m, d), days, "{y}-{m}-{d}");
        }
        assert_eq!(date_of(0), (1970, 1, 1));
        assert_eq!(days_of(2024, 14, 1), days_of(2025, 2, 1));
        assert_eq!(Fields::utc(1_709_164_800).iso_week(), (2024, 9));
    }
}
