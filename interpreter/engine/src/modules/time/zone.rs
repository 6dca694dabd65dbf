//! Time zones: the local one, and those of the system's database by name.

use std::cell::RefCell;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use miniscript_stdlib::ClassDef;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use super::civil::Fields;

/// What holds in a zone at some time.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) offset: i64,
    pub(super) is_dst: bool,
    pub(super) name: String,
}

/// The local zone of a VM; the system's until a script has called `tzset`.
#[derive(Default)]
struct Local {
    zone: RefCell<Option<TimeZone>>,
}

/// The local zone.
pub(super) fn local(vm: &Vm) -> TimeZone {
    let local = vm.local::<Local>();
    local.zone.borrow_mut().get_or_insert_with(TimeZone::system).clone()
}

/// Sets the local zone by the value of `TZ`.
pub(super) fn set_local(vm: &Vm, name: Option<&str>) {
    let name = name.map(|n| n.strip_prefix(':').unwrap_or(n));
    let zone = match name {
        None => TimeZone::system(),
        Some("") => TimeZone::UTC,
        Some(name) => TimeZone::get(name)
            .or_else(|_| TimeZone::posix(name))
            .or_else(|_| file(name))
            .unwrap_or(TimeZone::UTC),
    };
    *vm.local::<Local>().zone.borrow_mut() = Some(zone);
}

fn file(path: &str) -> Result<TimeZone, jiff::Error> {
    let data = if path.starts_with('/') { std::fs::read(path).unwrap_or_default() } else { vec![] };
    TimeZone::tzif(path, &data)
}

/// A point of time in the range of the zone's tables.
fn timestamp(seconds: i64) -> Timestamp {
    let (min, max) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(seconds.clamp(min + 1, max - 1)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What holds in `zone` at so many seconds since the Epoch.
pub(super) fn rule(zone: &TimeZone, seconds: i64) -> Rule {
    let info = zone.to_offset_info(timestamp(seconds));
    Rule {
        offset: info.offset().seconds().into(),
        is_dst: info.dst().is_dst(),
        name: info.abbreviation().to_owned(),
    }
}

/// What holds at a local time, given in seconds as if it were UTC. Of a time that comes twice,
/// `fold` picks the later one; of a time that is left out, it is the offset before or after.
pub(super) fn local_rule(zone: &TimeZone, seconds: i64, fold: bool) -> Rule {
    let (before, after) = offsets(zone, seconds);
    let offset = if fold { after } else { before };
    // Of a gap the names are those of the other side than the offset's instant suggests.
    let found = rule(zone, seconds - i64::from(offset.seconds()));
    if found.offset == i64::from(offset.seconds()) {
        return found;
    }
    let other = if fold { before } else { after };
    let found = rule(zone, seconds - i64::from(other.seconds()));
    if found.offset == i64::from(offset.seconds()) {
        return found;
    }
    Rule { offset: offset.seconds().into(), ..found }
}

/// The offsets of a local time: the same unless the clock is changed there.
pub(super) fn offsets(zone: &TimeZone, seconds: i64) -> (Offset, Offset) {
    let t = Fields::utc(seconds.clamp(-377_000_000_000, 253_000_000_000));
    let made = DateTime::new(
        t.year as i16,
        t.month as i8,
        t.day as i8,
        t.hour as i8,
        t.minute as i8,
        t.second as i8,
        0,
    );
    match made.map(|t| zone.to_ambiguous_timestamp(t).offset()) {
        Ok(AmbiguousOffset::Unambiguous { offset }) => (offset, offset),
        Ok(AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after }) => {
            (before, after)
        }
        Err(_) => (Offset::UTC, Offset::UTC),
    }
}

/// By how much the clock is ahead of standard time at a point of time.
fn saving(zone: &TimeZone, seconds: i64, now: &Rule) -> i64 {
    if !now.is_dst {
        return 0;
    }
    let standard = |t: &jiff::tz::TimeZoneTransition<'_>| !t.dst().is_dst();
    let at = timestamp(seconds);
    let near = zone.preceding(at).take(4).find(standard);
    match near.or_else(|| zone.following(at).take(4).find(standard)) {
        // It is behind where the winter's time counts as the deviation, as in Ireland.
        Some(t) if now.offset != i64::from(t.offset().seconds()) => {
            now.offset - i64::from(t.offset().seconds())
        }
        _ => 3600,
    }
}

/// A zone of the database.
struct Zone(TimeZone);

impl Payload for Zone {}

/// The class of zones, for `zoneinfo`.
pub(super) static ZONE: ClassDef = ClassDef::closed(
    "time",
    "_Zone",
    "A time zone of the system's database.",
    &[
        NativeDef::new(
            "at",
            "self, seconds, /",
            at,
            "(offset, saving, name) at so many seconds since the Epoch.",
        ),
        NativeDef::new(
            "local",
            "self, seconds, fold, /",
            at_local,
            "The same at a local time, given as if it were UTC.",
        ),
    ],
);

pub(super) const ROWS: &[NativeDef] = &[
    NativeDef::new("_zone", "key, /", find, "The zone of a name, or None."),
    NativeDef::new("_zone_of", "data, key, /", read, "The zone that TZif data describes."),
    NativeDef::new("_zone_names", "", names, "The names of the database."),
    NativeDef::new(
        "_local_zone",
        "seconds, fold, /",
        |vm, args| {
            let (seconds, fold) = (int(vm, args[0])?, vm.truth(args[1])?);
            shown(vm, &local_rule(&local(vm), seconds, fold), 0)
        },
        "(offset, 0, name) at a local time, given as if it were UTC.",
    ),
];

fn int<'v>(vm: &'v Vm, v: Value<'v>) -> Result<i64, Exit<'v>> {
    super::whole(vm, v)
}

fn shown<'v>(vm: &'v Vm, rule: &Rule, saving: i64) -> NResult<'v> {
    vm.tuple(&[vm.int(rule.offset), vm.int(saving), vm.str(&rule.name)?])
}

