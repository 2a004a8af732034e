"""What tables are old, and who changed what."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from dataflow.clients.glance import AssetSeen
from dataflow.config.paths import ProjectPaths
from dataflow.operations.audit_trail import trail
from dataflow.operations.browse import _by_name
from dataflow.operations.context import Context

WHEN = datetime(2026, 11, 26, tzinfo=UTC)


def test_a_table_is_as_old_as_the_asset_of_its_name() -> None:
    found = _by_name([AssetSeen("orders", WHEN), AssetSeen("shop/marts/revenue", WHEN), AssetSeen("never", None)])
    assert found == {"orders": WHEN, "revenue": WHEN, "marts.revenue": WHEN, "never": None}


def test_the_trail_tells_the_newest_first_and_leaves_out_what_is_broken(tmp_path: Path) -> None:
    context = Context(ProjectPaths(tmp_path))
    assert trail(context).lines == ()
    line = (
        '{{"timestamp": "2026-11-26T10:0{n}:00Z", "actor": "me", "operation": "up", "detail": "", "outcome": "{end}"}}'
    )
    texts = [line.format(n=0, end="done"), "[1]", "no json", '{"timestamp": 3}', line.format(n=1, end="PORT_TAKEN")]
    context.paths.audit.parent.mkdir()
    context.paths.audit.write_text("\n".join(texts) + '\n{"timest')
    assert [(one.time.minute, one.outcome) for one in trail(context).lines] == [(1, "PORT_TAKEN"), (0, "done")]
    assert len(trail(context, limit=1).lines) == 1
