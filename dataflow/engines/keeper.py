"""Keep supervisord alive: start it, and when it is killed, end what it left behind and start it again.

Run as `python -m dataflow.engines.keeper SUPERVISORD_CONF`. If the keeper itself is killed, supervisord and all
services go on; so no single death takes the platform down.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from dataflow.config.marks import MARKER, WORKER
from dataflow.system.process import end, has_variable, interact, marked, program_beside

_FAST_DEATH = 5.0
_MOST_FAST_DEATHS = 5


def keep(conf: Path) -> int:
    """Run supervisord until it ends on purpose. Returns its exit code."""
    fast = 0
    while True:
        began = time.monotonic()
        code = interact([program_beside("supervisord"), "-n", "-c", str(conf)])
        # A signal that kills (-9) is a death; -15, 0 and an error in its configuration are ends.
        if code not in {-signal.SIGKILL, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS}:
            return code
        fast = fast + 1 if time.monotonic() - began < _FAST_DEATH else 0
        if fast >= _MOST_FAST_DEATHS:
            return 1
        end(orphans(), grace=5)


def orphans() -> list[int]:
    """Processes of this platform except ourselves and running workflows, which need no supervisor."""
    return [pid for pid in marked(MARKER, os.environ[MARKER]) if not has_variable(pid, WORKER)]


if __name__ == "__main__":
    sys.exit(keep(Path(sys.argv[1])))
