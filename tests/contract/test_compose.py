"""The Compose files and the Dockerfile, without an engine: valid for every profile, pinned, hardened, nobody root."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dataflow.config.services import read_service
from tests.contract.conftest import ROOT

COMPOSE = ROOT / "compose"
FILES = sorted((COMPOSE / "services").glob("*/compose.yaml"))
PROFILES = ["", "observability", "dashboards", "all"]
CHOICES = [("seaweedfs", "alloy", "mounted"), ("minio", "promtail", "baked")]
NEEDED = dict.fromkeys(
    ("DATAFLOW_S3_ACCESS_KEY", "DATAFLOW_S3_SECRET_KEY", "DATAFLOW_POSTGRES_PASSWORD", "DATAFLOW_GRAFANA_PASSWORD"), "x"
)

needs_compose = pytest.mark.skipif(
    not shutil.which("docker")
    or bool(subprocess.run(["docker", "compose", "version"], capture_output=True).returncode),
    reason="docker compose is not here",
)


def config(
    *arguments: str, file: Path = ROOT / "docker-compose.yml", env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        ["docker", "compose", "--file", str(file), *arguments],
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **env}, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    empty = tmp_path_factory.mktemp("env") / "workflow.env"
    empty.write_text("")
    return {**NEEDED, "DATAFLOW_WORKFLOW_ENV": str(empty)}


@needs_compose
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("choice", CHOICES, ids="-".join)
@pytest.mark.parametrize("file", ["docker-compose.yml", "compose/compose.yaml"])
def test_every_profile_resolves(
    file: str, choice: tuple[str, str, str], profile: str, environment: dict[str, str]
) -> None:
    store, collector, code = choice
    env = {**environment, "DATAFLOW_OBJECT_STORE": store, "DATAFLOW_LOG_COLLECTOR": collector, "DATAFLOW_CODE": code}
    words = ["--profile", profile] if profile else []
    done = config(*words, "config", "-q", file=ROOT / file, env=env)
    assert (done.returncode, done.stderr) == (0, "")


@needs_compose
def test_without_credentials_it_says_what_to_do(environment: dict[str, str]) -> None:
    done = config("config", "-q", env={"DATAFLOW_WORKFLOW_ENV": environment["DATAFLOW_WORKFLOW_ENV"]})
    assert done.returncode
    assert "run dataflow up once" in done.stderr


@pytest.fixture(scope="module")
def resolved(environment: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for store, collector, code in CHOICES:
        env = {
            **environment,
            "DATAFLOW_OBJECT_STORE": store,
            "DATAFLOW_LOG_COLLECTOR": collector,
            "DATAFLOW_CODE": code,
        }
        found.append(json.loads(config("--profile", "*", "config", "--format", "json", env=env).stdout))
    return found


@needs_compose
def test_every_service_is_hardened_bounded_and_checked(resolved: list[dict[str, Any]]) -> None:
    jobs = {spec.name for file in FILES if (spec := read_service(file)) and spec.job}
    for project in resolved:
        for name, service in project["services"].items():
            assert service["init"] is True, name
            assert service["restart"] == ("no" if name in jobs else "unless-stopped"), name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
            assert int(service["mem_limit"]) > 0, name
            assert service["logging"]["options"].keys() >= {"max-size", "max-file"}, name
            assert ("healthcheck" in service) == (name not in jobs), name
            for port in service.get("ports", ()):
                assert port["host_ip"] == "127.0.0.1", name
            for volume in service.get("volumes", ()):
                if volume["type"] == "bind" and Path(volume["source"]).is_relative_to(COMPOSE):
                    assert volume.get("read_only"), (name, volume["source"])


@needs_compose
def test_what_waits_for_a_job_waits_until_it_is_done(resolved: list[dict[str, Any]]) -> None:
    jobs = {spec.name for file in FILES if (spec := read_service(file)) and spec.job}
    waited = set()
    for project in resolved:
        for name, service in project["services"].items():
            for other, how in service.get("depends_on", {}).items():
                if other in jobs:
                    waited.add(other)
                    assert how["condition"] == "service_completed_successfully", name
    assert waited == jobs


def test_every_image_is_pinned_to_one_version() -> None:
    for file in FILES:
        for image in re.findall(r"^    image: (?:\$\{\w+:-)?([^}\s]+)", file.read_text(), re.MULTILINE):
            name, _, tag = image.rpartition(":")
            assert name, image
            assert tag not in {"latest", "main", "edge"}, image
            assert re.search(r"\d", tag) or tag == "local", image


def test_the_blocks_agree_with_their_compose_halves() -> None:
    for file in FILES:
        spec = read_service(file)
        assert spec, file
        assert spec.container, file
        text = file.read_text()
        for profile in ("observability", "dashboards"):
            assert (f"{profile}," in text or f"[{profile}" in text) == (profile in spec.profiles), file
        for port in spec.container.published:
            assert spec.port_variable(port) in text


def test_the_two_instances_of_dagster_agree_but_for_history_and_runs() -> None:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    native = yaml.load(COMPOSE / "services" / "dagster-code" / "dagster.yaml")
    docker = yaml.load(COMPOSE / "dagster" / "dagster.yaml")
    differ = {key for key in native.keys() | docker.keys() if native.get(key) != docker.get(key)}
    assert differ == {"storage", "run_launcher", "local_artifact_storage", "compute_logs"}
    assert {key: native["run_launcher"][key] for key in ("module", "class")} == {
        key: docker["run_launcher"][key] for key in ("module", "class")
    }


# --- The image: the rules of hadolint that matter here ----------------------------------------------------------------

DOCKERFILE = COMPOSE / "services" / "dagster-code" / "Dockerfile"


def stages() -> dict[str, list[str]]:
    """The instructions of each stage, continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in filter(str.strip, text.splitlines()):
        if line.startswith("FROM"):
            found[line.split()[-1]] = []
        elif found:
            found[list(found)[-1]].append(" ".join(line.split()))
    return found


