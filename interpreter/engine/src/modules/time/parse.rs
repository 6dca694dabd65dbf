//! `strptime`: a text taken apart by a format.
//!
//! Each directive may match in several ways (`%d` one digit or two); they are tried in turn, the
//! longer ones first, until the rest of the format matches too.

use super::civil::{Fields, MONTHS, WEEKDAYS, days_before, days_of, is_leap};

/// What a text says.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) fields: Fields,
    pub(super) microsecond: i64,
    /// The part of the offset below a second, in microseconds.
    pub(super) offset_fraction: i64,
}

/// Why it says nothing, as a message.
pub(super) type Bad = String;

enum Item {
    /// A directive.
    Field(char),
    /// White space, as much as there is.
    Space,
    /// This character, in either case.
    Char(char),
}

/// The format in its parts, composed directives taken apart.
fn items(format: &str) -> Result<Vec<Item>, Bad> {
    let mut items = Vec::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        match c {
            '%' => match rest.next() {
                Some(
                    c @ ('a' | 'A' | 'b' | 'B' | 'd' | 'f' | 'G' | 'H' | 'I' | 'j' | 'm' | 'M'
                    | 'p' | 'S' | 'u' | 'U' | 'V' | 'w' | 'W' | 'y' | 'Y' | 'z' | 'Z' | '%'),
                ) => {
                    items.push(Item::Field(c));
                }
                Some('c') => items.extend(self::items("%a %b %d %H:%M:%S %Y")?),
                Some('x') => items.extend(self::items("%m/%d/%y")?),
                Some('X') => items.extend(self::items("%H:%M:%S")?),
                Some(c) => {
                    let shown = if c == '\\' { "\\\\".to_owned() } else { c.to_string() };
                    return Err(format!("'{shown}' is a bad directive in format '{format}'"));
                }
                None => return Err(format!("stray % in format '{format}'")),
            },
            c if c.is_whitespace() => {
                if !matches!(items.last(), Some(Item::Space)) {
                    items.push(Item::Space);
                }
            }
            c => items.push(Item::Char(c)),
        }
    }
    Ok(items)
}

fn digit(text: &[char], i: usize) -> Option<u32> {
    text.get(i).and_then(|c| c.to_digit(10))
}

/// The number of the first `n` digits.
fn number(text: &[char], n: usize) -> Option<u32> {
    (0..n).try_fold(0, |sum, i| Some(sum * 10 + digit(text, i)?))
}

/// The lengths in which a directive matches the beginning of `text`, the preferred ones first.
fn lengths(directive: char, text: &[char], zones: &[String]) -> Vec<usize> {
    // Two digits up to `max`, or one; from `min`.
    let up_to = |min: u32, max: u32| {
        let two = number(text, 2).filter(|n| (min..=max).contains(n)).map(|_| 2);
        let one = number(text, 1).filter(|n| *n >= min).map(|_| 1);
        two.into_iter().chain(one).collect::<Vec<_>>()
    };
    let names = |names: &[&str]| {
        let mut found: Vec<usize> =
            names.iter().filter(|n| begins(text, n)).map(|n| n.chars().count()).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found
    };
    match directive {
        'd' | 'I' => {
            let max = if directive == 'd' { 31 } else { 12 };
            let mut found = up_to(1, max);
            if text.first() == Some(&' ') && digit(text, 1).is_some_and(|n| n > 0) {
                found.push(2);
            }
            found
        }
        'f' => {
            let n = (0..6).take_while(|i| digit(text, *i).is_some()).count();
            (1..=n).rev().collect()
        }
        'H' => up_to(0, 23),
        'm' => up_to(1, 12),
        'M' => up_to(0, 59),
        'S' => up_to(0, 61),
        'U' | 'W' => up_to(0, 53),
        'V' => {
            let two = number(text, 2).filter(|n| (1..=53).contains(n)).map(|_| 2);
            two.into_iter().chain(number(text, 1).map(|_| 1)).collect()
        }
        'j' => {
            let three = number(text, 3).filter(|n| (1..=366).contains(n)).map(|_| 3);
            let two = number(text, 2).filter(|n| *n > 0).map(|_| 2);
            let one = number(text, 1).filter(|n| *n > 0).map(|_| 1);
            three.into_iter().chain(two).chain(one).collect()
        }
        'w' => number(text, 1).filter(|n| *n <= 6).map(|_| 1).into_iter().collect(),
        'u' => number(text, 1).filter(|n| (1..=7).contains(n)).map(|_| 1).into_iter().collect(),
        'y' => number(text, 2).map(|_| 2).into_iter().collect(),
        'Y' | 'G' => number(text, 4).map(|_| 4).into_iter().collect(),
        'z' => offset_lengths(text),
        'a' => names(&WEEKDAYS.map(|n| &n[..3])),
        'A' => names(&WEEKDAYS),
        'b' => names(&MONTHS.map(|n| &n[..3])),
        'B' => names(&MONTHS),
        'p' => names(&["am", "pm"]),
        'Z' => {
            let mut all = vec!["utc", "gmt"];
            all.extend(zones.iter().map(String::as_str));
            names(&all)
        }
        _ => (text.first() == Some(&'%')).then_some(1).into_iter().collect(),
    }
}

