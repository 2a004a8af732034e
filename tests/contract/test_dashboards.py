"""The shipped dashboards, as files: what Grafana needs to show them. tests/engine runs their queries."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from dataflow.operations.exporter.metrics import METRICS
from tests.conftest import ROOT
from tests.engine.dashboards import FOLDER, panels, queries

GRAFANA = ROOT / "compose" / "services" / "grafana"
FILES = sorted(FOLDER.glob("*.json"))
OURS = re.compile(r"\bdataflow_[a-z_]+")
SUFFIX = re.compile(r"_(bucket|sum|count)$")


def test_there_is_a_dashboard_for_each_part() -> None:
    assert [file.stem for file in FILES] == ["logs", "platform", "quality", "storage", "workflows"]


def test_grafana_finds_the_dashboards_and_their_sources() -> None:
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/dashboards.yaml").read_text())["providers"]
    mounts = yaml.safe_load((GRAFANA / "compose.yaml").read_text())["services"]["grafana"]["volumes"]
    assert f"./dashboards:{provider['options']['path']}:ro" in mounts
    sources = yaml.safe_load((GRAFANA / "provisioning/datasources/datasources.yaml").read_text())["datasources"]
    assert {query.back_end for query in queries()} == {source["uid"] for source in sources}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_panels_have_titles_words_units_and_places_that_do_not_overlap(file: Any) -> None:
    whole = json.loads(file.read_text())
    assert whole["uid"] == f"dataflow-{file.stem}"
    taken: set[tuple[int, int]] = set()
    for panel in whole["panels"]:
        assert panel["title"], panel["id"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        grid = panel["gridPos"]
        cells = {(grid["x"] + x, grid["y"] + y) for x in range(grid["w"]) for y in range(grid["h"])}
        assert not cells & taken, panel["title"]
        assert grid["x"] + grid["w"] <= 24
        taken |= cells


def test_panels_ask_only_for_metrics_that_there_are() -> None:
    for query in queries():
        for name in OURS.findall(query.text):
            base = SUFFIX.sub("", name)
            assert name in METRICS or METRICS[base].kind == "histogram", str(query)


def test_every_variable_of_a_query_is_filled() -> None:
    assert [str(query) for query in queries() if "$" in query.text] == []
    assert len([*panels()]) > 30
