"""Dagster's entry point: the definitions of every workflow of the project in DATAFLOW_PROJECT_DIR."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from dataflow.workflows.discovery import discover, merged

_project = Path(os.environ.get("DATAFLOW_PROJECT_DIR", Path.cwd()))
_discovery = discover(_project / "workflows")
for _finding in _discovery.findings:
    logging.getLogger("dataflow.workflows").error("%s: %s", _finding.place, _finding.message)

defs = merged(_discovery)