/// `+hh:mm`, `+hhmm`, with `:ss` or `ss`, with `.ffffff`; `Z`.
fn offset_lengths(text: &[char]) -> Vec<usize> {
    if text.first() == Some(&'Z') {
        return vec![1];
    }
    let colon = |i: usize| usize::from(text.get(i) == Some(&':'));
    let sixty = |i: usize| digit(text, i).is_some_and(|n| n < 6) && digit(text, i + 1).is_some();
    let mut found = Vec::new();
    if !matches!(text.first(), Some('+' | '-')) || number(&text[1..], 2).is_none() {
        return found;
    }
    let minutes = 3 + colon(3);
    if !sixty(minutes) {
        return found;
    }
    found.push(minutes + 2);
    let seconds = minutes + 2 + colon(minutes + 2);
    if sixty(seconds) {
        found.push(seconds + 2);
        if text.get(seconds + 2) == Some(&'.') {
            let n = (0..6).take_while(|i| digit(text, seconds + 3 + i).is_some()).count();
            found.extend((1..=n).map(|n| seconds + 3 + n));
        }
    }
    found.reverse();
    found
}

fn begins(text: &[char], name: &str) -> bool {
    let mut rest = text.iter();
    name.chars().all(|c| rest.next().is_some_and(|t| same(*t, c)))
}

fn same(a: char, b: char) -> bool {
    a == b || a.to_lowercase().eq(b.to_lowercase())
}

/// Where each item of the format matched: `(from, to)`, and where the last one ended.
fn find<E>(
    items: &[Item],
    text: &[char],
    zones: &[String],
    mut step: impl FnMut() -> Result<(), E>,
) -> Result<Option<Vec<(usize, usize)>>, E> {
    // For each item matched so far where it began and the lengths that are left to try.
    let mut tried: Vec<(usize, std::vec::IntoIter<usize>, usize)> = Vec::new();
    let mut at = 0;
    loop {
        step()?;
        if tried.len() == items.len() {
            return Ok(Some(tried.iter().map(|(from, _, len)| (*from, from + len)).collect()));
        }
        let rest = &text[at..];
        let mut choices = match &items[tried.len()] {
            Item::Field(c) => lengths(*c, rest, zones),
            Item::Space => {
                let n = rest.iter().take_while(|c| c.is_whitespace()).count();
                (1..=n).rev().collect()
            }
            Item::Char(c) => {
                rest.first().filter(|t| same(**t, *c)).map(|_| 1).into_iter().collect()
            }
        }
        .into_iter();
        if let Some(len) = choices.next() {
            tried.push((at, choices, len));
            at += len;
            continue;
        }
        // Back to the last item that can match otherwise.
        loop {
            let Some((from, mut choices, _)) = tried.pop() else { return Ok(None) };
            step()?;
            if let Some(len) = choices.next() {
                at = from + len;
                tried.push((from, choices, len));
                break;
            }
        }
    }
}

