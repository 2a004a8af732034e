"""What checks know and compare."""

from __future__ import annotations

import pytest

from dataflow.errors import MissingError
from dataflow.operations.checks import known
from dataflow.operations.checks.packages import satisfies
from dataflow.operations.checks.subject import Shared


@pytest.mark.parametrize(
    ("version", "spec", "fits"),
    [
        ("1.13.27", "==1.13.27", True),
        ("1.13.28", "==1.13.27", False),
        ("14.1.0", ">=14", True),
        ("14.0", "==14", True),
        ("2.0.0", "<2,>=1.5.5", False),
        ("1.5.5", "<2,>=1.5.5", True),
        ("3.9.1", "<3.14,>=3.11", False),
        ("0.29rc1", ">=0.29", True),
    ],
)
def test_versions_are_compared_by_number(version: str, spec: str, fits: bool) -> None:
    assert satisfies(version, spec) is fits


@pytest.mark.parametrize(
    ("reference", "name", "tag"),
    [
        ("postgres:17", "postgres", "17"),
        ("docker.io/library/postgres", "postgres", ""),
        ("localhost:5000/own/thing", "localhost:5000/own/thing", ""),
        ("quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z", "quay.io/minio/minio", "RELEASE.2025-09-07T16-13-09Z"),
        ("grafana/loki:3.7.8@sha256:abc", "grafana/loki", "3.7.8"),
    ],
)
def test_an_image_is_split_into_name_and_tag(reference: str, name: str, tag: str) -> None:
    assert known.split(reference) == (name, tag)


def test_the_table_knows_what_ended() -> None:
    found = {
        image: known.supply(image) for image in ("docker.io/minio/minio:x", "grafana/promtail:3.6.4", "postgres:14.2")
    }
    assert [risk.state if risk else None for risk in found.values()] == ["gone", "ended", "ended"]
    assert known.supply("postgres:17") is None
    assert known.supply("postgres:17-alpine") is None


def test_an_answer_is_asked_for_once_also_when_it_is_a_refusal() -> None:
    asked: list[int] = []

    def refuse() -> str:
        asked.append(1)
        raise MissingError("no")

    shared = Shared(refuse)
    for _ in range(2):
        with pytest.raises(MissingError):
            shared()
    assert len(asked) == 1
