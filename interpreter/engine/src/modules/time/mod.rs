//! `time`: clocks, `sleep`, which suspends the calling task alone, and times as the calendar has
//! them.
//!
//! ```text
//! civil    the calendar; a time in its fields
//! format   strftime
//! parse    strptime
//! zone     the local time zone, and those of the system's database
//! ```

mod civil;
mod format;
mod parse;
mod zone;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use miniscript_stdlib::ClassDef;
use miniscript_stdlib::record::{Record, Type, field};
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role, Row};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::seq::Tuple;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use civil::Fields;

use crate::host::EngineHost;
use crate::scheduler::sleep_for;

pub(super) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("time", "", |_, _| Ok(seconds(wall())), "Seconds since the Epoch."),
    NativeDef::new("time_ns", "", |vm, _| nanoseconds(vm, wall()), "Nanoseconds since the Epoch."),
    NativeDef::new(
        "monotonic",
        "",
        |vm, _| Ok(seconds(running(vm))),
        "A clock that never goes back.",
    ),
    NativeDef::new(
        "monotonic_ns",
        "",
        |vm, _| nanoseconds(vm, running(vm)),
        "The same in nanoseconds.",
    ),
    NativeDef::new("perf_counter", "", |vm, _| Ok(seconds(running(vm))), "A clock for measuring."),
    NativeDef::new(
        "perf_counter_ns",
        "",
        |vm, _| nanoseconds(vm, running(vm)),
        "The same in nanoseconds.",
    ),
    NativeDef::new(
        "process_time",
        "",
        |vm, _| Ok(seconds(cpu(vm))),
        "Processor time of the process.",
    ),
    NativeDef::new(
        "process_time_ns",
        "",
        |vm, _| nanoseconds(vm, cpu(vm)),
        "The same in nanoseconds.",
    ),
    NativeDef::new("sleep", "seconds, /", sleep, "Suspend this task for a time."),
    NativeDef::new("thread_time", "", |vm, _| Ok(seconds(cpu(vm))), "As process_time."),
    NativeDef::new("thread_time_ns", "", |vm, _| nanoseconds(vm, cpu(vm)), "As process_time_ns."),
    NativeDef::new(
        "clock_gettime",
        "clk_id, /",
        |vm, a| Ok(seconds(clock(vm, a[0])?)),
        "The time of a clock.",
    ),
    NativeDef::new(
        "clock_gettime_ns",
        "clk_id, /",
        |vm, a| nanoseconds(vm, clock(vm, a[0])?),
        "The time of a clock in nanoseconds.",
    ),
    NativeDef::new("gmtime", "seconds=None, /", gmtime, "A time in UTC."),
    NativeDef::new("localtime", "seconds=None, /", localtime, "A time in the local zone."),
    NativeDef::new("mktime", "tuple, /", mktime, "Seconds since the Epoch of a local time."),
    NativeDef::new("strftime", "format, tuple=None, /", strftime, "A time as text."),
    NativeDef::new(
        "strptime",
        "string, format='%a %b %d %H:%M:%S %Y', /",
        strptime,
        "The time that a text tells.",
    ),
    NativeDef::new("_strptime", "string, format, /", parsed, "All that a text tells."),
    NativeDef::new("asctime", "tuple=None, /", asctime, "'Sat Jun 06 16:26:11 1998'."),
    NativeDef::new("ctime", "seconds=None, /", ctime, "The local time as asctime has it."),
    NativeDef::new("_tzset", "tz, /", tzset, "Set the local zone; the names and offsets."),
];

/// Clocks of `clock_gettime`.
const CLOCKS: [(&str, i64); 5] = [
    ("CLOCK_REALTIME", 0),
    ("CLOCK_MONOTONIC", 1),
    ("CLOCK_PROCESS_CPUTIME_ID", 2),
    ("CLOCK_THREAD_CPUTIME_ID", 3),
    ("CLOCK_MONOTONIC_RAW", 4),
];

