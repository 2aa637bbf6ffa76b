"""A private Redis, or a database of an existing one."""

from __future__ import annotations

import os
import secrets
import socket
from urllib.parse import unquote, urlsplit, urlunsplit

from .driver import _Common
from .processes import Unable, log, program

#: The key that marks a database of an existing server as a driver's. Its value names the driver's process.
CLAIMED = "tailrace:claimed"
CLAIM = "if redis.call('dbsize') > 0 then return 0 end redis.call('set', KEYS[1], ARGV[1]) return 1"
TAKE_OVER = (
    "if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end "
    "redis.call('flushdb') redis.call('set', KEYS[1], ARGV[2]) return 1"
)


class Redis:
    """Where the scheduler's Redis is. `url` includes the password and the database."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self.host = parts.hostname or "127.0.0.1"
        self.port = parts.port or 6379
        self.username = unquote(parts.username) if parts.username else None
        self.password = unquote(parts.password) if parts.password else None
        self.database = int(parts.path.strip("/") or 0)

    def commands(self, *commands: tuple[str, ...]) -> list[bytes]:
        """Runs simple commands on a connection of their own."""
        with socket.create_connection((self.host, self.port), timeout=5) as connection:
            stream = connection.makefile("rwb")
            first: list[tuple[str, ...]] = []
            if self.password:
                first.append(("AUTH", self.username, self.password) if self.username else ("AUTH", self.password))
            first.append(("SELECT", str(self.database)))
            return [_command(stream, command) for command in (*first, *commands)][len(first) :]


def _command(stream, command: tuple[str, ...]) -> bytes:
    words = [word.encode() for word in command]
    stream.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words))
    stream.flush()
    line = stream.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    if kind == b"$" and rest != b"-1":
        return stream.read(int(rest) + 2)[:-2]
    if kind in (b"+", b":"):
        return rest
    raise OSError(f"Redis answered {command[0]} with {line.decode(errors='replace') or 'nothing'}")


def free_port() -> int:
    """A port of the loopback interface that nothing uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def redis(driver: _Common, *, name: str = "redis") -> Redis:
    """Starts a private Redis for the driver, or claims an empty database of the one that TAILRACE_REDIS names."""
    existing = os.environ.get("TAILRACE_REDIS")
    server = _claim(driver, existing) if existing else _start(driver, name)
    information = dict(
        line.split(b":", 1) for line in server.commands(("INFO", "server"))[0].splitlines() if b":" in line
    )
    driver.settings["redis"] = information[b"redis_version"].decode()
    return server


def _start(driver: _Common, name: str) -> Redis:
    executable = program("redis-server", driver.name)
    folder = driver.processes.folder(name)
    # Other users of the machine can reach the port, and some schedulers trust what they read.
    password = secrets.token_hex(16)
    for trial in range(3):
        server = Redis(f"redis://:{password}@127.0.0.1:{free_port()}/0")
        configuration = folder / "redis.conf"
        configuration.touch(0o600)
        configuration.write_text(
            f"bind 127.0.0.1\nport {server.port}\nrequirepass {password}\ndir {folder}\ndaemonize no\n"
            f"logfile {folder}/redis.log\nloglevel warning\n"
            'appendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\ntcp-backlog 128\n'
        )

        def answers(server: Redis = server) -> bool:
            try:
                return server.commands(("PING",)) == [b"PONG"]
            except OSError:
                return False

        try:
            driver.processes.start(
                "broker",
                name,
                [executable, str(configuration)],
                is_ready=answers,
            )
            break
        except Unable:
            # Somebody else may have taken the port in the meantime.
            if trial == 2:
                log((folder / "redis.log").read_text(errors="replace")[-4000:])
                raise
    driver.settings |= {"appendonly": "yes", "appendfsync": "everysec", "redis_transport": "TCP on 127.0.0.1"}
    return server


def _claim(driver: _Common, url: str) -> Redis:
    parts = urlsplit(url)
    if parts.scheme != "redis":
        raise Unable(f"TAILRACE_REDIS must be a URL such as redis://127.0.0.1:6379, not {url}")
    named = parts.path.strip("/")
    for database in [named] if named else map(str, range(15, 0, -1)):
        server = Redis(urlunsplit(parts._replace(path="/" + database)))
        try:
            # The claim and the test are one step, since other drivers may try the same.
            if server.commands(("EVAL", CLAIM, "1", CLAIMED, owner()))[0] == b"1" or _take_over(server):
                driver.undo.append(lambda server=server: server.commands(("FLUSHDB",)))
                driver.settings["redis_server"] = "named by TAILRACE_REDIS"
                driver.notes.append("The Redis server is not private; its settings are unknown.")
                return server
        except OSError as error:
            if not named and "out of range" in str(error):
                continue
            raise Unable(f"TAILRACE_REDIS: {error}") from None
    which = f"database {named} is not" if named else "no database from 1 to 15 is"
    raise Unable(f"TAILRACE_REDIS: {which} empty; name an empty one in the URL, such as /7")


def owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _take_over(server: Redis) -> bool:
    """Empties a database whose driver was killed on this machine before it could do so."""
    try:
        claimed = server.commands(("GET", CLAIMED))[0].decode()
    except OSError:
        return False  # Somebody else's data.
    host, _, process = claimed.rpartition(":")
    if host != socket.gethostname() or os.path.exists(f"/proc/{process}"):
        return False
    return server.commands(("EVAL", TAKE_OVER, "1", CLAIMED, claimed, owner()))[0] == b"1"
