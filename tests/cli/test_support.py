"""`dataflow support`: everything that helps, and no byte of a secret."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conftest import Called, Project, add_workflow

NOWHERE = "unix:///nowhere/docker.sock"
STRANGE = 'p"a\\s/wörd%+1'
SECRETS = {
    "DATAFLOW_S3_SECRET_KEY": "s3secretvalue0001",
    "DATAFLOW_POSTGRES_PASSWORD": STRANGE,
    "PIN_OF_THE_DOOR": "nosecretname77",
    "SOURCE_URL": "https://reader:urlpassw0rd@example.org/feed",
}
FROM_ENVIRONMENT = "environmenttoken42"
OLD = "commentedsecret9"
ALONE_IN_TOML = "tokenintoml31"
PLANTED = [*SECRETS.values(), "urlpassw0rd", FROM_ENVIRONMENT, OLD, ALONE_IN_TOML]


def files(called: Called) -> dict[str, str]:
    """The bundle's files by name."""
    with tarfile.open(called.data["path"]) as tar:
        found = {member.name.partition("/")[2]: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: file.read().decode() for name, file in found.items() if file}


def assert_clean(called: Called) -> None:
    """No secret in any form: neither in the archive, nor in what is printed."""
    packed = Path(called.data["path"])
    with tarfile.open(packed) as tar:
        names = " ".join(tar.getnames())
    everything = packed.read_bytes() + (names + "".join(files(called).values()) + called.out + called.err).encode()
    for secret in PLANTED:
        forms = [secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret, safe="")]
        for form in [*forms, base64.b64encode(secret.encode()).decode()]:
            assert form.encode() not in everything, form


@pytest.fixture
def planted(project: Project) -> Project:
    """Secrets everywhere."""
    lines = [f"{name}={value}" for name, value in SECRETS.items() if value != STRANGE]
    lines += [f"DATAFLOW_POSTGRES_PASSWORD='{STRANGE}'".replace("\\", "\\\\"), f"# OLD_PASSWORD={OLD}"]
    project.write(".env", "\n".join(lines) + "\n").chmod(0o600)
    add_workflow(project, "w", manifest="version: 1\nsecrets: [{name: API_ACCESS}]\n")
    project.write(
        "dataflow.toml",
        f'name = "tests"\n[services.loki]\nimage = "registry.example/{SECRETS["DATAFLOW_S3_SECRET_KEY"]}:1"\n'
        f'[services.grafana]\nimage = "registry.example/x?token={ALONE_IN_TOML}"\n',
    )
    text = "".join(
        f"{json.dumps({'message': f'connect with {secret} at once'})}\nplain {secret} {quote(secret, safe='')}\n"
        f"basic {base64.b64encode(secret.encode()).decode()} {json.dumps(json.dumps(secret))}\n"
        for secret in PLANTED
        if secret != ALONE_IN_TOML
    )
    project.write(".dataflow/logs/object-store.jsonl", text)
    project.write(".dataflow/logs/runs/0a1b.jsonl", text)
    project.write(".dataflow/audit.jsonl", text)
    project.write(".dataflow/stack.json", json.dumps({"version": 1, "engine": "native", "variables": {"X": "adigest"}}))
    return project


def test_no_byte_of_the_bundle_holds_a_secret(planted: Project) -> None:
    called = planted.call("support", "--json", API_ACCESS=FROM_ENVIRONMENT)
    assert called.code == 0, called.out
    assert_clean(called)
    found = files(called)
    assert "connect with *** at once" in found["logs/object-store.log"]
    assert "connect with *** at once" in found["runs/0a1b.jsonl"]
    assert "***" in found["audit.jsonl"]
    assert "adigest" not in found["stack.json"]
    values = {value["key"]: value for value in json.loads(found["configuration.json"])["values"]}
    assert values["services.loki.image"]["value"] == "registry.example/***:1"
    assert values["name"]["origin"] == "dataflow.toml"
    assert "PIN_OF_THE_DOOR" in json.loads(found["environment.json"])["env_file"]
    assert json.loads(found["status.json"])["state"] == "down"
    assert json.loads(found["doctor.json"])["summary"]
    assert json.loads(found["plan.json"])["actions"]
    assert json.loads(found["versions.json"])["packages"]["dagster"]


def test_the_bundle_is_the_owners_alone_and_goes_where_it_is_asked_to(planted: Project, tmp_path: Path) -> None:
    there = tmp_path / "there"
    called = planted.call("support", str(there), "--json")
    assert (called.code, called.error["code"]) == (2, "FOLDER_MISSING")
    there.mkdir()
    called = planted.call("support", str(there))
    (path,) = there.iterdir()
    assert str(path) in called.out
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_works_without_docker_and_says_so(planted: Project) -> None:
    called = planted.call(
        "support", "--json", DATAFLOW_ENGINE="docker", DOCKER_HOST=NOWHERE, API_ACCESS=FROM_ENVIRONMENT
    )
    assert called.code == 0, called.out
    assert_clean(called)
    assert {one["part"] for one in called.data["left_out"]} >= {"status", "plan", "logs of containers"}
    assert NOWHERE in files(called)["README.txt"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dataflow.toml", "name = \n"),
        (".env", f"DATAFLOW_POSTGRES_PASSWORD='{STRANGE}\nAPI_ACCESS {FROM_ENVIRONMENT}\n"),
    ],
)
def test_it_works_when_the_configuration_is_invalid_and_says_so(planted: Project, name: str, text: str) -> None:
    before = "" if name == "dataflow.toml" else (planted.root / ".env").read_text()
    planted.write(name, before + text)
    called = planted.call("support", "--json", API_ACCESS=FROM_ENVIRONMENT)
    assert called.code == 0, called.out
    assert_clean(called)
    found = files(called)
    assert name in json.loads(found["configuration.json"])["invalid"]["place"]
    assert "connect with ***" in found["logs/object-store.log"]
    assert [one["state"] for one in json.loads(found["doctor.json"])["checks"] if one["state"] == "fail"]


def test_a_secret_in_a_broken_line_stays_out(project: Project) -> None:
    project.write(".env", f"'oops {FROM_ENVIRONMENT}\n")
    project.write(".dataflow/logs/object-store.jsonl", f"it is {FROM_ENVIRONMENT}\n")
    called = project.call("support", "--json")
    assert called.code == 0, called.out
    assert_clean(called)
    assert "it is ***" in files(called)["logs/object-store.log"]


def test_every_line_of_a_secret_of_several_lines_stays_out(project: Project) -> None:
    project.write(".env", 'SIGNING="first-part-1\nsecond-part-2"\n')
    project.write(".dataflow/logs/object-store.jsonl", "it read second-part-2\n")
    called = project.call("support", "--json")
    with tarfile.open(fileobj=io.BytesIO(Path(called.data["path"]).read_bytes())) as tar:
        assert len(tar.getnames()) == len(called.data["files"])
    assert "it read ***" in files(called)["logs/object-store.log"]


def test_an_env_that_cannot_be_read_makes_no_bundle(project: Project) -> None:
    (project.root / ".env").mkdir()
    project.write(".dataflow/logs/object-store.jsonl", "who knows\n")
    called = project.call("support", "--json")
    assert (called.code, called.error["code"]) == (4, "FILE_UNREADABLE")
    assert list(project.root.glob("*.tar.gz")) == []
