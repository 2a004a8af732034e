"""Results for people: one module per noun, no decisions."""
