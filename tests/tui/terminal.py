"""A real terminal for the dashboard: a pseudo-terminal and an emulator of its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte

KEYS = {"enter": "\r", "escape": "\x1b", "ctrl+r": "\x12", "down": "\x1b[B", "up": "\x1b[A", "ctrl+c": "\x03"}


class Terminal:
    """A program in a terminal of its own."""

    def __init__(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], size: tuple[int, int] = (120, 36)
    ) -> None:
        width, height = size
        self._screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self._screen)
        self.began = time.monotonic()
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execvpe(command[0], list(command), {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    @property
    def screen(self) -> str:
        """What stands on it now."""
        return "\n".join(self._screen.display)

    def press(self, *keys: str) -> None:
        for key in keys:
            os.write(self._file, KEYS.get(key, key).encode())
            self.look(0.5 if key == "escape" else 0.05)  # a key right behind it would be alt and that key

    def type(self, text: str) -> None:
        for letter in text:
            self.press(letter)

    def look(self, seconds: float) -> None:
        """Take what the program writes for a time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._file], [], [], min(left, 0.05))[0]:
                try:
                    self._stream.feed(os.read(self._file, 65536))
                except OSError:  # the other end is closed: it has ended
                    return

    def until(self, check: Callable[[str], bool], timeout: float, what: str) -> float:
        """Wait until the screen is so; the seconds that took."""
        began = time.monotonic()
        while not check(self.screen):
            assert time.monotonic() - began < timeout, f"not within {timeout} s: {what}\n{self.screen}"
            self.look(0.02)
        return time.monotonic() - began

    def sees(self, *texts: str, timeout: float = 60) -> float:
        """Wait until all of these stand on it."""
        return self.until(lambda screen: all(text in screen for text in texts), timeout, f"on the screen: {texts}")

    def ended(self, timeout: float = 20) -> int:
        """Wait until the program has ended; its exit code."""
        deadline = time.monotonic() + timeout
        while True:
            self.look(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, f"it goes on\n{self.screen}"

    def kill(self) -> None:
        """End it, if it has not ended."""
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return
