"""Workflows: what one is, how it is found, how it runs."""
