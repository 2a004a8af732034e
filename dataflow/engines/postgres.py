"""The platform's Postgres from inside its container: all of its databases out into a tar file, and in again.

Databases are dumped in pg_dump's custom format and restored in one transaction each: whole or not at all. Roles that
people made come with them; the platform's own role keeps the password it has.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path

from dataflow.engines import docker_logs
from dataflow.engines.daemon import Daemon
from dataflow.errors import OperationFailedError
from dataflow.system.waiting import wait_until

SERVICE = "postgres"
USER = "dataflow"
DATABASE = "dagster"
FOLDER = "/tmp/dump"  # noqa: S108 - inside the container
_DATA = "/var/lib/postgresql/data"
_STARTS = 60.0

_DUMP = f"""
set -e
rm -rf {FOLDER} && mkdir {FOLDER} && cd {FOLDER}
pg_dumpall -U {USER} --roles-only | grep -vE 'ROLE "?({USER}|postgres)"?[ ;]' > roles.sql
list="select datname from pg_database where not datistemplate and datname not in ('postgres', '$WITHOUT')"
psql -qAtXU {USER} -d {DATABASE} -c "$list" > databases
while read -r name; do pg_dump -U {USER} -Fc -d "$name" -f "$name.dump"; done < databases
"""

_RESTORE = f"""
set -e
cd {FOLDER}
psql -v ON_ERROR_STOP=1 -qXU {USER} -d postgres -f roles.sql
while read -r name; do
  psql -v ON_ERROR_STOP=1 -qXU {USER} -d postgres -c "DROP DATABASE IF EXISTS \\"$name\\" WITH (FORCE)"
  psql -v ON_ERROR_STOP=1 -qXU {USER} -d postgres -c "CREATE DATABASE \\"$name\\""
  pg_restore -U {USER} --exit-on-error --single-transaction -d "$name" "$name.dump"
done < databases
rm -rf {FOLDER}
"""


def dump(daemon: Daemon, container: str, target: Path, *, without: str = "") -> None:
    """Write every database of a running Postgres, but one where it is named, to a tar file.

    Raises:
        OperationFailedError: POSTGRES_FAILED, with what Postgres said.
    """
    run(daemon, container, ["env", f"WITHOUT={without}", "sh", "-c", _DUMP])
    daemon.copy_out(container, FOLDER, target)
    run(daemon, container, ["rm", "-rf", FOLDER])


def restore(daemon: Daemon, container: str, source: Path) -> None:
    """Bring the databases of a tar file of `dump` into a running Postgres, in the place of those with the same names.

    Raises:
        OperationFailedError: POSTGRES_FAILED; databases that were not reached yet are as they were.
    """
    daemon.copy_in(container, "/tmp", source)  # noqa: S108 - inside the container
    run(daemon, container, ["sh", "-c", _RESTORE])


def set_password(daemon: Daemon, container: str, password: str) -> None:
    """Give the platform's role a password. Over the local socket Postgres asks for none."""
    literal = password.replace("'", "''")
    sql = f"ALTER ROLE {USER} PASSWORD '{literal}'"
    run(daemon, container, ["psql", "-v", "ON_ERROR_STOP=1", "-qXU", USER, "-d", DATABASE, "-c", sql])


@contextlib.contextmanager
def server(daemon: Daemon, image: str, volume: str, password: str) -> Generator[str]:
    """A Postgres of its own on a volume, without a network, for the length of a block; gives its container.

    Raises:
        OperationFailedError: POSTGRES_FAILED; it does not start on this volume.
    """
    env = {"POSTGRES_USER": USER, "POSTGRES_DB": DATABASE, "POSTGRES_PASSWORD": password}
    with daemon.helper(image, binds={volume: _DATA}, env=env) as container:
        daemon.start(container)
        # Over TCP: while it is still being made, it listens on its socket only.
        ask = ["pg_isready", "-q", "-h", "127.0.0.1"]

        def look() -> tuple[bool, bool]:
            facts = daemon.container(container)
            lives = facts is not None and facts.running
            return lives, lives and daemon.execute(container, ask)[0] == 0

        (_, ready) = wait_until(look, lambda seen: seen[1] or not seen[0], timeout=_STARTS, interval=0.3)[1]
        if not ready:
            words = "\n".join(docker_logs.tail(daemon, container, 5))
            raise OperationFailedError("Postgres does not start on the volume.", code="POSTGRES_FAILED", hint=words)
        yield container
        daemon.stop(container)


def run(daemon: Daemon, container: str, command: list[str]) -> str:
    """Run a command beside Postgres; what it printed. Raises OperationFailedError POSTGRES_FAILED."""
    code, output = daemon.execute(container, command)
    if code:
        raise OperationFailedError("Postgres refused.", code="POSTGRES_FAILED", hint=output.strip()[-500:])
    return output