/// `time.struct_time`.
static STRUCT_TIME: Record = Record {
    class: ClassDef {
        name: "struct_time",
        module: "time",
        doc: "A time in its fields: nine items.",
        base: Type::Tuple,
        layout: Kind::Tuple,
        second_base: None,
        open: true,
        has_dict: false,
        methods: &[
            NativeDef::new("__new__", "cls, sequence, /", new, "").role(Role::Static),
            NativeDef::new(
                "__repr__",
                "self, /",
                |vm, a| STRUCT_TIME.repr(vm, a[0]),
                "Return repr(self).",
            ),
            NativeDef::getter("tm_year", field::<0>, "year, for example, 1993"),
            NativeDef::getter("tm_mon", field::<1>, "month of year, range [1, 12]"),
            NativeDef::getter("tm_mday", field::<2>, "day of month, range [1, 31]"),
            NativeDef::getter("tm_hour", field::<3>, "hours, range [0, 23]"),
            NativeDef::getter("tm_min", field::<4>, "minutes, range [0, 59]"),
            NativeDef::getter("tm_sec", field::<5>, "seconds, range [0, 61]"),
            NativeDef::getter("tm_wday", field::<6>, "day of week, Monday is 0"),
            NativeDef::getter("tm_yday", field::<7>, "day of year, range [1, 366]"),
            NativeDef::getter("tm_isdst", field::<8>, "1 if summer time, 0 if not, -1 if unknown"),
        ],
    },
    fields: &[
        "tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday",
        "tm_isdst",
    ],
};

/// The class and the constants.
pub(super) fn fill<'v>(vm: &'v Vm, d: &'v Dict) -> Result<(), Exit<'v>> {
    for def in zone::ROWS {
        let native = vm.module_native(def, "time");
        vm.dict_set_name(d, vm.intern(def.name), native)?;
    }
    for (name, n) in CLOCKS {
        vm.dict_set_name(d, vm.intern(name), vm.int(n))?;
    }
    vm.dict_set_name(d, vm.intern("struct_time"), Value::object(STRUCT_TIME.class.of(vm)?))
}

/// An int that fits 64 bits.
fn whole<'v>(vm: &'v Vm, v: Value<'v>) -> Result<i64, Exit<'v>> {
    match vm.as_index_i64(v) {
        Some(Ok(n)) => Ok(n),
        Some(Err(())) => Err(vm.overflow_error("timestamp out of range for platform time_t")),
        None => match vm.as_index_i64(vm.index_of(v)?) {
            Some(Ok(n)) => Ok(n),
            _ => Err(vm.overflow_error("timestamp out of range for platform time_t")),
        },
    }
}

/// Whole seconds of an argument; now, if there is none.
fn moment<'v>(vm: &'v Vm, v: Value<'v>) -> Result<i64, Exit<'v>> {
    if v.is_empty() || v.is_none() {
        return Ok(wall().as_secs() as i64);
    }
    let n = match v.as_float() {
        Some(f) if f.is_nan() => return Err(vm.value_error("Invalid value NaN (not a number)")),
        Some(f) if f.abs() >= 9.2e18 => {
            return Err(vm.overflow_error("timestamp out of range for platform time_t"));
        }
        Some(f) => f.floor() as i64,
        None => whole(vm, v)?,
    };
    // The year has to fit a C int.
    if n.abs() > 67_767_976_233_532_799 {
        let e = std::io::Error::from_raw_os_error(75);
        return Err(crate::errors::file_error(vm, &crate::files::FileError::from_io(e)));
    }
    Ok(n)
}

