"""Use cases: (Context, options, report) -> a frozen result. Every face calls these and nothing below."""
