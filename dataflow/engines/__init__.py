"""Engines bring services up and down and observe them."""