/// A `struct_time`.
fn shown<'v>(vm: &'v Vm, t: &Fields) -> NResult<'v> {
    let items =
        [t.year, t.month, t.day, t.hour, t.minute, t.second, t.weekday, t.yearday, t.is_dst];
    let v = STRUCT_TIME.make(vm, &items.map(|n| vm.int(n)))?;
    let zone = t.zone.as_deref().map_or(Ok(Value::NONE), |z| vm.str(z))?;
    vm.set_attr_raw(v, vm.intern("tm_zone"), zone)?;
    vm.set_attr_raw(v, vm.intern("tm_gmtoff"), t.offset.map_or(Value::NONE, |n| vm.int(n)))?;
    Ok(v)
}

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    static COLLECTED: Row = Row {
        name: "struct_time",
        catches: false,
        resume: |vm, _, answer| {
            let items = vm.tuple_items(answer.value()?);
            let n = items.len();
            if !(9..=11).contains(&n) {
                let bound = if n < 9 { "at least" } else { "at most" };
                let limit = if n < 9 { 9 } else { 11 };
                let text = format!(
                    "time.struct_time() takes an {bound} {limit}-sequence ({n}-sequence given)"
                );
                return Err(vm.type_error(text));
            }
            let v = STRUCT_TIME.make(vm, &items[..9])?;
            let extra = |i: usize| items.get(i).copied().unwrap_or(Value::NONE);
            vm.set_attr_raw(v, vm.intern("tm_zone"), extra(9))?;
            vm.set_attr_raw(v, vm.intern("tm_gmtoff"), extra(10))?;
            Ok(v)
        },
    };
    Err(Exit::call(vm.class_value(Type::Tuple), vec![args[1]], &COLLECTED, Vec::new()))
}

/// The fields of the tuple that `function` was given.
fn fields<'v>(vm: &'v Vm, v: Value<'v>, function: &str) -> Result<Fields, Exit<'v>> {
    let items = match v.is_a::<Tuple>() {
        true => vm.tuple_items(v),
        false => return Err(vm.type_error("Tuple or struct_time argument required")),
    };
    if items.len() != 9 {
        return Err(vm.type_error(format!("{function}(): illegal time tuple argument")));
    }
    let mut n = [0; 9];
    for (to, item) in n.iter_mut().zip(items) {
        *to = whole(vm, *item)?;
        if i32::try_from(*to).is_err() {
            return Err(vm.overflow_error("Python int too large to convert to C int"));
        }
    }
    let attr = |name: &str| vm.get_attr_raw(v, vm.intern(name));
    let zone = attr("tm_zone").and_then(|z| z.get::<Str>()).map(|s| s.to_display().into_owned());
    Ok(Fields {
        year: n[0],
        month: n[1],
        day: n[2],
        hour: n[3],
        minute: n[4],
        second: n[5],
        weekday: n[6],
        yearday: n[7],
        is_dst: n[8].clamp(-1, 1),
        zone,
        offset: attr("tm_gmtoff").and_then(|n| n.as_small()),
    })
}

/// Fields that `strftime` can show: a month, day or day of the year of 0 is the first.
fn checked<'v>(vm: &'v Vm, v: Value<'v>, function: &str) -> Result<Fields, Exit<'v>> {
    let mut t = fields(vm, v, function)?;
    t.month = t.month.max(i64::from(t.month != -1));
    let wrong = [
        (!(0..=12).contains(&t.month) || t.month == 0, "month out of range"),
        (!(0..=31).contains(&t.day), "day of month out of range"),
        (!(0..=23).contains(&t.hour), "hour out of range"),
        (!(0..=59).contains(&t.minute), "minute out of range"),
        (!(0..=61).contains(&t.second), "seconds out of range"),
        (t.weekday < -1, "day of week out of range"),
        (!(0..=366).contains(&t.yearday), "day of year out of range"),
    ];
    if let Some((_, text)) = wrong.iter().find(|(wrong, _)| *wrong) {
        return Err(vm.value_error(text));
    }
    (t.day, t.yearday) = (t.day.max(1), t.yearday.max(1));
    t.weekday = t.weekday.rem_euclid(7);
    Ok(t)
}