fn zone<'v>(vm: &'v Vm, v: Value<'v>) -> Result<TimeZone, Exit<'v>> {
    let found = v.get::<Opaque>().and_then(|o| o.with(|z: &mut Zone| z.0.clone()));
    found.ok_or_else(|| vm.type_error("a zone is required"))
}

fn at<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (zone, seconds) = (zone(vm, args[0])?, int(vm, args[1])?);
    let rule = rule(&zone, seconds);
    let saving = saving(&zone, seconds, &rule);
    shown(vm, &rule, saving)
}

fn at_local<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (zone, seconds) = (zone(vm, args[0])?, int(vm, args[1])?);
    let rule = local_rule(&zone, seconds, vm.truth(args[2])?);
    let saving = saving(&zone, seconds - rule.offset, &rule);
    shown(vm, &rule, saving)
}

fn text<'v>(vm: &'v Vm, v: Value<'v>) -> Result<String, Exit<'v>> {
    match v.get::<Str>() {
        Some(s) => Ok(s.to_display().into_owned()),
        None => Err(vm.type_error("a str is required")),
    }
}

fn find<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let key = text(vm, args[0])?;
    match TimeZone::get(&key) {
        // The database does not mind the case of letters; names are meant as they are written.
        Ok(found) if found.iana_name() == Some(&key) || key == "UTC" => {
            Ok(vm.opaque(ZONE.of(vm)?, Some(Box::new(Zone(found)))))
        }
        _ => Ok(Value::NONE),
    }
}

fn read<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let data = vm.buffer_copy(args[0])?.unwrap_or_default();
    match TimeZone::tzif(&text(vm, args[1])?, &data) {
        Ok(found) => Ok(vm.opaque(ZONE.of(vm)?, Some(Box::new(Zone(found))))),
        Err(_) => Err(vm.value_error("Invalid TZif file: magic not found")),
    }
}

fn names<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    let mut items = Vec::new();
    for name in jiff::tz::db().available() {
        vm.tick()?;
        items.push(vm.str(name.as_str())?);
    }
    vm.list(items)
}