def test_the_base_is_pinned_and_so_is_what_builds() -> None:
    text = DOCKERFILE.read_text()
    assert "ARG PYTHON=python:3.13-slim-trixie\n" in text
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${PYTHON}", "${PYTHON}", "mounted"]
    assert re.search(r"pip install .*uv==\d", text)
    locked = (DOCKERFILE.parent / "requirements.txt").read_text()
    assert "--require-hashes" in text
    assert "dagster-postgres==0.29.27" in locked
    assert not re.search(r"https?://", locked)
    dev = re.search(r"^uv==([\d.]+)", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    assert dev
    assert f"uv=={dev[1]}" in text, "the image is built with the uv that made the lock"


def test_what_runs_is_not_root_and_has_no_build_tools_and_no_caches() -> None:
    found = stages()
    assert found["mounted"].count("USER dataflow") == 1
    assert not any(line.startswith("USER") for line in found["baked"])
    for stage in ("mounted", "baked"):
        for line in found[stage]:
            assert not re.search(r"\b(pip|uv|apt-get|apk|curl|wget|gcc)\b", line), line
            assert not line.startswith("ADD"), line
    for line in found["libraries"]:
        if "install" in line:
            assert "--mount=type=cache" in line, line


def test_a_changed_workflow_changes_the_last_layer_only() -> None:
    found = stages()
    assert found["baked"] == ["COPY --from=workflows . /project/workflows"]
    assert "/project/workflows" not in " ".join(found["mounted"])
    order = [line for line in found["mounted"] if line.startswith("COPY")]
    assert "/opt/venv" in order[0]
    assert order[-1] == "COPY dataflow /opt/toolkit/dataflow"


def test_only_the_package_goes_to_the_builder() -> None:
    ignored = (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text().split()
    assert ignored == ["*", "!dataflow", "**/__pycache__", "dataflow/_bundled"]
