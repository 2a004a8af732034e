"""The exporter: what only this platform knows of itself, as Prometheus metrics, on both engines.

Sources read one back end each and give readings; the collector asks them side by side, so that one that is down costs
its own metrics only; the server shows the readings to Prometheus and takes Alertmanager's words for the local file.
No module here imports dagster, duckdb or pyarrow: the process stays small.
"""