/// Takes `text` apart. `zones` are the local names of the time zone, standard time first. The
/// outer error is `step`'s.
pub(super) fn strptime<E>(
    text: &str,
    format: &str,
    zones: &[String],
    step: impl FnMut() -> Result<(), E>,
) -> Result<Result<Parsed, Bad>, E> {
    let parts = match items(format) {
        Ok(parts) => parts,
        Err(bad) => return Ok(Err(bad)),
    };
    let chars: Vec<char> = text.chars().collect();
    let Some(places) = find(&parts, &chars, zones, step)? else {
        return Ok(Err("no match".to_owned()));
    };
    let end = places.last().map_or(0, |(_, to)| *to);
    if end != chars.len() {
        let rest: String = chars[end..].iter().collect();
        return Ok(Err(format!("unconverted data remains: {rest}")));
    }
    let found = parts.iter().zip(places).filter_map(|(item, (from, to))| match item {
        Item::Field(c) if *c != '%' => Some((*c, chars[from..to].iter().collect::<String>())),
        _ => None,
    });
    let found: Vec<(char, String)> = found.collect();
    for (i, (c, _)) in found.iter().enumerate() {
        if found[..i].iter().any(|(other, _)| other == c) {
            return Ok(Err(format!("repeated {c}")));
        }
    }
    Ok(combine(&found, zones))
}

