"""The machine: the disk that the project's state lies on, and memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from dataflow.operations.exporter.metrics import Reading


class MachineSource:
    """Readings of the machine, or of what a container sees of it."""

    name = "machine"
    every = 2.0

    def __init__(self, state: Path) -> None:
        self._state = state

    def read(self) -> Iterator[Reading]:
        """Disk and memory."""
        import psutil

        disk = shutil.disk_usage(self._state)
        memory = psutil.virtual_memory()
        yield Reading("dataflow_disk_size_bytes", (), disk.total)
        yield Reading("dataflow_disk_free_bytes", (), disk.free)
        yield Reading("dataflow_memory_size_bytes", (), memory.total)
        yield Reading("dataflow_memory_available_bytes", (), memory.available)
