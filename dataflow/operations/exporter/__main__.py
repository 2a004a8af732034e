"""The exporter as a service: `python -m dataflow.operations.exporter native|docker HOST:PORT`."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataflow.config.paths import ProjectPaths
from dataflow.models import EngineName
from dataflow.operations.alerting.notices import append, notices_in
from dataflow.operations.alerting.watch import FILE, Watch
from dataflow.operations.exporter.server import application, serve
from dataflow.operations.exporter.sources import collector_of

log = logging.getLogger("dataflow.exporter")
_WARM_UP = 3.0  # seconds that the first look at everything may take before anybody is answered


class _Json(logging.Formatter):
    """Our JSON schema of log lines, without importing the pipeline for workflow code."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "service": "exporter",
            "logger": record.name,
        }
        return json.dumps(line)


def main(arguments: list[str]) -> int:
    """Serve until the process is ended."""
    engine: EngineName = "docker" if arguments[0] == "docker" else "native"
    host, _, port = arguments[1].rpartition(":")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Json())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    paths = ProjectPaths(Path(os.environ["DATAFLOW_PROJECT_DIR"]))
    collector = collector_of(engine, paths)
    collector.readings(_WARM_UP)
    if engine == "native":
        Watch(paths, os.environ, collector).start()
    log.info("answering on %s:%s", host, port)
    serve(application(collector, lambda message: _keep(paths, message)), host, int(port))
    return 0


def _keep(paths: ProjectPaths, message: dict[str, Any]) -> None:
    """Write what Alertmanager tells into the local file, unless the settings turned that off."""
    notices = notices_in(message)
    for notice in notices:
        log.info("%s %s: %s", notice.status, notice.alert, notice.summary)
    if os.environ.get("DATAFLOW_ALERTS_FILE", "true").lower() != "false":
        append(paths.state / FILE, notices)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
