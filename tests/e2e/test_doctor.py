"""`dataflow doctor` and `support` on a platform that is up."""

from __future__ import annotations

import json
import os
import signal
import tarfile

import pytest

from tests.conftest import Project
from tests.e2e.conftest import eventually, mine

pytestmark = pytest.mark.e2e


def test_a_platform_that_is_up_passes_within_the_budget(platform: Project) -> None:
    called = platform.call("doctor", "--json")
    assert called.code == 0, called.out
    found = {one["name"]: one for one in called.data["checks"]}
    assert called.data["seconds"] < 3
    assert "held by this platform, 0 free" in found["ports"]["message"]
    assert found["running"]["state"] == found["sockets"]["state"] == found["warehouse"]["state"] == "pass"


def test_the_bundle_has_the_runs_and_no_credential(platform: Project) -> None:
    called = platform.call("support", "--json")
    assert (called.code, called.data["left_out"]) == (0, []), called.out
    with tarfile.open(called.data["path"]) as tar:
        found = {member.name.partition("/")[2]: tar.extractfile(member) for member in tar}
        texts = {name: file.read().decode() for name, file in found.items() if file}
    assert "nightscout" in {one["run"]["workflow"] for one in json.loads(texts["runs.json"])}
    assert {"logs/object-store.log", "logs/dagster-daemon.log", "plan.json", "status.json"} <= set(texts)
    for line in (platform.root / ".env").read_text().splitlines():
        if line.startswith("DATAFLOW_"):
            assert not any(line.partition("=")[2] in text for text in texts.values()), line


def test_a_platform_whose_supervisor_was_killed_fails_until_up(own: Project) -> None:
    own.write(  # a service that never writes: another one ends when it writes its next line to nobody
        "compose/services/mute/compose.yaml",
        "x-dataflow:\n  label: mute\n  group: application\n  native: {program: sleep, arguments: ['600']}\n",
    )
    assert own.call("up", "mute").code == 0
    running = mine(own)
    keepers = [pid for pid, command in running.items() if "dataflow.engines.keeper" in command]
    supervisors = [pid for pid, command in running.items() if any(word.endswith("/supervisord") for word in command)]
    assert (len(keepers), len(supervisors)) == (1, 1)
    for pid in (*keepers, *supervisors):  # a keeper would start another supervisor
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: own.call("doctor", "platform").code == 1, 20, "doctor sees that nothing supervises")
    called = own.call("doctor", "platform", "--json")
    assert called.data["checks"][0]["command"] == "dataflow up"
    assert own.call("down").code == 0
    assert own.call("doctor", "state").code == 0
