"""Names in the environment of processes, by which they are found again. Apart from the rest: the keeper starts fast."""

from __future__ import annotations

MARKER = "DATAFLOW_STACK"
"""Stands in the environment of everything that belongs to a running platform, with the stack's id as value."""

WORKER = "DATAFLOW_WORKER"
"""Stands in the environment of a run's own process, with the run's id as value."""
