"""Known secrets, however they are written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataflow.shared.redaction import Redactor, passwords_in


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=6, max_size=30))
def test_a_known_value_is_never_left_in_a_text(secret: str) -> None:
    assert secret not in Redactor([secret]).text(f"a {secret} b") or secret in "a *** b"


def test_the_longest_value_goes_first() -> None:
    assert Redactor(["abcd", "abcdefgh"]).text("x abcdefgh abcd") == "x *** ***"


def test_data_is_redacted_where_it_is_still_whole() -> None:
    redactor = Redactor(['pa"ss\\word', "123456"])
    data = {"a": ['say pa"ss\\word'], "n": 123456, "ok": 7, "yes": True, "none": None, "api_token": "anything"}
    assert redactor.data(data) == {"a": ["say ***"], "n": "***", "ok": 7, "yes": True, "none": None, "api_token": "***"}


def test_a_value_that_is_too_short_stays() -> None:
    assert Redactor(["abc", ""]).text("abc") == "abc"


def test_passwords_are_found_in_urls() -> None:
    assert list(passwords_in("postgresql://u:p@ss@h/x and https://h/ and s3://k:v@h")) == ["p@ss", "v"]
