"""From landed documents to typed tables, in SQL: what every field means, what cannot be believed, and why.

The lake holds each document as the source sent it. Here, and only here, it gets its types. A row that cannot be
believed goes to `raw_nightscout.quarantine` with the reason and where it came from; no row just disappears.
"""

from __future__ import annotations

from dataclasses import dataclass

MMOL_TO_MGDL = 18.018  # 1 mmol/L of glucose (180.16 g/mol) in mg/dL; Nightscout uses the same factor

# MongoDB's extended JSON wraps values: {"$oid": "5f…"}, {"$numberLong": "17…"}, {"$date": {"$numberLong": "17…"}}.
MACROS = r"""
create or replace temp macro plain(value) as
    nullif(trim(
        case when value like '{"$%' then regexp_extract(value, ':\s*"?([^"{}]+)"?\s*\}', 1) else value end), '');
create or replace temp macro moment(millis, text) as coalesce(
    case when try_cast(millis as double) between 0 and 4e12 then epoch_ms(try_cast(millis as double)::bigint) end,
    case when try_cast(millis as double) is null then try_cast(millis as timestamptz) at time zone 'UTC' end,
    try_cast(text as timestamptz) at time zone 'UTC');
-- The first eight digits of a MongoDB id are the second in which the server stored the document.
create or replace temp macro stored(id) as coalesce(
    case when regexp_full_match(id, '[0-9a-f]{24}') then to_timestamp(('0x' || id[:8])::bigint) at time zone 'UTC' end,
    now() at time zone 'UTC');
-- What is wrong with a time: unreadable, from before the first uploader (2013), or ahead of its own upload.
create or replace temp macro wrong_time(happened, id) as case
    when happened is null then 'no readable time'
    when happened < timestamp '2013-01-01' then 'clock wrong: before 2013'
    when happened > stored(id) + interval 1 day then 'clock wrong: ahead of its upload'
end;
create or replace temp macro wrong_number(name, value, low, high) as case
    when value is null then null
    when try_cast(value as double) is null then name || ' is not a number'
    when try_cast(value as double) not between low and high then name || ' is out of range'
end;
"""

DOCUMENTS = """
create or replace temp view parsed as
select *, from_json(try_cast(document as json), '{fields}') as d
from landed
"""

# Entries: https://github.com/nightscout/cgm-remote-monitor/blob/master/lib/api/entries
# Unit: sgv is mg/dL by convention; where `units` says otherwise, or a small value has decimals, it is mmol/L.
# Receivers put their error codes into sgv: 0 to 12 on Dexcom (5 not calibrated, 9 and 10 noise, 12 bad radio).
ENTRIES = f"""
create or replace temp table typed as
with named as (
    select *, plain(d._id) as _id, coalesce(plain(d.type), case when d.sgv is not null then 'sgv' end) as type,
           plain(case plain(d.type) when 'mbg' then d.mbg when 'cal' then null else d.sgv end) as reported,
           lower(plain(d.units)) as unit
    from parsed
),
measured as (
    select *, moment(plain(d.date), coalesce(plain(d."dateString"), plain(d."sysTime"))) as measured_at_utc,
           try_cast(reported as double) as value,
           unit is null and value = floor(value) and value < 20 as unit_unclear,
           case when unit like 'mmol%' or (unit is null and value <> floor(value) and value between 1 and 35)
                then round(value * {MMOL_TO_MGDL}, 1) else value end as glucose_mgdl
    from named
)
select
    coalesce(_id, md5(concat_ws('|', type, measured_at_utc, plain(d.device), reported))) as id,
    type, measured_at_utc, glucose_mgdl, reported, unit,
    case when lower(plain(d.device)) <> 'unknown' then plain(d.device) end as device,
    plain(d.direction) as direction,
    try_cast(plain(d.noise) as integer) as noise,
    try_cast(plain(d."utcOffset") as integer) as utc_offset_minutes,
    source, line, number, position, document,
    case
        when not json_valid(document) then 'not a JSON document'
        when json_type(document) <> 'OBJECT' then 'not a JSON object'
        when wrong_time(measured_at_utc, _id) is not null then wrong_time(measured_at_utc, _id)
        when type is null then 'no type'
        when type not in ('sgv', 'mbg') then null
        when reported is null then 'no value'
        when value is null then 'value is not a number'
        when unit_unclear and value between 0 and 12 and type = 'sgv' then 'sensor error code'
        when unit_unclear and value >= 0 then 'unit unclear'
        when glucose_mgdl not between 20 and 600 then 'value is out of range'
    end as reason
from measured
"""

# Treatments: https://github.com/nightscout/cgm-remote-monitor/blob/master/lib/api/treatments
TREATMENTS = """
create or replace temp table typed as
with named as (
    select *, plain(d._id) as _id,
           moment(plain(d.mills), coalesce(plain(d.created_at), plain(d.timestamp))) as created_at_utc
    from parsed
)
select
    coalesce(_id, md5(document)) as id,
    coalesce(plain(d."eventType"), 'Unknown') as event_type,
    created_at_utc,
    try_cast(plain(d.carbs) as double) as carbs_g,
    try_cast(plain(d.insulin) as double) as insulin_units,
    try_cast(plain(d.duration) as double) as duration_minutes,
    plain(d."enteredBy") as entered_by,
    plain(d.notes) as notes,
    try_cast(plain(d."utcOffset") as integer) as utc_offset_minutes,
    source, line, number, position, document,
    case
        when not json_valid(document) then 'not a JSON document'
        when json_type(document) <> 'OBJECT' then 'not a JSON object'
        else coalesce(
            wrong_time(created_at_utc, _id),
            wrong_number('carbs', plain(d.carbs), 0, 1000),
            wrong_number('insulin', plain(d.insulin), 0, 100)
        )
    end as reason
from named
"""


@dataclass(frozen=True, slots=True)
class Rules:
    """How one collection of documents becomes rows: the fields to read (as text) and the SQL that types them."""

    fields: tuple[str, ...]
    sql: str


RULES = {
    "entries": Rules(
        (
            "_id",
            "type",
            "date",
            "dateString",
            "sysTime",
            "sgv",
            "mbg",
            "units",
            "device",
            "direction",
            "noise",
            "utcOffset",
        ),
        ENTRIES,
    ),
    "treatments": Rules(
        (
            "_id",
            "eventType",
            "created_at",
            "timestamp",
            "mills",
            "carbs",
            "insulin",
            "duration",
            "enteredBy",
            "notes",
            "utcOffset",
        ),
        TREATMENTS,
    ),
}
