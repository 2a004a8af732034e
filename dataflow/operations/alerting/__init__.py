"""Alerts: rules as data, their evaluation where there is no Prometheus, silences, and who is told.

`rules.toml` is the one place where rules are written: `rules.yml` for Prometheus is made from it, and the native
engine evaluates it itself. See docs/adr/0012.
"""
