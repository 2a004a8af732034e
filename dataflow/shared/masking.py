"""Secrets out of text: for log lines, error messages and anything a person or a file gets to see."""

from __future__ import annotations

import os
import re

MASK = "***"
# A variable with such a name holds a secret; its value is masked wherever it appears.
SECRET_NAME = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|DSN", re.IGNORECASE
)
# Shorter values are words like `true` or `dev`, and masking those would eat ordinary text.
SHORTEST_SECRET = 6
WORD = r"(?:api[-_]?secret|api[-_]?key|access[-_]?key|secret[-_]?key|[a-z_]*token|password|passwd|pwd|secret|signature)"
ASSIGNED = r"['\"]?\s*[:=]\s*"
VALUE = r"(?:\"[^\"]*\"|'[^']*'|[^\s'\"&,;}\])]+)"
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in (
        (r"(\b[a-z][a-z0-9+.-]*://)[^\s/@:]*(?::[^\s/@]*)?@", rf"\1{MASK}@"),
        (rf"(authorization{ASSIGNED}['\"]?)(?:[a-z]+\s+)?[^\s'\",;}}\]]+", rf"\1{MASK}"),
        (r"\b(bearer|basic)\s+[\w+/=.~-]{8,}", rf"\1 {MASK}"),
        (rf"(\b{WORD}{ASSIGNED}){VALUE}", rf"\1{MASK}"),
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", MASK),
    )
)


def mask(text: str) -> str:
    """The text without secrets: values of secret-looking environment variables, URL credentials, tokens, headers."""
    for value in _secret_values():
        text = text.replace(value, MASK)
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _secret_values() -> list[str]:
    found = {value for name, value in os.environ.items() if SECRET_NAME.search(name) and len(value) >= SHORTEST_SECRET}
    return sorted(found, key=len, reverse=True)
