"""The dashboard's budgets: figures are printed beside what they should be, nothing fails on a time."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from dataflow.models import LogLine
from dataflow.operations.logs import LogQuery
from dataflow_tui.demo.platform import DemoPlatform
from tests.conftest import COMMAND
from tests.tui.driving import Faulty, Seat, drive
from tests.tui.terminal import Terminal

pytestmark = pytest.mark.bench

BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("READY")
Bare().run()
"""


def tell(what: str, figure: float, unit: str, budget: float) -> None:
    print(f"\n{what:<52} {figure:8.2f} {unit:<3} (budget {budget:g})")


def opened(command: list[str], cwd: Path) -> Terminal:
    return Terminal(command, cwd=cwd, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})


def test_first_paint_against_a_bare_textual_app(tmp_path: Path) -> None:
    ours, usable, bare = [], [], []
    for _ in range(5):
        terminal = opened([*COMMAND, "tui", "--demo"], tmp_path)
        terminal.sees("Overview")
        ours.append(time.monotonic() - terminal.began)
        terminal.sees("q Quit")
        usable.append(time.monotonic() - terminal.began)
        terminal.kill()
        terminal = opened([sys.executable, "-c", BARE], tmp_path)
        terminal.sees("READY")
        bare.append(time.monotonic() - terminal.began)
        terminal.kill()
    tell("first paint", statistics.median(ours), "s", 0.6)
    tell("interactive", statistics.median(usable), "s", 1.0)
    tell("first paint against a bare Textual app", statistics.median(ours) / statistics.median(bare), "x", 2)


def test_idle_cpu_and_quit(tmp_path: Path) -> None:
    terminal = opened([*COMMAND, "tui", "--demo", "--view", "services"], tmp_path)
    terminal.sees("q Quit", "object-store")
    terminal.look(3)
    process = psutil.Process(terminal.pid)
    before = sum(process.cpu_times()[:2])
    began = time.monotonic()
    terminal.look(15)
    used = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)
    tell("idle: percent of a processor", used * 100, "%", 2)
    began = time.monotonic()
    terminal.press("q")
    terminal.ended()
    tell("quit", time.monotonic() - began, "s", 1)


class Torrent(DemoPlatform):
    """Many lines at once, then so many a second."""

    def __init__(self, first: int, rate: float) -> None:
        super().__init__(pace=0)
        self.first, self.per_second = first, rate

    def follow_logs(self, query: LogQuery, over: Callable[[], bool]) -> Iterator[LogLine]:
        text = "PUT /lake/nightscout/raw/entries/5c2eab1145785c1dc5606b83.parquet 200 in 12 ms, request "
        for number in range(self.first):
            yield LogLine(datetime.now(UTC), "info", f"{text}{number}", "object-store")
        told, began = 0, time.monotonic()
        while not over():
            for _ in range(int((time.monotonic() - began) * self.per_second) - told):
                told += 1
                yield LogLine(datetime.now(UTC), "info", f"{text}{told}", "object-store")
            time.sleep(0.02)


def test_lag_while_following_5000_lines_a_second() -> None:
    lags: list[float] = []

    async def act(seat: Seat) -> None:
        await seat.press("3")
        await seat.until(lambda: len(seat.app.view_of("logs").buffer) > 10_000)
        for _ in range(400):
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            lags.append(time.perf_counter() - began - 0.01)

    drive(act, Torrent(10_000, 5_000))
    tell("lag while following 5,000 lines/s, p95", statistics.quantiles(lags, n=20)[-1] * 1000, "ms", 50)
    tell("lag while following 5,000 lines/s, most", max(lags) * 1000, "ms", 200)


MEMORY = """
import asyncio, os, psutil, sys
from tests.bench.test_bench_tui import Torrent
from tests.tui.driving import drive
async def act(seat):
    await seat.press("3")
    await seat.until(lambda: len(seat.app.view_of("logs").buffer) >= 200_000)
    await asyncio.sleep(1)
    print(psutil.Process(os.getpid()).memory_info().rss / 1e6)
drive(act, Torrent(200_000, 1))
"""


def test_memory_with_200_000_lines() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", MEMORY], cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    tell("memory with 200,000 lines (with the test's own)", float(done.stdout), "MB", 120)


def test_search_in_200_000_lines() -> None:
    times: dict[str, float] = {}

    async def act(seat: Seat) -> None:
        await seat.press("3")
        logs = seat.app.view_of("logs")
        await seat.until(lambda: len(logs.buffer) >= 200_000)
        for text in ("request 199999", "Request 1234"):
            began = time.perf_counter()
            logs._find(text)
            while "so far" in logs._search.words(0):
                await asyncio.sleep(0)
            times[text] = time.perf_counter() - began

    drive(act, Torrent(200_000, 1))
    tell("search in 200,000 lines, all counted, any case", times["request 199999"], "s", 1)
    tell("search in 200,000 lines, all counted, exact", times["Request 1234"], "s", 1)


def test_switching_views() -> None:
    times: list[float] = []

    async def act(seat: Seat) -> None:
        await seat.until(seat.app._complete.is_set)
        for view in ("services", "logs", "workflows", "data", "alerts", "overview") * 4:
            shown = asyncio.Event()
            began = time.perf_counter()
            seat.app.go(view)
            seat.app.call_after_refresh(shown.set)
            await shown.wait()
            times.append(time.perf_counter() - began)
            await asyncio.sleep(0.3)

    drive(act, DemoPlatform(pace=0))
    tell("view switch, median of revisits", statistics.median(times[6:]) * 1000, "ms", 60)


def test_quit_with_everything_hung() -> None:
    platform = Faulty(DemoPlatform(pace=0))
    held = [platform.hold(name) for name in ("status", "why", "runs", "tables", "workflows", "follow_logs")]
    began = 0.0

    async def act(seat: Seat) -> None:
        nonlocal began
        for key in "123456":
            await seat.press(key)
        await asyncio.sleep(1)
        began = time.perf_counter()
        await seat.press("q")
        await seat.until(lambda: seat.app._exit)

    drive(act, platform)
    tell("quit with every source hung", time.perf_counter() - began, "s", 1)
    for event in held:
        event.set()
