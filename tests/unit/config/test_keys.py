"""Tables of settings: what they are made of again from JSON."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from dataflow.config.keys import from_plain, to_plain
from dataflow.config.services import Probe, ServiceSpec

CROWD = """
import dataclasses, sys, threading
from dataflow.config.keys import from_plain

sys.setswitchinterval(1e-6)
for number in range(150):
    keys = [(f"key{key}", "dict[str, int] | None", None) for key in range(9)]
    inner = dataclasses.make_dataclass(f"Inner{number}", keys)
    outer = dataclasses.make_dataclass(f"Outer{number}", [("inner", inner), ("names", "tuple[str, ...]")])
    start = threading.Barrier(6)

    def read():
        start.wait()
        assert from_plain({"inner": {"key1": {"a": 1}}, "names": ["x"]}, outer).names == ("x",)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print("read")
"""


def test_a_service_comes_out_as_it_went_in() -> None:
    spec = ServiceSpec(name="web", label="Web", group="application", folder=Path("/p"), health=Probe(tcp="http"))
    assert from_plain(to_plain([spec]), tuple[ServiceSpec, ...]) == (spec,)
    assert dataclasses.is_dataclass(spec.health)


def test_what_another_release_wrote_is_refused() -> None:
    with pytest.raises(ValueError, match="label"):
        from_plain({"name": "web"}, ServiceSpec)


def test_many_threads_may_read_the_same_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", CROWD], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "read\n"), done.stderr
