"""The dashboard on a Docker Engine: a service of a small project comes up, talks, restarts and goes down in it."""

from __future__ import annotations

from tests.conftest import COMMAND, Project
from tests.engine.conftest import add, containers
from tests.tui.terminal import Terminal

TALKS = "touch /tmp/ready; echo hello from alpha; while sleep 1; do echo tick; done"


def test_containers_come_up_talk_restart_and_go_down(small: Project) -> None:
    add(small, "alpha", command=TALKS)
    terminal = Terminal([*COMMAND, "tui"], cwd=small.root, env=small.env())
    try:
        terminal.sees("docker", "○ down", "q Quit")
        terminal.press("U")
        terminal.sees("● up", "1 of 1 services", timeout=120)
        assert containers(small) == {"alpha": "running"}
        terminal.press("2")
        terminal.sees("alpha", "● running", "busybox:1.37")
        terminal.press("l")
        terminal.sees("asked: alpha", "hello from alpha", timeout=60)
        terminal.press("2")
        terminal.sees("r Restart")
        terminal.press("r")
        terminal.sees("restart alpha", "✓ done", timeout=60)
        terminal.press("D")
        terminal.sees("Take the whole platform down?")
        terminal.press("y")
        terminal.sees("○ down", "0 of 1 services", timeout=90)
        assert containers(small) == {}
        terminal.press("q")
        assert terminal.ended() == 0
    finally:
        terminal.kill()
