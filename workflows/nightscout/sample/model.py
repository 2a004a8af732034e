"""A made-up person's glucose, meals and insulin, five minutes at a time.

Synthetic by construction: no recorded value goes in. Only additions, multiplications and `random()` are used, no
`sin`, `exp` or `gauss`, because those may differ in the last bit between C libraries and the sample must not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

STEP = 5  # minutes between two readings of a continuous glucose monitor

# Circadian set-point in mg/dL by local hour: dawn phenomenon, flat afternoon, slow fall at night.
SET_POINT = (122, 118, 116, 116, 120, 128, 138, 144, 142, 136, 130, 126)  # every two hours, starting at midnight
MEALS = ((7 * 60 + 15, 48), (12 * 60 + 30, 62), (18 * 60 + 45, 68), (21 * 60 + 30, 14))  # usual minute of day, grams


@dataclass(frozen=True, slots=True)
class Event:
    """Something the person did: `minute` since the start of the sample, grams, units, minutes of sport."""

    minute: int
    kind: str
    carbs: int = 0
    insulin: float = 0.0
    minutes: int = 0


def noise(rng: Random) -> float:
    """Return a nearly normal number (mean 0, variance 1): the sum of twelve uniform ones, less six."""
    return sum(rng.random() for _ in range(12)) - 6.0


def events_of_day(rng: Random, day: int) -> Iterator[Event]:
    """Yield one day's meals, boluses and sport. Weekends start later and eat more."""
    weekend = day % 7 in (0, 1)  # the sample starts on a Saturday
    for usual, grams in MEALS:
        if grams < 20 and rng.random() < 0.55:
            continue
        minute = day * 1440 + usual + (75 if weekend and usual < 600 else 0) + int(noise(rng) * 18)
        carbs = max(8, int(grams * (1.12 if weekend else 1.0) + noise(rng) * grams * 0.22))
        dose = round(carbs / 9.5 * (1.0 + noise(rng) * 0.12) * 20) / 20
        yield Event(minute, "Meal Bolus" if rng.random() < 0.93 else "Carb Correction", carbs, max(0.5, dose))
    if rng.random() < 0.4:
        yield Event(day * 1440 + 17 * 60 + int(noise(rng) * 40), "Exercise", minutes=30 + 5 * int(rng.random() * 9))
    if rng.random() < 0.5:
        yield Event(
            day * 1440 + 15 * 60 + int(noise(rng) * 90), "Correction Bolus", insulin=0.5 + int(rng.random() * 6) / 4
        )


def bump(minutes: float, rise: float, length: float) -> float:
    """Return a hill from 0 to 1 and back: it climbs for `rise` minutes and is over after `length`."""
    if not 0.0 < minutes < length:
        return 0.0
    x = minutes / rise if minutes < rise else (length - minutes) / (length - rise)
    return x * x * (3.0 - 2.0 * x)


def effect(event: Event, minute: int) -> float:
    """Return what an event does to glucose at `minute`, in mg/dL: carbohydrates lift it, insulin and sport lower it."""
    since = minute - event.minute
    lift = event.carbs * 3.3 * bump(since, 55, 230)
    lowered = event.insulin * 22.5 * bump(since - 15, 95, 300)
    return lift - lowered - event.minutes * 0.75 * bump(since, 60, 260)


def set_point(minute_of_day: float) -> float:
    """Interpolate the circadian table."""
    left, share = divmod(minute_of_day / 120.0, 1.0)
    first, second = SET_POINT[int(left) % 12], SET_POINT[(int(left) + 1) % 12]
    return first + (second - first) * share


def curve(rng: Random, events: list[Event], days: int) -> list[float]:
    """Return glucose in mg/dL, one value per step. A slow drift differs from day to day, the sensor adds its noise."""
    values: list[float] = []
    drift = 16.0
    for step in range(days * 1440 // STEP):
        minute = step * STEP
        drift += -0.0035 * (drift - 20.0) + noise(rng) * 1.5
        near = [event for event in events if -10 < minute - event.minute < 320]
        glucose = set_point(minute % 1440) + drift + sum(effect(event, minute) for event in near) + noise(rng) * 2.2
        if glucose < 85.0:  # the body answers a low: adrenaline and glucagon
            glucose = 85.0 - (85.0 - glucose) * 0.45
        values.append(min(400.0, max(41.0, glucose)))
    return values
