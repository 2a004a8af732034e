"""Everything the dashboard can do: one registry that feeds the keys, the footer, the palette and the help."""
