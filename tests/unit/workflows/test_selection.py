"""`--asset`: Dagster's selection syntax over what is known of a workflow without importing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.errors import UsageError
from dataflow.models import AssetNode, WorkflowInfo
from dataflow.workflows.selection import select

SHOP = WorkflowInfo(
    "shop",
    "",
    Path(),
    assets=("orders", "staging/orders", "daily", "weekly"),
    graph=(
        AssetNode("orders", ("somewhere/else",), group="raw", owners=("data@example.org",)),
        AssetNode("staging/orders", ("orders",), kinds=("dbt", "duckdb")),
        AssetNode("daily", ("staging/orders",), kinds=("dbt",), tags={"domain": "sales"}),
        AssetNode("weekly", ("daily",), tags={"domain": "sales"}),
    ),
)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("orders", "orders"),
        ("staging/orders", "staging/orders"),
        ("+daily", "staging/orders daily"),
        ("*daily", "orders staging/orders daily"),
        ("orders+", "orders staging/orders"),
        ("group:raw", "orders"),
        ("kind:dbt", "staging/orders daily"),
        ("tag:domain=sales", "daily weekly"),
        ("kind:dbt and tag:domain=sales", "daily"),
        ("not kind:dbt", "orders weekly"),
        ('owner:"data@example.org"', "orders"),
        ("sinks(*)", "weekly"),
        ("roots(*)", "orders"),
        ('key:"staging/*"', "staging/orders"),
        ("*", "orders staging/orders daily weekly"),
    ],
)
def test_a_selection_means_what_it_means_in_dagster(text: str, chosen: str) -> None:
    assert select(SHOP, text) == tuple(chosen.split())


@pytest.mark.parametrize("text", ["not(", "kind:dbt and", "((orders)"])
def test_what_is_no_selection_is_told(text: str) -> None:
    with pytest.raises(UsageError) as told:
        select(SHOP, text)
    assert told.value.code == "SELECTION_INVALID"
    assert "+daily" in (told.value.hint or "")


@pytest.mark.parametrize(("text", "hint"), [("dayly", "Did you mean 'daily'?"), ("somewhere/else", "It has: orders,")])
def test_what_selects_nothing_is_told_with_what_there_is(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as told:
        select(SHOP, text)
    assert told.value.code == "ASSET_UNKNOWN"
    assert hint in (told.value.hint or "")
