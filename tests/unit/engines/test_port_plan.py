from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from dataflow.config.services import ServiceSpec
from dataflow.config.settings import ServiceSettings, Settings
from dataflow.engines.port_plan import assign
from dataflow.errors import MissingError
from dataflow.system.ports import next_free


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", next_free(31000)))
        listener.listen()
        yield listener.getsockname()[1]


def spec(port: int) -> ServiceSpec:
    return ServiceSpec(name="web", label="Web", group="application", ports={"http": port, "admin": next_free(32000)})


def settings(port: int | None = None) -> Settings:
    return Settings(services={"web": ServiceSettings(port=port)} if port else {})


def test_a_free_default_port_is_used() -> None:
    port = next_free(33000)
    ports, moved = assign({"web": spec(port)}, settings(), {}, set(), {})
    assert ports["web"][0].number == port
    assert moved == ()


def test_a_taken_default_port_moves_to_the_next_free_one_and_names_the_holder(taken: int) -> None:
    ports, moved = assign({"web": spec(taken)}, settings(), {}, set(), {})
    assert ports["web"][0].number > taken
    assert (moved[0].wanted, moved[0].number) == (taken, ports["web"][0].number)
    assert f"(pid {os.getpid()})" in moved[0].holder


def test_a_configured_port_is_never_moved(taken: int) -> None:
    with pytest.raises(MissingError, match=f"(?s)Port {taken}.*pid {os.getpid()}") as caught:
        assign({"web": spec(next_free(33000))}, settings(taken), {}, set(), {})
    assert caught.value.code == "PORT_TAKEN"
    assert "DATAFLOW_SERVICES_WEB_PORT=" in caught.value.actions[0].command


def test_a_remembered_port_is_used_again() -> None:
    remembered = next_free(34000)
    ports, moved = assign({"web": spec(next_free(33000))}, settings(), {"web": {"http": remembered}}, set(), {})
    assert ports["web"][0].number == remembered
    assert moved == ()


def test_a_running_service_keeps_its_port_although_it_is_taken_by_itself(taken: int) -> None:
    ports, moved = assign({"web": spec(next_free(33000))}, settings(), {"web": {"http": taken}}, {"web"}, {})
    assert ports["web"][0].number == taken
    assert moved == ()


def test_two_services_never_get_one_port() -> None:
    port = next_free(35000)
    specs = {
        name: ServiceSpec(name=name, label=name, group="application", ports={"http": port}) for name in ("one", "two")
    }
    ports, moved = assign(specs, settings(), {}, set(), {})
    assert ports["one"][0].number != ports["two"][0].number
    assert moved[0].holder == "another service of this project"


def test_a_port_that_another_platform_reserved_is_taken_although_nobody_listens() -> None:
    port = next_free(36000)
    ports, moved = assign({"web": spec(port)}, settings(), {}, set(), {port: "the project in /elsewhere"})
    assert ports["web"][0].number != port
    assert moved[0].holder == "the project in /elsewhere"