/// Makes a date of what the directives say.
fn combine(found: &[(char, String)], zones: &[String]) -> Result<Parsed, Bad> {
    let text = |c: char| found.iter().find(|(d, _)| *d == c).map(|(_, text)| text.as_str());
    let int = |c: char| text(c).and_then(|t| t.trim().parse::<i64>().ok());
    let name = |c: char, names: &[&str], len: Option<usize>| {
        let text = text(c)?.to_lowercase();
        let known = |n: &&str| n[..len.unwrap_or(n.len())].to_lowercase() == text;
        names.iter().position(known).map(|i| i as i64)
    };
    let mut p = Parsed::default();
    let f = &mut p.fields;
    f.is_dst = -1;
    let mut year = int('Y').or(int('y').map(|y| if y <= 68 { 2000 + y } else { 1900 + y }));
    let mut month = int('m')
        .or_else(|| name('B', &MONTHS, None).or(name('b', &MONTHS, Some(3))).map(|m| m + 1));
    let mut day = int('d');
    f.hour = int('H').unwrap_or(0);
    if let Some(hour) = int('I') {
        let afternoon = text('p').is_some_and(|t| t.to_lowercase() == "pm");
        f.hour = hour % 12 + if afternoon { 12 } else { 0 };
    }
    f.minute = int('M').unwrap_or(0);
    f.second = int('S').unwrap_or(0);
    if let Some(t) = text('f') {
        p.microsecond = format!("{t:0<6}").parse().unwrap_or(0);
    }
    let weekday = name('A', &WEEKDAYS, None)
        .or(name('a', &WEEKDAYS, Some(3)))
        .or(int('w').map(|w| (w + 6) % 7))
        .or(int('u').map(|u| u - 1));
    let mut yearday = int('j');
    if let Some(t) = text('z') {
        let (seconds, fraction) = offset(t)?;
        (f.offset, p.offset_fraction) = (Some(seconds), fraction);
    }
    if let Some(t) = text('Z') {
        f.zone = Some(t.to_owned());
        let lower = t.to_lowercase();
        let is = |i: usize| zones.get(i).is_some_and(|z| z.to_lowercase() == lower);
        // A name of both times says nothing.
        f.is_dst = match (is(0), is(1)) {
            (true, true) => -1,
            (_, true) => 1,
            _ => 0,
        };
    }
    let (iso_year, iso_week) = (int('G'), int('V'));
    if iso_year.is_some() {
        if yearday.is_some() {
            return Err(
                "Day of the year directive '%j' is not compatible with ISO year directive \
                        '%G'. Use '%Y' instead."
                    .to_owned(),
            );
        }
        if iso_week.is_none() || weekday.is_none() {
            return Err(
                "ISO year directive '%G' must be used with the ISO week directive '%V' and \
                        a weekday directive ('%A', '%a', '%w', or '%u')."
                    .to_owned(),
            );
        }
    } else if iso_week.is_some() {
        return Err(if year.is_none() || weekday.is_none() {
            "ISO week directive '%V' must be used with the ISO year directive '%G' and a weekday \
             directive ('%A', '%a', '%w', or '%u')."
        } else {
            "ISO week directive '%V' is incompatible with the year directive '%Y'. Use the ISO \
             year '%G' instead."
        }
        .to_owned());
    }
    // 29 February without a year is one of a leap year, and comes out as of 1900.
    let no_year = year.is_none() && month == Some(2) && day == Some(29);
    let mut y = year.unwrap_or(if no_year { 1904 } else { 1900 });
    if yearday.is_none()
        && let Some(weekday) = weekday
    {
        let week = int('U').map(|w| (w, true)).or(int('W').map(|w| (w, false)));
        if let (Some((week, from_sunday)), Some(y)) = (week, year) {
            let first = (days_of(y, 1, 1) + 3).rem_euclid(7);
            let (first, wanted) =
                if from_sunday { ((first + 1) % 7, (weekday + 1) % 7) } else { (first, weekday) };
            let week_0 = (7 - first) % 7;
            let julian =
                if week == 0 { 1 + wanted - first } else { 1 + week_0 + 7 * (week - 1) + wanted };
            yearday = Some(julian);
        } else if let (Some(iso_year), Some(iso_week)) = (iso_year, iso_week) {
            let january_4 = days_of(iso_year, 1, 4);
            let monday = january_4 - (january_4 + 3).rem_euclid(7);
            let longest = Fields {
                yearday: 363,
                weekday: (days_of(iso_year, 12, 29) + 3).rem_euclid(7),
                year: iso_year,
                ..Fields::default()
            };
            if iso_week == 53
                && longest.iso_week().1 < 53
                && (days_of(iso_year + 1, 1, 4) - monday) / 7 < 53
            {
                return Err(format!("Invalid week: {iso_week}"));
            }
            let date = super::civil::date_of(monday + (iso_week - 1) * 7 + weekday);
            (year, month, day) = (Some(date.0), Some(date.1), Some(date.2));
            y = date.0;
        }
        if let Some(julian) = yearday
            && julian <= 0
        {
            y -= 1;
            yearday = Some(365 + i64::from(is_leap(y)) + julian);
        }
    }
    if let (Some(julian), None) = (yearday, month) {
        let date = super::civil::date_of(days_of(y, 1, 1) + julian - 1);
        (y, month, day) = (date.0, Some(date.1), Some(date.2));
    } else if let (Some(julian), Some(_)) = (yearday, month) {
        // The day of the year wins over the date.
        let date = super::civil::date_of(days_of(y, 1, 1) + julian - 1);
        (y, month, day) = (date.0, Some(date.1), Some(date.2));
    }
    let (m, d) = (month.unwrap_or(1), day.unwrap_or(1));
    let last = days_of(y, m + 1, 1) - days_of(y, m, 1);
    if d > last {
        return Err("day is out of range for month".to_owned());
    }
    f.yearday = yearday.unwrap_or(days_before(y, m) + d);
    f.weekday = weekday.unwrap_or((days_of(y, m, d) + 3).rem_euclid(7));
    (f.year, f.month, f.day) = (if no_year { 1900 } else { y }, m, d);
    let _ = year;
    Ok(p)
}

/// Seconds and microseconds of an offset.
fn offset(t: &str) -> Result<(i64, i64), Bad> {
    if t == "Z" {
        return Ok((0, 0));
    }
    let colons = t[3..].starts_with(':');
    let digits: String = t.chars().filter(char::is_ascii_digit).collect();
    if t.len() > 6 && colons && t.len() > 6 && !t[6..].starts_with(':') {
        return Err(format!("Inconsistent use of : in {t}"));
    }
    let part = |i: usize| digits.get(i..i + 2).and_then(|p| p.parse::<i64>().ok()).unwrap_or(0);
    let seconds = part(0) * 3600 + part(2) * 60 + part(4);
    let fraction = format!("{:0<6}", digits.get(6..).unwrap_or("")).parse().unwrap_or(0);
    Ok(if t.starts_with('-') { (-seconds, -fraction) } else { (seconds, fraction) })
}
