"""A platform that exists only in memory: for learning, screenshots and tests. No engine, no files, no network."""
