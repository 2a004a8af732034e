"""A workflow's partitions: which there are now, and which of them a text means.

`WorkflowInfo.partitions` holds how Dagster describes them to its own web server, because the keys of a workflow by day
grow while nobody looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from dataflow.config.validation import suggestion
from dataflow.errors import Action, UsageError
from dataflow.models import WorkflowInfo

if TYPE_CHECKING:
    import dagster as dg
    from dagster._core.definitions.partitions.snap.snap import PartitionsSnap

TAG = "dagster/partition"
_NEWEST = "last"
_SHOWN = 5


def described(assets: Sequence[Any]) -> str | None:
    """Dagster's description of the partitions that assets have, as text; None where they have none.

    A job's partitioned assets have the same ones: Dagster refuses other jobs.
    """
    from dagster._core.definitions.partitions.snap.snap import PartitionsSnap
    from dagster._serdes import serialize_value

    found = next((asset.partitions_def for asset in assets if asset.partitions_def is not None), None)
    return serialize_value(cast("Any", PartitionsSnap.from_def(found))) if found is not None else None


def in_words(info: WorkflowInfo) -> str | None:
    """What partitions a workflow has, in Dagster's words, on one line."""
    return " ".join(str(_definition(info)).split()).rstrip(".") if info.partitions else None


def keys_of(info: WorkflowInfo) -> list[str]:
    """Every key that there is now, in order.

    Raises:
        UsageError: PARTITIONS_NONE; PARTITIONS_UNKNOWN where keys are added while running, and only Dagster knows them.
    """
    if not info.partitions:
        message = f"{info.name} has no partitions: a run computes all of it."
        actions = (Action("Run it", f"dataflow workflow run {info.name}"),)
        raise UsageError(message, code="PARTITIONS_NONE", actions=actions)
    from dagster import DynamicPartitionsDefinition

    definition = _definition(info)
    if isinstance(definition, DynamicPartitionsDefinition):
        message = f"The partitions of {info.name} are added while it runs, and only Dagster's own page knows them."
        raise UsageError(message, code="PARTITIONS_UNKNOWN", actions=(Action("Open it", "dataflow open"),))
    return list(definition.get_partition_keys())


def one_of(info: WorkflowInfo, text: str | None) -> str | None:
    """The key that one run is for: `last` is the newest. None for a workflow that has no partitions, and no text.

    Raises:
        UsageError: PARTITION_MISSING, PARTITION_UNKNOWN, PARTITIONS_NONE, PARTITIONS_UNKNOWN.
    """
    if text is None and not info.partitions:
        return None
    keys = keys_of(info)
    if text is None:
        message = f"{info.name} is computed by partition ({in_words(info)}), so a run is for one of them."
        actions = (
            Action("Run the newest", f"dataflow workflow run {info.name} --partition {_NEWEST}"),
            Action("Run many", f"dataflow workflow backfill {info.name} --partitions {_example(keys)}"),
        )
        raise UsageError(message, code="PARTITION_MISSING", actions=actions)
    return _known(info, keys, text)


def chosen(info: WorkflowInfo, texts: Sequence[str]) -> list[str]:
    """The keys that texts mean, each once, in the order of the partitions.

    A text is a key, `last`, `all`, or a range with both ends in it: `A:B`, `A:` and `:B`; `A...B` as Dagster writes it.

    Raises:
        UsageError: PARTITION_UNKNOWN, PARTITION_RANGE where a range ends before it begins, PARTITIONS_NONE,
            PARTITIONS_UNKNOWN.
    """
    keys = keys_of(info)
    wanted = {key for text in texts for key in _meant(info, keys, text)}
    return [key for key in keys if key in wanted]


def _meant(info: WorkflowInfo, keys: list[str], text: str) -> list[str]:
    if text == "all":
        return keys
    if text in keys or not (":" in text or "..." in text):
        return [_known(info, keys, text)]
    first, last = _ends(keys, text)
    begin = keys.index(_known(info, keys, first)) if first else 0
    end = keys.index(_known(info, keys, last)) if last else len(keys) - 1
    if begin > end:
        message = f"The range '{text}' ends before it begins."
        raise UsageError(message, code="PARTITION_RANGE", hint=f"Write it as {last}:{first}.")
    return keys[begin : end + 1]


def _ends(keys: list[str], text: str) -> tuple[str, str]:
    """The two ends of a range; keys by hour have colons, too, so the middle is where both sides are keys."""
    words = {*keys, _NEWEST, ""}
    parts = text.replace("...", ":").split(":")
    cuts = [(":".join(parts[:at]), ":".join(parts[at:])) for at in range(1, len(parts))]
    known = [cut for cut in cuts if words.issuperset(cut)]
    return (known or cuts[len(cuts) // 2 :])[0]


def _known(info: WorkflowInfo, keys: list[str], text: str) -> str:
    if text == _NEWEST and keys:
        return keys[-1]
    if text in keys:
        return text
    hints = (suggestion(text, keys[-1000:]), _overview(info, keys))
    message = f"{info.name} has no partition '{text}'."
    raise UsageError(message, code="PARTITION_UNKNOWN", hint=" ".join(hint for hint in hints if hint))


def _overview(info: WorkflowInfo, keys: list[str]) -> str:
    if not keys:
        return f"It has none yet: {in_words(info)}."
    shown = ", ".join(keys) if len(keys) <= _SHOWN else f"{keys[0]} to {keys[-1]}"
    return f"It has {len(keys)}: {shown}."


def _example(keys: list[str]) -> str:
    return f"{keys[-_SHOWN:][0]}:" if keys else "all"


def _definition(info: WorkflowInfo) -> dg.PartitionsDefinition[str]:
    from dagster._serdes import deserialize_value

    snap = cast("PartitionsSnap", deserialize_value(info.partitions or ""))
    return snap.get_partitions_definition()
