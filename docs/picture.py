# noqa: INP001 - a script beside the pages, not a package
"""Draw docs/how-to/dashboard.svg: the demo's overview, as a terminal of 110 by 32 shows it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from dataflow_tui.app import Dashboard
from dataflow_tui.demo.platform import DemoPlatform

_PICTURE = Path(__file__).parent / "how-to" / "dashboard.svg"
_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_SAMPLES = 8


async def _draw() -> str:
    app = Dashboard(DemoPlatform(pace=0))
    async with app.run_test(size=(110, 32)) as pilot:
        for _ in range(_SAMPLES):
            app.wake()
            await pilot.pause(0.4)
        return app.export_screenshot(title="dataflow tui --demo")


def main() -> None:
    """Draw it, with the reader's own fonts: nothing is fetched from elsewhere."""
    picture = _FONTS.sub("", asyncio.run(_draw())).replace("Fira Code", "ui-monospace")
    _PICTURE.write_text("\n".join(line.rstrip() for line in picture.splitlines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
