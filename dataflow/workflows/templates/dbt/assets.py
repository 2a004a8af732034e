"""The Dagster side: every dbt model is an asset, every dbt test a check."""

from __future__ import annotations

from pathlib import Path

from dataflow.workflows.dbt import dbt_models
from dataflow.workflows.manifest import load_manifest

from .settings import Settings

FOLDER = Path(__file__).parent

settings = load_manifest(FOLDER, Settings).settings
models = dbt_models(FOLDER / "dbt", workflow="workflow_name", variables={"smallest_amount": settings.smallest_amount})

assets = [models]
checks = []
