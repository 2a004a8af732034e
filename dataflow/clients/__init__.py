"""One outside API each: typed, silent."""
