"""Who is a cause and who only suffers; what texts tell; and an unknown cause that says what was ruled out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dataflow.config.paths import ProjectPaths
from dataflow.config.services import Probe, ServiceSpec
from dataflow.engines.base import Examined, Observation, Process
from dataflow.engines.port_plan import PortTakenError
from dataflow.errors import ConfigurationError, MissingError, Place
from dataflow.models import Finding, Run, ServiceState, ServiceStatus, StepRun
from dataflow.operations.causes.looked import Looked, RunSeen, RunsSeen
from dataflow.operations.causes.model import CAUSES, Subject
from dataflow.operations.causes.order import order
from dataflow.operations.causes.platform import platform_problems
from dataflow.operations.causes.run import run_problem
from dataflow.operations.causes.service import service_problem
from dataflow.operations.causes.texts import bad_lines, run_cause, service_cause
from dataflow.operations.causes.workflow import workflow_problems
from dataflow.operations.context import Context
from dataflow.operations.following import CheckOutcome, Progress
from dataflow.workflows.catalogue import Catalogue

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


def status(name: str, state: ServiceState = "running", health: Any = "healthy", **more: Any) -> ServiceStatus:
    return ServiceStatus(name, name, "application", state, health, **more)


def statuses(**states: str) -> dict[str, ServiceStatus]:
    """`a="bad"` is unhealthy, `a="ok"` healthy, everything else a state."""
    health = {"ok": "healthy", "bad": "unhealthy"}
    return {
        name: status(name, health=health[word]) if word in health else status(name, word, "none")  # type: ignore[arg-type]
        for name, word in states.items()
    }


def spec(name: str, *depends: str, through: str | None = None) -> ServiceSpec:
    probe = Probe(url="http://127.0.0.1", through=through) if through else Probe()
    return ServiceSpec(name=name, label=name, group="application", depends=depends, health=probe)


def catalog(*specs: ServiceSpec) -> dict[str, ServiceSpec]:
    return {one.name: one for one in specs}


CHAIN = catalog(spec("a"), spec("b", "a"), spec("c", "b"), spec("d"))


@pytest.mark.parametrize(
    ("states", "roots"),
    [
        ({"a": "ok", "b": "ok", "c": "ok"}, {}),
        ({"a": "bad", "b": "failed", "c": "stopped"}, {"a": ("b", "c")}),
        ({"a": "ok", "b": "crash-loop", "c": "bad"}, {"b": ("c",)}),
        ({"a": "bad", "b": "ok", "c": "bad"}, {"a": (), "c": ()}),
        ({"a": "bad", "d": "failed"}, {"a": (), "d": ()}),
        ({"a": "completed", "b": "paused"}, {"b": ()}),
    ],
)
def test_the_first_that_fails_is_the_cause(states: dict[str, str], roots: dict[str, tuple[str, ...]]) -> None:
    assert order(CHAIN, statuses(**states)).roots == roots


def test_causes_come_in_the_order_of_dependencies() -> None:
    found = order(catalog(spec("z"), spec("a", "z"), spec("m")), statuses(a="ok", m="bad", z="bad"))
    assert list(found.roots) == ["z", "m"]


def test_one_that_is_asked_through_another_cannot_be_blamed_while_that_is_away() -> None:
    known = catalog(spec("code"), spec("web", "code"), spec("daemon", "code", through="web"))
    found = order(known, statuses(code="ok", web="failed", daemon="bad"))
    assert found.roots == {"web": ("daemon",)}
    assert order(known, statuses(code="ok", web="ok", daemon="bad")).roots == {"daemon": ()}


def test_a_service_that_suffers_from_two_is_listed_under_both() -> None:
    known = catalog(spec("a"), spec("b"), spec("c", "a", "b"))
    found = order(known, statuses(a="bad", b="failed", c="stopped"))
    assert found.roots == {"a": ("c",), "b": ("c",)}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("OSError: [Errno 98] Address already in use", "port-taken"),
        ("driver failed: Bind for 127.0.0.1:80 failed: port is already allocated", "port-taken"),
        ("write /data/x: no space left on device", "disk-full"),
        ('FATAL: password authentication failed for user "dataflow"', "bad-password"),
        ("fork: Cannot allocate memory", "out-of-memory"),
        ("cannot find my keys", None),
    ],
)
def test_services_tell_their_cause_in_their_words(text: str, cause: str | None) -> None:
    assert service_cause(text) == cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("/x/warehouse.duckdb is locked by process 12 (python x)", "warehouse-locked"),
        ("IO Error: Could not set lock on file", "warehouse-locked"),
        ("https://cgm.example does not answer (ConnectError)", "source-down"),
        ("https://cgm.example failed (503)", "source-down"),
        ("httpcore.ConnectError: [Errno 111] Connection refused", "source-down"),
        ("The object store at 127.0.0.1:8333 does not answer (MaxRetryError)", "store-down"),
        ("dbt could not build 'shop':\nFailure in test not_null_orders_id", "dbt-test-failed"),
        ("dbt could not build 'shop':\nRuntime Error in model orders", "dbt-failed"),
        ("The run's process ended without a word: killed or crashed.", "run-killed"),
        ("x could not be written: the disk is full", "disk-full"),
        ("ValueError: the source is on fire", None),
    ],
)
def test_errors_of_runs_tell_their_cause(text: str, cause: str | None) -> None:
    assert run_cause(text) == cause


def test_the_last_bad_lines_are_chosen_with_their_time() -> None:
    lines = [
        "2026-11-24T10:00:00Z starting",
        '{"timestamp": "2026-11-24T10:00:01Z", "level": "error", "event": "no keys"}',
        '{"timestamp": "2026-11-24T10:00:02Z", "level": "info", "event": "an error that is none"}',
        "2026-11-24 10:00:03 WARNING low",
    ]
    found = bad_lines("web", lines)
    assert [(fact.text, fact.service) for fact in found] == [("no keys", "web"), (lines[3], "web")]
    assert found[0].time == datetime(2026, 11, 24, 10, 0, 1, tzinfo=UTC)
    assert [fact.text for fact in bad_lines("web", ["one", "two"])] == ["one", "two"]


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A project whose engine is the native one, and that never was up."""
    monkeypatch.setenv("DATAFLOW_ENGINE", "native")
    (tmp_path / "workflows").mkdir()
    (tmp_path / "dataflow.toml").write_text('name = "shop"\n')
    return Context(ProjectPaths(tmp_path))


