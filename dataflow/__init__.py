"""DATAFLOW: a whole data platform from one command, on a laptop, in CI and on a server."""

__version__ = "0.1.0"
