"""The faults that real Nightscout exports have, put into the sample on purpose. README.md lists them for readers.

Each function takes documents in time order and yields documents, or text where the line itself is broken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from random import Random

from documents import Document, ObjectIds, iso, moment_of

DAY = 288  # steps
BROKEN_VALUES = (None, "???", 0, 1, 5, 9, 10, 12, "LOW", "HIGH", 9999, -1)


def gaps(rng: Random, steps: int) -> set[int]:
    """Return the steps without a reading: sensor changes with their warm-up, lost signal, a failed sensor."""
    missing: set[int] = set()
    for change in range(4 * DAY, steps, 10 * DAY):
        start = change + int(rng.random() * 80)
        missing.update(range(start, start + 24 + int(rng.random() * 4)))  # two hours of warm-up
    for _ in range(70):
        start = int(rng.random() * steps)
        missing.update(range(start, start + 2 + int(rng.random() * rng.random() * 30)))
    missing.update(range(33 * DAY + 200, 34 * DAY + 226))  # a failed sensor: 26 hours
    missing.update(range(61 * DAY + 60, 61 * DAY + 190))
    return missing


def mislead(rng: Random, step: int, document: Document) -> Document:
    """Change one entry in place: other units, other spelling, no device, a wrong clock, a broken value."""
    chance = rng.random()
    if 20 * DAY <= step < 25 * DAY:  # five days with a follower app that uploads mmol/L
        document["sgv"] = round(document["sgv"] / 18.018, 1)
        document["device"] = "loop://iPhone"
        if step % 3:
            document["units"] = "mmol/L" if step % 2 else "mmol"
        elif document["sgv"] == int(document["sgv"]):
            document["sgv"] += 0.1  # without a unit only the decimals tell
    else:
        misspell(step, document, chance, rng)
    if chance > 0.98:
        document.pop("utcOffset")
    return wrong_clock(step, document)


def misspell(step: int, document: Document, chance: float, rng: Random) -> None:
    """Break, respell or drop one field of one entry in fifty."""
    if chance < 0.003:
        document["sgv"] = BROKEN_VALUES[int(rng.random() * len(BROKEN_VALUES))]
    elif chance < 0.009:
        document["sgv"] = str(document["sgv"])
    elif chance < 0.016:
        document.pop("device") if chance < 0.013 else document.update(device=("", None, "unknown")[step % 3])
    elif chance < 0.018:
        document["date"] = str(document["date"])
    elif chance < 0.020:
        document.pop("date")  # dateString still tells
    elif chance < 0.0204:
        for key in ("date", "dateString", "sysTime"):
            document.pop(key)


def wrong_clock(step: int, document: Document) -> Document:
    """A receiver that lost its clock counts from 2009 for five hours; a phone lives a year ahead for half an hour."""
    shift = timedelta(days=-6414) if 47 * DAY + 30 <= step < 47 * DAY + 90 else None
    shift = timedelta(days=365) if 72 * DAY + 10 <= step < 72 * DAY + 16 else shift
    if shift is not None and isinstance(document.get("date"), int):
        moment = moment_of(step * 5, 98) + shift
        document.update(date=int(moment.timestamp() * 1000), dateString=iso(moment), sysTime=iso(moment))
    return document


def repeated(rng: Random, step: int, document: Document, ids: ObjectIds) -> Iterator[Document]:
    """Yield an entry, and sometimes again: the same, the same under another id, the same through a second uploader."""
    yield document
    chance = rng.random()
    if chance < 0.006:
        yield document
    elif chance < 0.016:
        yield {**document, "_id": ids.new(moment_of(step * 5))}
    elif 52 * DAY <= step < 55 * DAY and isinstance(document.get("date"), int):
        later = moment_of(step * 5, 98 + 9)
        yield {
            **document,
            "_id": ids.new(later),
            "device": "share2",
            "date": int(later.timestamp() * 1000),
            "dateString": iso(later),
            "sysTime": iso(later),
        }


def other_types(step: int, document: Document, ids: ObjectIds) -> Iterator[Document]:
    """Yield a finger-stick twice a day and a calibration every other day: they live among the sensor's entries."""
    common = {
        key: document[key]
        for key in ("date", "dateString", "utcOffset", "sysTime", "app", "synthetic")
        if key in document
    }
    if step % 144 == 90:
        yield {
            "_id": ids.new(moment_of(step * 5)),
            "type": "mbg",
            "mbg": 96 + step % 61,
            "device": "Contour Next",
            **common,
        }
    if step % 576 == 91:
        numbers = {"slope": 895.2 + step % 7, "intercept": 32004.5 - step % 90, "scale": 1}
        yield {"_id": ids.new(moment_of(step * 5)), "type": "cal", **numbers, "device": "xDrip-DexcomG6", **common}


def faulty_entries(rng: Random, documents: Iterable[Document], steps: int) -> Iterator[Document]:
    """Yield the entries as an export holds them."""
    ids, missing = ObjectIds("da7af10e66", 0x500000), gaps(rng, steps)
    for step, document in enumerate(documents):
        if step in missing:
            continue
        yield from repeated(rng, step, mislead(rng, step, document), ids)
        yield from other_types(step, document, ids)


def faulty_treatments(rng: Random, documents: Iterable[Document]) -> Iterator[Document]:
    """Yield the treatments as an export holds them: typed by hand, so numbers come as text and times go missing."""
    for number, document in enumerate(documents):
        if number % 41 == 7 and "carbs" in document:
            document["carbs"] = str(document["carbs"])
        if number % 97 == 50:
            document.update(
                ({"insulin": -3}, {"created_at": "Invalid date"}, {"carbs": "a lot"}, {"insulin": 450})[
                    number // 97 % 4
                ]
            )
        if number % 29 == 11:
            document.update(enteredBy="")
        yield document
        if rng.random() < 0.02:
            yield document


def lines(documents: Iterable[Document], torn: tuple[int, ...]) -> Iterator[str]:
    """Yield JSON lines; those numbered in `torn` end in the middle, as after a full disk or a dropped connection."""
    for number, document in enumerate(documents, start=1):
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        yield text[: len(text) * 3 // 5] if number in torn else text
