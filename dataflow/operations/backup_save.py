"""Save every part of the platform into a backup's folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataflow.engines.compose import overrides
from dataflow.events import Report, StepChanged
from dataflow.operations import backup_format, backup_parts
from dataflow.operations.backup_format import Part, PartName
from dataflow.operations.context import Context
from dataflow.operations.quiet import has_databases, has_history, has_objects
from dataflow.system.files import mapped_os_errors

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Saver:
    """Each method writes one part to `target` and returns what it holds; None where the project has no such part."""

    context: Context
    passphrase: str | None
    report: Report

    def save(self, folder: Path) -> list[Part]:
        """Every part, told of as it is done. Raises OperationFailedError DISK_FULL, HISTORY_FAILED, POSTGRES_FAILED."""
        parts: list[Part] = []
        for name, file, save in self._work:
            self.report(StepChanged(name, "started", "saving"))
            with mapped_os_errors(folder / file):
                facts = save(folder / file)
            if facts is None:
                self.report(StepChanged(name, "skipped", "there is none"))
            else:
                part = backup_format.part_of(name, folder / file, facts)
                parts.append(part)
                self.report(StepChanged(name, "done", f"{part.bytes:,} bytes"))
        return parts

    @property
    def _work(self) -> tuple[tuple[PartName, str, Callable[[Path], Facts | None]], ...]:
        return (
            ("warehouse", "warehouse.duckdb", self._warehouse),
            ("objects", "objects.tar", self._objects),
            ("history", "history.jsonl.gz", self._history),
            ("files", "files.tar", self._files),
            ("databases", "databases.tar", self._databases),
            ("configuration", "configuration.tar", self._configuration),
            ("secrets", "secrets.bin", self._secrets),
        )

    def _warehouse(self, target: Path) -> Facts | None:
        warehouse = self.context.warehouse
        return backup_parts.save_warehouse(warehouse, target) if warehouse.exists() else None

    def _objects(self, target: Path) -> Facts | None:
        if not has_objects(self.context):
            return None
        return backup_parts.save_objects(self.context.store(), target, self.report)

    def _history(self, target: Path) -> Facts | None:
        if not has_history(self.context):
            return None
        scratch = self.context.paths.run / "history.jsonl.gz"  # where a container can write
        facts = self.context.engine.carrier.history("export", scratch)
        shutil.move(scratch, target)
        return facts

    def _files(self, target: Path) -> Facts:
        return backup_parts.save_files(self.context.paths, target)

    def _databases(self, target: Path) -> Facts | None:
        if not has_databases(self.context):
            return None
        self.context.engine.carrier.dump_databases(target)
        return {}

    def _configuration(self, target: Path) -> Facts:
        paths = self.context.paths
        return backup_parts.save_configuration(paths, overrides(paths.root), target)

    def _secrets(self, target: Path) -> Facts | None:
        env = self.context.paths.env
        if self.passphrase is None or not env.exists():
            return None
        target.write_bytes(backup_format.seal(env.read_text(encoding="utf-8"), self.passphrase))
        return {}
