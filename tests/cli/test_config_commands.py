from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import Project, add_workflow


def test_config_show_tells_where_each_value_came_from(project: Project) -> None:
    project.write(".env", "DATAFLOW_WAREHOUSE_LOCK_WAIT=5\n")
    called = project.call("config", "show", "--origin", "--json", DATAFLOW_ENGINE="native")
    origins = {value["key"]: (value["value"], value["origin"]) for value in called.data["values"]}
    assert origins["name"] == ("tests", "dataflow.toml")
    assert origins["warehouse.lock_wait"] == (5.0, ".env (.env:1)")
    assert origins["engine"] == ("native", "environment (DATAFLOW_ENGINE)")
    assert origins["up.timeout"] == (120.0, "default")
    assert ".env:1" in project.call("config", "show", "--origin").out


@pytest.mark.parametrize(
    ("file", "text", "where", "words"),
    [
        ("dataflow.toml", 'nmae = "x"\n', "dataflow.toml:1:1", "Did you mean 'name'?"),
        ("dataflow.toml", "[services.object-stroe]\nport = 1\n", "dataflow.toml:1:2", "Did you mean 'object-store'?"),
        ("dataflow.toml", 'profiles = ["observabilty"]\n', "dataflow.toml:1:1", "There is no profile"),
        (
            "dataflow.toml",
            'engine = "native"\nobject_store = "minio"\n',
            "dataflow.toml:2:1",
            "only the docker engine has",
        ),
        ("dataflow.toml", "name = \n", "dataflow.toml:1:8", "not valid TOML"),
        (".env", "A=1\n'oops\n", ".env:2:1", "malformed"),
        (".env", "DATAFLOW_ENGIN=native\n", ".env:1:1", "Did you mean 'DATAFLOW_ENGINE'?"),
        ("workflows/w/config.yaml", "version: 1\nparamters: {}\n", "config.yaml:2:1", "Did you mean 'parameters'?"),
        ("workflows/w/config.yaml", "version: one\n", "config.yaml:1:1", "'version'"),
        ("workflows/w/config.yaml", "secrets: [{name: lower}]\n", "config.yaml:1:12", "secrets.0.name"),
        ("workflows/w/dagster_job.py", "import nowhere_to_be_found\n", "dagster_job.py:1", "import-error"),
        ("workflows/w/dagster_job.py", "def broken(:\n", "dagster_job.py:1:12", "syntax-error"),
        ("workflows/w/dagster_job.py", "x = 1\n", "dagster_job.py:1", "registers no workflow"),
    ],
)
def test_config_validate_finds_the_line_and_the_cure(
    project: Project, file: str, text: str, where: str, words: str
) -> None:
    add_workflow(project, "w")
    project.write(file, text)
    called = project.call("config", "validate")
    assert called.code == 4
    assert where in called.out
    assert words in called.out


def test_config_validate_speaks_github(project: Project) -> None:
    project.write("dataflow.toml", 'nmae = "x"\n')
    out = project.call("config", "validate", "--format", "github").out
    assert out == (
        "::error file=dataflow.toml,line=1,col=1,title=unknown-key::Unknown key 'nmae'. Did you mean 'name'?\n"
    )


def test_config_validate_says_what_it_checked(project: Project) -> None:
    add_workflow(project, "w")
    called = project.call("config", "validate")
    assert (called.code, called.out.split(": ")[0]) == (0, "All good")
    assert "workflows/w" in called.out


def test_config_schema_accepts_what_we_accept_and_refuses_what_we_refuse(project: Project) -> None:
    validator = Draft202012Validator(json.loads(project.call("config", "schema").out))
    assert validator.is_valid({"name": "x", "services": {"object-store": {"port": 1}}, "up": {"timeout": 3}})
    assert not validator.is_valid({"nmae": "x"})
    assert not validator.is_valid({"services": {"object-store": {"port": "many"}}})
