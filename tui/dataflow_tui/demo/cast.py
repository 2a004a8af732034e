"""Who plays in the demo: services and workflows, as a small shop's platform has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dataflow.models import AssetNode, Parameter, WorkflowInfo

ROOT = Path("acme-shop")


@dataclass(frozen=True, slots=True)
class Part:
    """One service of the demo. `needs`: what must run for it to be healthy."""

    name: str
    label: str
    group: str
    port: int | None
    memory: int
    cpu: float
    image: str
    needs: tuple[str, ...] = ()
    page: bool = False


_OURS = "dataflow-dagster:dev"
_CODE = ("dagster-code",)
_SEEN = ("loki", "prometheus")
PARTS: tuple[Part, ...] = (
    Part("object-store", "Object store", "storage", 8333, 143, 1.1, "chrislusf/seaweedfs:4.48", page=True),
    Part("postgres", "Postgres", "storage", 5432, 61, 0.6, "postgres:17"),
    Part("dagster-code", "Dagster code server", "orchestration", 4000, 318, 0.9, _OURS, ("postgres",)),
    Part("dagster-webserver", "Dagster", "orchestration", 3000, 402, 2.4, _OURS, _CODE, page=True),
    Part("dagster-daemon", "Dagster daemon", "orchestration", None, 371, 3.2, _OURS, _CODE),
    Part("loki", "Loki", "observability", 3100, 97, 1.4, "grafana/loki:3.7.8"),
    Part("alloy", "Log collector", "observability", None, 88, 0.8, "grafana/alloy:v1.19.0", ("loki",)),
    Part("prometheus", "Prometheus", "observability", 9090, 76, 0.5, "prom/prometheus:v3.14.0", page=True),
    Part("alertmanager", "Alertmanager", "observability", 9093, 24, 0.1, "prom/alertmanager:v0.34.0", page=True),
    Part("grafana", "Grafana", "observability", 3001, 112, 0.7, "grafana/grafana:13.0.1", _SEEN, page=True),
    Part("exporter", "Platform metrics", "observability", 9187, 48, 0.3, _OURS),
)
CRASHED = "loki"
"""The service that has crashed when the demo begins: there is something to find out."""


def _workflow(
    name: str, description: str, assets: tuple[str, ...], *, schedule: str | None, **more: object
) -> WorkflowInfo:
    graph = tuple(AssetNode(key, assets[max(number - 1, 0) : number]) for number, key in enumerate(assets))
    folder = ROOT / "workflows" / name
    return WorkflowInfo(name, description, folder, schedule=schedule, assets=assets, graph=graph, **more)  # pyright: ignore[reportArgumentType]


WORKFLOWS: tuple[WorkflowInfo, ...] = (
    _workflow(
        "nightscout",
        "Loads glucose readings, and computes daily figures.",
        ("raw/entries", "staging/entries", "marts/nightscout_daily"),
        schedule="15 6 * * *",
        owner="data@acme.example",
        tags=("health", "daily"),
        requires=("object-store",),
        checks=("marts/nightscout_daily:coverage",),
        parameters=(
            Parameter("days", "integer", 90, "How many days back it loads"),
            Parameter("source_url", "string", "https://example.com/api", "Where the readings come from"),
            Parameter("full_refresh", "boolean", False, "Load everything anew"),
            Parameter("since", "date", None, "The first day"),
        ),
    ),
    _workflow(
        "orders",
        "Loads the shop's orders every hour.",
        ("raw/orders", "raw/customers", "staging/orders", "marts/revenue", "marts/customers"),
        schedule="0 * * * *",
        owner="shop@acme.example",
        tags=("shop",),
        requires=("object-store", "postgres"),
        checks=("marts/revenue:not_negative", "marts/customers:unique"),
        parameters=(Parameter("limit", "integer", None, "At most so many orders"),),
    ),
    _workflow(
        "weather", "Fetches the weather of the shop's towns.", ("raw/weather", "marts/weather_daily"), schedule=None
    ),
)
STEPS: dict[str, tuple[tuple[str, float], ...]] = {
    "nightscout": (("raw__entries", 2.5), ("staging__entries", 1.5), ("marts__nightscout_daily", 2.0)),
    "orders": (
        ("raw__orders", 2.0),
        ("raw__customers", 1.0),
        ("staging__orders", 1.5),
        ("marts__revenue", 1.0),
        ("marts__customers", 0.8),
    ),
    "weather": (("raw__weather", 1.5), ("marts__weather_daily", 1.0)),
}
