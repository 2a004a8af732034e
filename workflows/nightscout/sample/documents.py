"""Turn the model's values into the documents that Nightscout stores, clock and identity included."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from model import STEP, Event, events_of_day

Document = dict[str, Any]

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 8, 1, tzinfo=ZONE)  # 90 days from here cross the end of summer time on 25 October
APP = "dataflow-sample"
ARROWS = (
    (-17, "DoubleDown"),
    (-11, "SingleDown"),
    (-6, "FortyFiveDown"),
    (6, "Flat"),
    (11, "FortyFiveUp"),
    (17, "SingleUp"),
)


class ObjectIds:
    """MongoDB object ids: seconds, a made-up machine, a counter. A pair is unique, a file compresses well."""

    def __init__(self, machine: str, first: int) -> None:
        self.machine, self.counter = machine, first

    def new(self, moment: datetime) -> str:
        """Return the next id, as if the document had been stored at `moment`."""
        self.counter += 1
        return f"{int(moment.timestamp()):08x}{self.machine}{self.counter:06x}"


def moment_of(minute: int, seconds: int = 0) -> datetime:
    """Return the instant `minute` minutes of elapsed time after the start, in UTC."""
    return START.astimezone(UTC) + timedelta(minutes=minute, seconds=seconds)


def iso(moment: datetime) -> str:
    """Return the moment as Nightscout writes it: UTC, milliseconds, Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def utc_offset(moment: datetime) -> int:
    """Return the local offset from UTC in minutes, as Nightscout notes it: 120 in summer, 60 in winter."""
    offset = moment.astimezone(ZONE).utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0


def direction(delta: float) -> str:
    """Return the trend arrow for a change in mg/dL over five minutes."""
    return next((arrow for bound, arrow in ARROWS if delta < bound), "DoubleUp")


def entry(ids: ObjectIds, moment: datetime, value: int, delta: float) -> Document:
    """Return one CGM reading as xDrip+ uploads it."""
    return {
        "_id": ids.new(moment),
        "type": "sgv",
        "date": int(moment.timestamp() * 1000),
        "dateString": iso(moment),
        "sgv": value,
        "delta": round(delta, 1),
        "direction": direction(delta),
        "noise": 1,
        "device": "xDrip-DexcomG6",
        "utcOffset": utc_offset(moment),
        "sysTime": iso(moment),
        "app": APP,
        "synthetic": True,
    }


def entries(rng: Random, curve: list[float]) -> Iterator[Document]:
    """Yield one entry per step, a few seconds off the beat, as a real sensor is."""
    ids = ObjectIds("da7af10e55", 0x100000)
    before = curve[0]
    for step, glucose in enumerate(curve):
        moment = moment_of(step * STEP, 97 + int(rng.random() * 5))
        yield entry(ids, moment, int(glucose + 0.5), glucose - before)
        before = glucose


def local_minute(minute: int) -> int:
    """Turn a minute of the person's wall clock into elapsed minutes: meals follow the clock on the wall."""
    wall = START.replace(tzinfo=None) + timedelta(minutes=minute)
    return int((wall.replace(tzinfo=ZONE).astimezone(UTC) - START.astimezone(UTC)).total_seconds() // 60)


def events(rng: Random, days: int) -> list[Event]:
    """Return every event of the sample, at elapsed minutes, oldest first."""
    found = [event for day in range(days) for event in events_of_day(rng, day)]
    return [
        Event(local_minute(e.minute), e.kind, e.carbs, e.insulin, e.minutes)
        for e in sorted(found, key=lambda e: e.minute)
    ]


def treatment(ids: ObjectIds, event: Event) -> Document:
    """Return one event as Nightscout's care portal stores it."""
    moment = moment_of(event.minute, 12)
    numbers = {"carbs": event.carbs, "insulin": event.insulin, "duration": event.minutes}
    if event.kind == "Carb Correction":
        numbers["insulin"] = 0
    return {
        "_id": ids.new(moment),
        "eventType": event.kind,
        "created_at": iso(moment),
        "enteredBy": "AndroidAPS",
        **{key: number for key, number in numbers.items() if number},
        "utcOffset": utc_offset(moment),
        "app": APP,
        "synthetic": True,
    }