/// The local time at so many seconds since the Epoch.
fn in_zone(vm: &Vm, seconds: i64) -> Fields {
    let rule = zone::rule(&zone::local(vm), seconds);
    let is_dst = rule.is_dst.into();
    Fields {
        is_dst,
        zone: Some(rule.name),
        offset: Some(rule.offset),
        ..Fields::utc(seconds + rule.offset)
    }
}

fn gmtime<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    shown(vm, &Fields::utc(moment(vm, args[0])?))
}

fn localtime<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    shown(vm, &in_zone(vm, moment(vm, args[0])?))
}

/// Seconds since the Epoch of a local time.
fn seconds_of(vm: &Vm, t: &Fields) -> i64 {
    let local = t.as_utc();
    let zone = zone::local(vm);
    let (before, after) = zone::offsets(&zone, local);
    let at = |offset: jiff::tz::Offset| local - i64::from(offset.seconds());
    let wanted = t.is_dst > 0;
    let matches = |s: i64| t.is_dst < 0 || zone::rule(&zone, s).is_dst == wanted;
    let found = [at(before), at(after)].into_iter().find(|s| matches(*s));
    found.unwrap_or_else(|| {
        // The other time does not hold then: its offset is that of half a year away.
        let here = zone::rule(&zone, at(before));
        let away = [-1, 1].map(|sign| zone::rule(&zone, at(before) + sign * 182 * 86_400));
        let other = away.iter().find(|r| r.is_dst == wanted).unwrap_or(&here);
        local - other.offset
    })
}

fn mktime<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let t = fields(vm, args[0], "mktime")?;
    Ok(Value::float(seconds_of(vm, &t) as f64))
}

fn text<'v>(vm: &'v Vm, v: Value<'v>, what: &str) -> Result<String, Exit<'v>> {
    match v.get::<Str>() {
        Some(s) => Ok(s.to_display().into_owned()),
        None => Err(vm.type_error(format!("{what} must be str, not {}", vm.type_name(v)))),
    }
}

fn strftime<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let format = text(vm, args[0], "strftime() argument 1")?;
    let t = match args[1] {
        v if v.is_empty() || v.is_none() => in_zone(vm, moment(vm, Value::NONE)?),
        v => {
            let mut t = checked(vm, v, "strftime")?;
            if t.zone.is_none() && t.is_dst >= 0 {
                let names = names(vm);
                t.zone = names.get(t.is_dst as usize).map(|(name, _)| name.clone());
            }
            t
        }
    };
    vm.str(&format::strftime(&format, &t, |t| seconds_of(vm, t), || vm.tick())?)
}

fn parse<'v>(vm: &'v Vm, args: &[Value<'v>]) -> Result<parse::Parsed, Exit<'v>> {
    let string = text(vm, args[0], "strptime() argument 0")?;
    let format = match args[1] {
        v if v.is_empty() => "%a %b %d %H:%M:%S %Y".to_owned(),
        v => text(vm, v, "strptime() argument 1")?,
    };
    let zones: Vec<String> = names(vm).into_iter().map(|(name, _)| name).collect();
    match parse::strptime(&string, &format, &zones, || vm.tick())? {
        Ok(parsed) => Ok(parsed),
        Err(bad) if bad == "no match" => {
            let shown = |i: usize| {
                let repr = vm.repr(args[i])?;
                Ok::<_, Exit<'v>>(repr.get::<Str>().map(|s| s.to_display().into_owned()))
            };
            let format = match args[1] {
                v if v.is_empty() => format!("'{format}'"),
                _ => shown(1)?.unwrap_or_default(),
            };
            let string = shown(0)?.unwrap_or_default();
            Err(vm.value_error(format!("time data {string} does not match format {format}")))
        }
        Err(bad) => Err(vm.value_error(bad)),
    }
}

fn strptime<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    shown(vm, &parse(vm, args)?.fields)
}

