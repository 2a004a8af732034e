from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.config.catalog import closure
from dataflow.config.services import ServiceSpec
from dataflow.engines.base import Observation, Process
from dataflow.engines.launch import Launch
from dataflow.engines.native_plan import dependants, plan_actions
from dataflow.errors import UsageError


def service(name: str, *depends: str) -> ServiceSpec:
    return ServiceSpec(name=name, label=name, group="application", depends=depends)


CATALOG = {"base": service("base"), "middle": service("middle", "base"), "top": service("top", "middle")}


def launch(name: str, *command: str) -> Launch:
    return Launch(name, command or ("run",), {}, {Path("conf"): "text"}, (), "TERM", 10)


def actions(
    observed: Observation,
    applied: dict[str, dict[str, str]],
    *,
    changed: list[str] | None = None,
    partial: bool = False,
) -> dict[str, tuple[str, str]]:
    launches = {name: launch(name) for name in CATALOG}
    planned = plan_actions(CATALOG, observed, launches, applied, changed or [], {}, partial=partial)
    return {action.service: (action.verb, action.cause) for action in planned}


RUNNING = Observation(True, {name: Process("running", pid=1) for name in CATALOG})
APPLIED = {name: launch(name).digests() for name in CATALOG}


def test_what_does_not_run_is_started() -> None:
    assert actions(Observation(False), {})["base"] == ("start", "it does not run")


def test_what_gave_up_is_started_and_the_cause_says_so() -> None:
    seen = Observation(True, {"base": Process("crash-loop")})
    assert actions(seen, APPLIED)["base"] == ("start", "it is crash-loop")


def test_what_runs_as_it_should_is_kept() -> None:
    assert {verb for verb, _ in actions(RUNNING, APPLIED).values()} == {"keep"}


def test_a_changed_part_is_named_as_the_cause() -> None:
    applied = {**APPLIED, "base": launch("base", "other").digests()}
    assert actions(RUNNING, applied)["base"] == ("restart", "its command changed")
    applied["base"] = {**launch("base").digests(), "file conf": "x"}
    assert actions(RUNNING, applied)["base"] == ("restart", "its file conf changed")


def test_a_changed_variable_restarts_everything_and_is_named() -> None:
    assert actions(RUNNING, APPLIED, changed=["DATAFLOW_S3_SECRET_KEY"])["top"] == (
        "restart",
        "DATAFLOW_S3_SECRET_KEY changed",
    )


def test_what_nobody_wants_any_more_is_stopped_unless_only_some_were_named() -> None:
    seen = Observation(True, {**RUNNING.processes, "old": Process("running", pid=2)})
    assert actions(seen, APPLIED)["old"][0] == "stop"
    assert "old" not in actions(seen, APPLIED, partial=True)


def test_what_is_missing_on_this_machine_is_skipped_with_the_reason() -> None:
    planned = plan_actions(
        CATALOG, RUNNING, {n: launch(n) for n in CATALOG}, APPLIED, [], {"top": "no program"}, partial=False
    )
    assert next((a.verb, a.cause) for a in planned if a.service == "top") == ("skip", "no program")


def test_naming_a_service_brings_what_it_depends_on_first() -> None:
    assert list(closure(CATALOG, ["top"])) == ["base", "middle", "top"]


def test_dependants_come_before_what_they_depend_on() -> None:
    assert dependants(CATALOG, ["base"]) == ["top", "middle", "base"]
    assert dependants(CATALOG, ["top"]) == ["top"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UsageError, match="midle"):
        closure(CATALOG, ["midle"])
