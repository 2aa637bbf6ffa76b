"""A private PostgreSQL, or a database of an existing one."""

from __future__ import annotations

import glob
import os
import re
import secrets
import signal
import subprocess
from urllib.parse import quote, urlsplit, urlunsplit

from .driver import _Common
from .processes import Unable, log, program

DATABASE = "tailrace"


class Postgres:
    """Where the scheduler's database is. `url` works with libpq and with asyncpg."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, sql: str, driver: str) -> str:
        """Runs a statement with psql."""
        command = [_program("psql", driver), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, self.url]
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        )
        if result.returncode:
            raise Unable(f"psql: {result.stderr.strip()}")
        return result.stdout.strip()


def _program(name: str, driver: str) -> str:
    """Debian keeps the programs of each version in a folder of their own."""
    versions = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: -float(path.split("/")[-2]))
    return program(name, driver, *versions)


def postgres(driver: _Common, *, name: str = "postgres") -> Postgres:
    """Starts a private PostgreSQL for the driver, or makes a database on the one that TAILRACE_POSTGRES names."""
    existing = os.environ.get("TAILRACE_POSTGRES")
    server = _create_database(driver, existing) if existing else _start(driver, name)
    driver.settings["postgresql"] = server.query("SHOW server_version", driver.name).split()[0]
    return server


def _start(driver: _Common, name: str) -> Postgres:
    initdb, executable = _program("initdb", driver.name), _program("postgres", driver.name)
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    folder = driver.processes.folder(name, user)
    data = folder / "data"
    as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"] if user else []
    result = subprocess.run(
        [*as_user, initdb, "-D", str(data), "-U", "tailrace", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    if result.returncode:
        raise Unable(f"initdb: {result.stderr.strip()}")
    # Only the owner of the folder can reach the socket in it, and there is no port.
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "on",
        "synchronous_commit": "on",
    }
    arguments = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    at = f"?host={quote(str(folder), safe='')}"
    maintenance = Postgres(f"postgresql://tailrace@/postgres{at}")

    def answers() -> bool:
        try:
            return maintenance.query("SELECT 1", driver.name) == "1"
        except (Unable, subprocess.TimeoutExpired):
            return False

    driver.processes.start(
        "broker",
        name,
        [executable, "-D", str(data), *arguments],
        user=user,
        is_ready=answers,
        # An immediate shutdown: the data is thrown away, but the shared memory must not stay.
        stop_signal=signal.SIGQUIT,
        environment={"LC_ALL": "C"},
    )
    maintenance.query(f"CREATE DATABASE {DATABASE}", driver.name)
    driver.settings |= {"fsync": "on", "synchronous_commit": "on", "postgresql_transport": "a Unix socket"}
    return Postgres(f"postgresql://tailrace@/{DATABASE}{at}")


def _create_database(driver: _Common, url: str) -> Postgres:
    parts = urlsplit(url)
    if not re.fullmatch("postgres(ql)?", parts.scheme):
        raise Unable(f"TAILRACE_POSTGRES must be a URL such as postgresql://USER@HOST/postgres, not {url}")
    existing = Postgres(url)
    database = f"{DATABASE}_{secrets.token_hex(6)}"
    try:
        existing.query(f"CREATE DATABASE {database}", driver.name)
    except Unable as error:
        raise Unable(f"TAILRACE_POSTGRES: {error}") from None

    def drop() -> None:
        try:
            existing.query(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)", driver.name)
        except Unable as error:
            log(f"could not drop the database {database}: {error}")

    driver.undo.append(drop)
    driver.settings["postgresql_server"] = "named by TAILRACE_POSTGRES"
    driver.notes.append("The PostgreSQL server is not private; its settings are unknown.")
    # urlunsplit drops the empty host of a URL such as postgresql://user@/database?host=/folder.
    return Postgres(urlunsplit(parts._replace(path="/" + database)))
