"""A private RabbitMQ, or an existing one."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

from .driver import _Common
from .processes import Unable, log, program
from .redis_server import free_port

#: Debian's /usr/sbin/rabbitmq-server changes the user. This one does not.
FOLDERS = ("/usr/lib/rabbitmq/bin",)


class RabbitMQ:
    """Where the scheduler's RabbitMQ is. `url` includes the user, the password and the virtual host."""

    def __init__(self, url: str, *, private: bool) -> None:
        self.url = url
        #: False: delete queues and exchanges of your own at the end (`driver.undo`), and name them uniquely.
        self.private = private


def rabbitmq(driver: _Common, *, name: str = "rabbitmq") -> RabbitMQ:
    """Starts a private RabbitMQ for the driver, or returns the one that TAILRACE_AMQP names."""
    existing = os.environ.get("TAILRACE_AMQP")
    if not existing:
        return _start(driver, name)
    if not existing.startswith("amqp://"):
        raise Unable(f"TAILRACE_AMQP must be a URL such as amqp://guest:guest@127.0.0.1:5672/%2F, not {existing}")
    driver.settings["rabbitmq_server"] = "named by TAILRACE_AMQP"
    driver.notes.append("The RabbitMQ server is not private; its settings are unknown.")
    return RabbitMQ(existing, private=False)


def _start(driver: _Common, name: str) -> RabbitMQ:
    epmd = program("epmd", driver.name)
    # Not the wrapper of the same name in /usr/sbin, which may come first in PATH.
    executable = next((str(Path(folder, "rabbitmq-server")) for folder in FOLDERS if Path(folder).is_dir()), "")
    executable = executable or program("rabbitmq-server", driver.name)
    folder = driver.processes.folder(name)
    password = secrets.token_hex(16)
    port, distribution, names = free_port(), free_port(), free_port()
    configuration = folder / "rabbitmq.conf"
    configuration.touch(0o600)
    configuration.write_text(
        f"listeners.tcp.1 = 127.0.0.1:{port}\ndefault_user = tailrace\ndefault_pass = {password}\n"
        f"log.file.level = warning\n"
    )
    (folder / "enabled_plugins").write_text("[].\n")
    (folder / "environment").touch()
    environment = {
        # The cookie is in the home folder.
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_CRASH_DUMP_SECONDS": "0",
        "RABBITMQ_NODENAME": f"tailrace-{secrets.token_hex(4)}@localhost",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_BASE": str(folder),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_CONFIG_FILE": str(configuration),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        # The script then becomes the server, instead of its parent.
        "RUNNING_UNDER_SYSTEMD": "true",
    }
    # Otherwise the server would start this daemon, which outlives it.
    driver.processes.start(
        "helper",
        f"{name}-epmd",
        [epmd, "-port", str(names), "-address", "127.0.0.1"],
        environment=environment,
        is_ready=lambda: _connects(names),
    )
    try:
        driver.processes.start(
            "broker",
            name,
            [executable],
            environment=environment,
            is_ready=lambda: _speaks_amqp(port),
            ready_seconds=60,
        )
    except Unable:
        for path in (folder / "log").glob("*.log"):
            log(path.read_text(errors="replace")[-4000:])
        raise
    driver.settings["rabbitmq"] = _version()
    driver.settings["rabbitmq_transport"] = "TCP on 127.0.0.1"
    return RabbitMQ(f"amqp://tailrace:{password}@127.0.0.1:{port}/%2F", private=True)


def _connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def _speaks_amqp(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def _version() -> str:
    versions = sorted(path.name.rpartition("-")[2] for path in Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*"))
    return versions[-1] if versions else "unknown"
