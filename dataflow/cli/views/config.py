"""Settings, for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dataflow.cli.tables import table, value

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.configuration import ConfigShown


def shower(*, origin: bool) -> Callable[[Console, ConfigShown], None]:
    """Shows settings, with or without their origins."""

    def show(console: Console, result: ConfigShown) -> None:
        columns = ["KEY", "VALUE", *(["FROM"] if origin else [])]
        rows = [(v.key, value(v.value), *([v.origin] if origin else [])) for v in result.values]
        table(console, columns, rows)

    return show
