"""Starts, replaces and ends the processes of a driver: workers and servers."""

from __future__ import annotations

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import guardian, pipe

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Unable(Exception):
    """The driver cannot run. The text says why and what to do, for people."""


def log(text: str) -> None:
    print(f"tailrace driver: {text}", file=sys.stderr, flush=True)


def program(name: str, driver: str, *folders: str) -> str:
    """The path of a program that a Debian package of the driver contains."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(folders))
    if not found:
        raise Unable(f"{name} is not installed; run: tailrace drivers install {driver}")
    return found


def wait_until(condition: Callable[[], bool], seconds: float, failure: str, pause: float = 0.01) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Unable(failure)
        time.sleep(pause)


@dataclass
class Process:
    role: str
    name: str
    command: list[str]
    environment: dict[str, str]
    stop_signal: signal.Signals
    user: str | None
    is_ready: Callable[[], bool] | None
    find_pid: Callable[[], int] | None
    ready_seconds: float
    popen: subprocess.Popen | None = field(default=None)
    launched: float = 0

    @property
    def pid(self) -> int:
        """The process to kill in a crash test. A server may run below a script that starts it."""
        assert self.popen
        return self.find_pid() if self.find_pid else self.popen.pid

    def message(self) -> dict[str, object]:
        return {"role": self.role, "name": self.name, "pid": self.pid}


class Processes:
    """The driver's processes. Only the main thread may start them: Linux ends them with the thread that did."""

    def __init__(self, driver: str, report: pipe.Pipe) -> None:
        self._report = report
        self._all: dict[str, Process] = {}
        self._folders: list[str] = []
        self._driver = driver
        self._token = secrets.token_hex(16)
        # A group of our own lets us end all of it. Tailrace starts a driver this way; a shell may not.
        if os.getpgrp() != os.getpid() and not os.isatty(0):
            try:
                os.setpgid(0, 0)
            except OSError:
                pass
        self._group = os.getpgrp() if os.getpgrp() == os.getpid() else -1
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", guardian.__file__, self._token, str(self._group), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        os.environ[guardian.VARIABLE] = self._token
        # For what workers would leave behind when they are killed.
        self._temporary = str(self.folder("temporary"))

    def folder(self, name: str, user: str | None = None) -> Path:
        """A new folder outside the working directory, which is deleted at the end whatever happens."""
        path = tempfile.mkdtemp(prefix=f"tailrace-{self._driver}-{name}-")
        self._folders.append(path)
        if self._guardian.stdin:
            try:
                print(path, file=self._guardian.stdin, flush=True)
            except OSError:
                pass
        if user:
            shutil.chown(path, user)
        return Path(path)

    def start(
        self,
        role: str,
        name: str,
        command: list[str],
        *,
        environment: dict[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGKILL,
        user: str | None = None,
        is_ready: Callable[[], bool] | None = None,
        find_pid: Callable[[], int] | None = None,
        ready_seconds: float = 30,
    ) -> Process:
        """Starts a process that lives as long as the driver, and waits until `is_ready` says so.

        By default it is killed at the end: nothing that it would save is needed.

        `role` is `worker`, `broker` or `scheduler`, as in the contract; the role `helper` is not shown to Tailrace.
        """
        process = Process(role, name, command, environment or {}, stop_signal, user, is_ready, find_pid, ready_seconds)
        self._all[name] = process
        self._launch(process)
        return process

    def _launch(self, process: Process) -> None:
        command = process.command
        parent = os.getpid()
        prepare: Callable[[], None] | None = None
        if process.user:
            # The kernel forgets the signal when the user changes, so setpriv sets it afterwards.
            to = pwd.getpwnam(process.user)
            death = process.stop_signal.name.removeprefix("SIG")
            options = [f"--reuid={to.pw_uid}", f"--regid={to.pw_gid}", "--init-groups", f"--pdeathsig={death}"]
            command = ["setpriv", *options, "--", *command]
        else:

            def prepare() -> None:
                _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != parent:
                    os._exit(1)

        process.popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if process.role == "broker" else 2,
            env={
                **os.environ,
                "TAILRACE_PROCESS": process.name,
                "TMPDIR": self._temporary,
                guardian.PROCESS_VARIABLE: f"{self._token}/{process.name}",
                **process.environment,
            },
            pass_fds=(self._report.descriptor,) if process.role != "broker" else (),
            preexec_fn=prepare,
        )
        process.launched = time.monotonic()
        if process.is_ready:

            def ready() -> bool:
                assert process.popen and process.is_ready
                status = process.popen.poll()
                if status is not None:
                    raise Unable(f"{process.name} {ended(status)} while it started; its log tells why")
                return process.is_ready()

            wait_until(ready, process.ready_seconds, f"{process.name} did not start in {process.ready_seconds:g} s")

    def restart(self, name: str) -> Process:
        """Replaces a process that was killed, as a supervisor of services would."""
        process = self._all[name]
        assert process.popen
        process.popen.kill()
        process.popen.wait()
        # A supervisor ends what the process left behind before it starts the next one.
        guardian.clean(f"{self._token}/{name}", -1, set(), [], guardian.PROCESS_VARIABLE)
        self._launch(process)
        return process

    def revive(self) -> list[Process]:
        """Replaces workers that ended by themselves, as a supervisor of services would.

        Workers that were killed stay dead: a crash test decides when to replace them. So do those that a process of
        their own supervises, since that one ends when its worker is killed.
        """
        revived = []
        now = time.monotonic()
        for process in self._all.values():
            status = process.popen.poll() if process.popen and process.role != "broker" else None
            if status in (None, -signal.SIGKILL) or process.find_pid or now - process.launched < 1:
                continue
            log(f"{process.name} {ended(status)} by itself; the driver starts it again, as a supervisor would")
            revived.append(self.restart(process.name))
        return revived

    def check(self) -> None:
        """Fails if a process has ended by itself."""
        for process in self._all.values():
            status = process.popen.poll() if process.popen else None
            if status is not None:
                raise Unable(f"{process.name} {ended(status)} while the driver prepared; its log tells why")

    def messages(self) -> list[dict[str, object]]:
        return [process.message() for process in self._all.values() if process.role != "helper"]

    def end(self) -> None:
        """Ends workers, then servers, then whatever is left, and deletes the folders."""
        workers = [process for process in self._all.values() if process.role != "broker"]
        brokers = [process for process in self._all.values() if process.role == "broker"]
        for some, patience in ((workers, 1.0), (brokers, 3.0)):
            running = [process.popen for process in some if process.popen and process.popen.poll() is None]
            for process in some:
                if process.popen in running:
                    process.popen.send_signal(process.stop_signal)
            until = time.monotonic() + patience
            for popen in running:
                try:
                    popen.wait(max(0.0, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    popen.kill()
                    popen.wait()
            for process in workers if some is workers else ():
                # What a worker leaves behind would miss the servers.
                guardian.clean(f"{self._token}/{process.name}", -1, set(), [], guardian.PROCESS_VARIABLE)
        guardian.clean(self._token, self._group, {os.getpid(), self._guardian.pid}, self._folders)
        if self._guardian.stdin:
            try:
                self._guardian.stdin.close()
            except OSError:
                pass
        self._guardian.wait()


def ended(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
