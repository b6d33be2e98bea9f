//! The Gregorian calendar, backwards and forwards without end.

/// A day and the time in it.
pub struct Civil {
    pub year: i64,
    /// From 1.
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    /// From 1.
    pub year_day: u16,
    /// From Sunday as 0.
    pub weekday: u8,
}

const DAY: i64 = 86_400;
/// The days of 400 years, after which the calendar begins anew.
const ERA: i64 = 146_097;

/// The days since 1970 of a day of the calendar. A month or day beyond its range counts onwards.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year.saturating_add((month - 1).div_euclid(12));
    let month = (month - 1).rem_euclid(12);
    // Years that begin in March have the leap day last.
    let (year, month) = if month < 2 { (year.saturating_sub(1), month + 10) } else { (year, month - 2) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    era.saturating_mul(ERA).saturating_add(of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The days of a month.
pub fn days_in(year: i64, month: i64) -> i64 {
    days(year, month + 1, 1) - days(year, month, 1)
}

/// The day and time of so many seconds after 1970 began.
pub fn civil(seconds: i64) -> Civil {
    let (day_number, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let shifted = day_number + 719_468;
    let (era, of_era) = (shifted.div_euclid(ERA), shifted.rem_euclid(ERA));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let small = |number: i64| u8::try_from(number).unwrap_or(0);
    Civil {
        year,
        month: small(month),
        day: small(day),
        hour: small(of_day / 3600),
        minute: small(of_day / 60 % 60),
        second: small(of_day % 60),
        year_day: u16::try_from(day_number - days(year, 1, 1) + 1).unwrap_or(0),
        weekday: small((day_number + 4).rem_euclid(7)),
    }
}