def looked(context: Context, **more: Any) -> Looked:
    seen: dict[str, Any] = {
        "context": context, "observed": Observation(True, {}), "services": {}, "examined": {}, "plan": None,
        "refused": None, "workflows": Catalogue((), ()), "runs": RunsSeen(),
    }  # fmt: skip
    return Looked(**{**seen, **more})


def service(context: Context, examined: Examined | None = None, **state: Any) -> Any:
    one = status("object-store", **state)
    known = {"object-store": examined} if examined else {}
    observed = Observation(True, {"object-store": Process(one.state)})
    return service_problem(looked(context, services={one.name: one}, examined=known, observed=observed), one.name)


@pytest.mark.parametrize(
    ("state", "examined", "cause"),
    [
        ({"state": "failed"}, Examined(137, out_of_memory=True), "out-of-memory"),
        ({"state": "running"}, Examined(misfit="password", volume="shop_postgres"), "bad-password"),
        ({"state": "running"}, Examined(misfit="major", volume="shop_postgres"), "volume-version"),
        ({"state": "stopped"}, Examined(error="port is already allocated"), "port-taken"),
        ({"state": "running", "health": "unhealthy"}, Examined(probe="no space left on device"), "disk-full"),
        ({"state": "running", "health": "unhealthy"}, Examined(probe="the doctor is out"), "unhealthy"),
        ({"state": "crash-loop"}, Examined(3), "crash-loop"),
        ({"state": "paused"}, None, "paused"),
        ({"state": "starting"}, None, "starting"),
        ({"state": "stopped"}, None, "stopped"),
        ({"state": "unavailable", "detail": "its program 'weed' is not on PATH"}, None, "program-missing"),
        ({"state": "unavailable", "detail": "it has no native form"}, None, "no-native-form"),
        ({"state": "failed"}, None, "unknown"),
    ],
)
def test_a_service_is_recognised(context: Context, state: Any, examined: Examined | None, cause: str) -> None:
    problem = service(context, examined, **{"health": "none", **state})
    assert problem.cause == cause
    assert problem.summary.endswith(".")
    assert 1 <= len(problem.actions) <= 3


def test_an_unknown_cause_says_what_was_ruled_out(context: Context) -> None:
    problem = service(context, state="failed", health="none")
    assert problem.cause == "unknown"
    assert "it depends on no other service" in problem.ruled_out
    assert "its log is empty" in problem.ruled_out
    assert any(text.startswith("disk: ") for text in problem.ruled_out)


