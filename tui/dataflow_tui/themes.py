"""Three themes, and what their colours mean. `NO_COLOR` is the terminal's wish and Textual obeys it."""

from __future__ import annotations

from textual.theme import Theme

from dataflow_tui.signs import Look

DARK = Theme(
    name="dataflow-dark",
    primary="#7aa2f7",
    secondary="#4f5b86",
    accent="#7dcfff",
    foreground="#d5daf0",
    background="#14161f",
    surface="#1b1e2b",
    panel="#262b3f",
    success="#9ece6a",
    warning="#e8b860",
    error="#ff7a90",
    dark=True,
    variables={"quiet": "#98a0bf", "busy": "#7dcfff"},
)
LIGHT = Theme(
    name="dataflow-light",
    primary="#2446b0",
    secondary="#8f9bc4",
    accent="#00627a",
    foreground="#1c2030",
    background="#fafbff",
    surface="#f0f2fa",
    panel="#dde2f2",
    success="#256b1d",
    warning="#855300",
    error="#b3122f",
    dark=False,
    variables={"quiet": "#565d78", "busy": "#00627a"},
)
CONTRAST = Theme(
    name="dataflow-contrast",
    primary="#ffff00",
    secondary="#ffffff",
    accent="#00ffff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1a1a1a",
    success="#00ff00",
    warning="#ffd700",
    error="#ff8080",
    dark=True,
    variables={"quiet": "#d0d0d0", "busy": "#00ffff"},
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT, CONTRAST)}


def look_of(theme: Theme) -> Look:
    """What the colours of a theme mean; a theme of somebody else's has its own words for some."""
    fore = theme.foreground or ("#e0e0e0" if theme.dark else "#1e1e1e")
    back = theme.background or ("#121212" if theme.dark else "#ffffff")
    return Look(
        good=theme.success or theme.primary,
        warn=theme.warning or theme.primary,
        bad=theme.error or theme.primary,
        busy=theme.variables.get("busy") or theme.accent or theme.primary,
        quiet=theme.variables.get("quiet") or fore,
        accent=theme.accent or theme.primary,
        text=fore,
        back=back,
    )