/// (year, month, day, hour, minute, second, microsecond, offset, its microseconds, zone).
fn parsed<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let parsed = parse(vm, args)?;
    let t = &parsed.fields;
    let mut items: Vec<Value<'v>> =
        [t.year, t.month, t.day, t.hour, t.minute, t.second, parsed.microsecond]
            .iter()
            .map(|n| vm.int(*n))
            .collect();
    items.push(t.offset.map_or(Value::NONE, |n| vm.int(n)));
    items.push(vm.int(parsed.offset_fraction));
    items.push(t.zone.as_deref().map_or(Ok(Value::NONE), |z| vm.str(z))?);
    vm.tuple(&items)
}

fn as_c(t: &Fields) -> String {
    format!(
        "{} {} {:2} {:02}:{:02}:{:02} {}",
        &civil::WEEKDAYS[t.weekday.rem_euclid(7) as usize][..3],
        &civil::MONTHS[(t.month - 1).rem_euclid(12) as usize][..3],
        t.day,
        t.hour,
        t.minute,
        t.second,
        t.year
    )
}

fn asctime<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let t = match args[0] {
        v if v.is_empty() || v.is_none() => in_zone(vm, moment(vm, Value::NONE)?),
        v => checked(vm, v, "asctime")?,
    };
    vm.str(&as_c(&t))
}

fn ctime<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.str(&as_c(&in_zone(vm, moment(vm, args[0])?)))
}

/// Names and offsets of standard and summer time.
fn names(vm: &Vm) -> Vec<(String, i64)> {
    let zone = zone::local(vm);
    let year = Fields::utc(wall().as_secs() as i64).year;
    let at = |month| zone::rule(&zone, civil::days_of(year, month, 1) * 86_400);
    let (mut standard, mut summer) = (at(1), at(7));
    if standard.is_dst || (!summer.is_dst && standard.offset > summer.offset) {
        std::mem::swap(&mut standard, &mut summer);
    }
    vec![(standard.name, standard.offset), (summer.name, summer.offset)]
}

/// `(standard name, summer name, timezone, altzone, daylight)`, after setting the zone.
fn tzset<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match args[0] {
        v if v.is_none() => zone::set_local(vm, None),
        v if v.as_bool() == Some(false) => {}
        v => zone::set_local(vm, Some(&text(vm, v, "TZ")?)),
    }
    let names = names(vm);
    let (standard, summer) = (&names[0], &names[1]);
    vm.tuple(&[
        vm.str(&standard.0)?,
        vm.str(&summer.0)?,
        vm.int(-standard.1),
        vm.int(-summer.1),
        vm.int(i64::from(standard.1 != summer.1)),
    ])
}

fn clock<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Duration, Exit<'v>> {
    match whole(vm, v)? {
        0 => Ok(wall()),
        1 | 4 => Ok(running(vm)),
        2 | 3 => Ok(cpu(vm)),
        _ => {
            let e = std::io::Error::from_raw_os_error(22);
            Err(crate::errors::file_error(vm, &crate::files::FileError::from_io(e)))
        }
    }
}

fn seconds(t: Duration) -> Value<'static> {
    Value::float(t.as_secs_f64())
}

fn nanoseconds(vm: &Vm, t: Duration) -> NResult<'_> {
    Ok(vm.uint(u64::try_from(t.as_nanos()).unwrap_or(u64::MAX)))
}

fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Since the engine was made.
fn running(vm: &Vm) -> Duration {
    EngineHost::of(vm).map_or(Duration::ZERO, |host| host.started.elapsed())
}

#[cfg(unix)]
fn cpu(_: &Vm) -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(t.tv_sec.try_into().unwrap_or(0), t.tv_nsec.try_into().unwrap_or(0))
}

/// Where the system is not asked, the time since the start has to do.
#[cfg(not(unix))]
fn cpu(vm: &Vm) -> Duration {
    running(vm)
}

fn sleep<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Err(sleep_for(vm, args[0])?)
}