def test_an_old_log_says_nothing_of_a_service_that_somebody_stopped(context: Context) -> None:
    context.paths.logs.mkdir(parents=True)
    (context.paths.logs / "object-store.jsonl").write_text("address already in use\n")
    assert service(context, state="stopped", health="none").cause == "stopped"
    assert service(context, state="crash-loop", health="none").cause == "port-taken"


def test_who_stopped_a_service_is_in_the_audit_until_somebody_starts_it(context: Context) -> None:
    entry = '{{"timestamp": "2026-11-24T10:00:00Z", "actor": "ada", "operation": "{}", "detail": "object-store"}}\n'
    context.paths.state.mkdir()
    context.paths.audit.write_text(entry.format("up") + entry.format("stop"))
    problem = service(context, state="stopped", health="none")
    assert problem.summary == "object-store was stopped by hand."
    assert problem.evidence[0].text.startswith("ada with `dataflow stop`")
    context.paths.audit.write_text(entry.format("stop") + entry.format("up"))
    assert service(context, state="stopped", health="none").summary == "object-store is stopped."


def test_a_refused_plan_comes_before_a_platform_that_is_merely_down(context: Context) -> None:
    down = Observation(False)
    assert [one.cause for one in platform_problems(looked(context, observed=down))] == ["not-up"]
    refused = ConfigurationError("no", code="COMPOSE_INVALID", place=Place(Path("compose.override.yaml"), 3))
    found = platform_problems(looked(context, observed=down, refused=refused))
    assert [(one.cause, one.evidence[0].text) for one in found] == [
        ("configuration-invalid", "compose.override.yaml:3")
    ]
    taken = PortTakenError("object-store", 8333, "nginx (pid 7)", 8334)
    assert platform_problems(looked(context, observed=down, refused=taken)) == []
    down_engine = looked(context, observed=Observation(False, trouble="It does not answer."),
                         refused=MissingError("no", code="ENGINE_DOWN"))  # fmt: skip
    assert [one.cause for one in platform_problems(down_engine)] == ["engine-down"]


def test_a_broken_workflow_is_one_problem_with_all_its_findings(context: Context) -> None:
    path = context.paths.workflows / "sales" / "config.yaml"
    findings = tuple(Finding("unknown-key", f"No {key}.", Place(path, line)) for line, key in ((2, "x"), (5, "y")))
    (problem,) = workflow_problems(looked(context, workflows=Catalogue((), findings)))
    assert (problem.subject, problem.cause) == (Subject("workflow", "sales"), "workflow-broken")
    assert [fact.text for fact in problem.evidence if fact.label == "at"] == [
        "workflows/sales/config.yaml:2",
        "workflows/sales/config.yaml:5",
    ]


def run_seen(state: Any, error: str | None = None, **more: Any) -> RunSeen:
    steps = (StepRun("load", "failure", NOW, 1.0, error),) if error else ()
    return RunSeen(Run("0123456789", "sales", state, NOW, NOW, NOW), Progress(steps, more.pop("checks", ())), **more)


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        (run_seen("failure", "ValueError: on fire"), "step-failed"),
        (run_seen("failure", "https://x.example does not answer (ConnectError)"), "source-down"),
        (run_seen("failure", "IO Error: Could not set lock on file"), "warehouse-locked"),
        (run_seen("failure", "The object store at x does not answer (y)"), "store-down"),
        (run_seen("failure", "password authentication failed"), "bad-password"),
        (run_seen("failure", "Failure in test unique_id"), "dbt-test-failed"),
        (run_seen("failure"), "unknown"),
        (run_seen("success", checks=(CheckOutcome("t:holds", passed=False),)), "check-failed"),
        (run_seen("success", checks=(CheckOutcome("t:holds", passed=True),)), None),
        (run_seen("canceled"), "run-cancelled"),
        (run_seen("queued"), "queue-wait"),
        (run_seen("running", blocked="duckdb"), "pool-wait"),
        (run_seen("running"), None),
    ],
)
def test_a_run_is_recognised(context: Context, seen: RunSeen, cause: str | None) -> None:
    problem = run_problem(looked(context), seen)
    assert (problem.cause if problem else None) == cause
    if problem:
        assert 1 <= len(problem.actions) <= 3


def test_a_run_that_failed_without_a_reason_says_what_was_ruled_out(context: Context) -> None:
    problem = run_problem(looked(context, services=statuses(web="ok")), run_seen("failure"))
    assert problem is not None
    assert "services that are well: web" in problem.ruled_out


def test_every_cause_is_in_the_table_of_the_guide_and_no_other() -> None:
    page = (ROOT / "docs" / "how-to" / "why.md").read_text()
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == set(CAUSES)
