"""Known secrets out of texts and data, however they are written: for what leaves this machine.

`masking` finds what looks like a secret; this also replaces each value that is known to be one, first and as a whole.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from dataflow.shared.masking import MASK, SECRET_NAME, mask

SHORTEST = 4
"""Characters of the shortest value that is replaced: a shorter one stands in every other word."""
_LINE = 8


class Redactor:
    """Replaces secrets by `***`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        written = {form for secret in secrets for form in _forms(secret)}
        longest_first = sorted((form for form in written if len(form) >= SHORTEST), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def known(self, text: str) -> str:
        """The text without the values that are known."""
        return self._known.sub(MASK, text) if self._known else text

    def text(self, text: str) -> str:
        """The text without known values, and without what looks like a secret."""
        return mask(self.known(text))

    def data(self, value: Any) -> Any:
        """JSON data the same way: keys, texts and numbers; the value of a key that names a secret goes as a whole."""
        match value:
            case dict():
                return {self.known(str(key)): self._named(str(key), item) for key, item in value.items()}
            case list():
                return [self.data(item) for item in value]
            case str():
                return self.text(value)
            case bool() | None:
                return value
            case _:
                return value if self.known(str(value)) == str(value) else MASK

    def _named(self, key: str, value: Any) -> Any:
        return MASK if isinstance(value, str) and value and SECRET_NAME.search(key) else self.data(value)


def passwords_in(text: str) -> Iterator[str]:
    """The passwords of the URLs in a text."""
    for found in re.finditer(r"://[^\s/:@]*:(?P<password>[^\s/]*)@", text):
        yield found["password"]


def _forms(secret: str) -> Iterator[str]:
    """A secret as logs, JSON in JSON, URLs, headers and Python write it. Of several lines, also each long one."""
    for text in dict.fromkeys([secret, *(line for line in secret.splitlines() if len(line) >= _LINE)]):
        once = json.dumps(text)[1:-1]
        yield from (text, once, json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(once)[1:-1])
        yield from (quote(text), quote(text, safe=""), quote_plus(text), repr(text)[1:-1])
        yield base64.b64encode(text.encode()).decode().rstrip("=")
