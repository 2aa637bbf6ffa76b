"""The driver's side of the conversation with Tailrace."""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import json
import os
import platform
import select
import signal
import sys
import threading
import time
import traceback
from collections import deque
from functools import cached_property
from pathlib import Path
from time import monotonic_ns
from typing import Any

from . import pipe, work
from .contract import PRIORITIES, RANKS, SECOND, Job, JobType, jobs_reader
from .processes import Process, Processes, Unable, log
from .work import settled_line

#: A driver that is busy still shows at least this often what it did.
FLUSH_NS = 5_000_000
#: How often a driver looks for workers that ended by themselves, in seconds.
LOOK = 0.5


class Ended(SystemExit):
    """Tailrace wants the driver to end."""

    def __init__(self) -> None:
        super().__init__(0)
        work.is_ending = True


class _Common:
    """What drivers of both kinds share. An author sets the attributes below, and defines the methods."""

    #: How the report names the scheduler.
    name = ""
    #: The Python distribution whose version the report shows; empty: the version of Python.
    distribution = ""
    #: The abilities that the scheduler lacks: priorities, delays, dependencies, retries, timeouts, cancellation.
    lacks: tuple[str, ...] = ()

    def __init__(self, options: argparse.Namespace, report: pipe.Pipe, input_descriptor: int) -> None:
        #: What the driver was called with.
        self.options = options
        #: How many jobs may run at once.
        self.workers = 0
        self.types: dict[str, JobType] = {}
        self.hello: dict[str, Any] = {}
        #: What a reader must know to repeat the measurement.
        self.settings: dict[str, str] = {}
        #: Sentences for the report.
        self.notes: list[str] = []
        self.pipe = report
        self._input = input_descriptor
        self._rest = b""
        self._last_flush = 0
        self._last_complaint = ""
        self._warm_ups = 0
        self._cleaning = False

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Defines the arguments that distinguish the driver's systems."""

    @property
    def warm_up_slots(self) -> int:
        """How many slots a first job must go through before the measurement; 0: no warm-up."""
        return self.workers

    @property
    def version(self) -> str:
        return importlib.metadata.version(self.distribution) if self.distribution else platform.python_version()

    @cached_property
    def processes(self) -> Processes:
        return Processes(self.name, self.pipe)

    @cached_property
    def folder(self) -> Path:
        """A folder for files of the driver. It is deleted at the end."""
        return self.processes.folder("files")

    def start_python(self, role: str, name: str, *arguments: str, **options: Any) -> Process:
        """Starts a process with the interpreter of this driver. It can import the driver's own file as `driver`."""
        here = os.path.dirname(os.path.abspath(sys.argv[0]))
        path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
        environment = {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **(options.pop("environment", None) or {})}
        command = [sys.executable, "-P", *arguments]
        return self.processes.start(role, name, command, environment=environment, **options)

    def settle(self, number: int, cause: str) -> None:
        """Reports that a job has ended without an attempt that says so. Main thread only."""
        if number >= 0:
            self.pipe.add(settled_line(number, cause))

    # The conversation.

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end_by_signal)
        status = 0
        try:
            try:
                self._read_hello()
                self._converse()
            finally:
                self._cleaning = True
        except Ended:
            pass
        except BrokenPipeError:
            status = 1
        except Exception as error:
            status = 1
            if not isinstance(error, Unable):
                traceback.print_exc()
            self._fail(str(error) if isinstance(error, Unable) else f"{type(error).__name__}: {error}")
        if "processes" in self.__dict__:
            self.processes.end()
        self._clean()
        try:
            if status == 0:
                self._say({"type": "done"})
        except BrokenPipeError:
            pass
        return status

    def _converse(self) -> None:
        raise NotImplementedError

    def _clean(self) -> None:
        for undo in reversed(self.undo):
            try:
                undo()
            except Exception as error:
                log(f"could not clean up: {error}")

    @cached_property
    def undo(self) -> list[Any]:
        """Functions to call at the end, the last one first, after all processes have ended."""
        return []

    def _end_by_signal(self, *_: object) -> None:
        if not self._cleaning:
            raise Ended()

    def _fail(self, reason: str) -> None:
        if self._last_flush:
            log(reason)
            return
        try:
            self._say({"type": "unable", "reason": reason})
        except BrokenPipeError:
            pass

    def _say(self, message: dict[str, Any]) -> None:
        self.pipe.add(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        self.pipe.flush()

    def _read_hello(self) -> None:
        while b"\n" not in self._rest:
            chunk = os.read(self._input, 65536)
            if not chunk:
                raise Ended()
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        hello = json.loads(line)
        if hello.get("type") != "hello" or hello.get("version") != 1:
            raise Unable(f"the driver speaks version 1 of the contract, but the first line was {line[:200]!r}")
        self.hello = hello
        self.workers = hello["workers"]
        self.types = {kind["name"]: JobType(kind) for kind in hello["job_types"]}
        if "retries" in self.lacks:
            # The first attempt of a job is then its last.
            for kind in self.types.values():
                kind.retries = 0
        self._read_job = jobs_reader(self.types)
        if hello.get("report_starts"):
            os.environ["TAILRACE_REPORT_STARTS"] = "1"
        if self.warm_up_slots:
            for name in ("runs", "done"):
                (self.folder / "warm-up" / name).mkdir(parents=True)
            os.environ["TAILRACE_WARM_UP"] = f"{self.warm_up_slots}:{self.folder / 'warm-up'}"

    def _warm_up_jobs(self) -> list[Job]:
        """One job for each slot. Their numbers are negative."""
        kind = JobType({"name": "warm-up"})
        first = self._warm_ups
        self._warm_ups += self.warm_up_slots
        rank = RANKS["normal"]
        return [Job(-number, kind, rank, [[0, "succeeds"]]) for number in range(first + 1, self._warm_ups + 1)]

    def _is_warm(self) -> bool:
        runs, done = (os.listdir(self.folder / "warm-up" / name) for name in ("runs", "done"))
        return len(runs) >= self.warm_up_slots and len(done) >= self._warm_ups

    def _say_ready(self) -> None:
        self._say(
            {
                "type": "ready",
                "name": self.name,
                "scheduler_version": self.version,
                "settings": self.settings,
                "lacks": list(self.lacks),
                "notes": self.notes,
                "processes": self.processes.messages() if "processes" in self.__dict__ else [],
            }
        )
        self._last_flush = monotonic_ns()

    def _refuse(self, number: int, error: Exception) -> None:
        """The scheduler did not take the job. In a crash test, this happens while its broker is away."""
        self.settle(number, "rejected")
        complaint = f"the scheduler did not take job {number}: {type(error).__name__}: {error}"
        if type(error).__name__ != self._last_complaint:
            self._last_complaint = type(error).__name__
            log(complaint)

    def _accepted(self, number: int, before: int, after: int) -> None:
        report = self.pipe
        report.add(b'{"type":"accepted","job":%d,"submitted_ns":%d,"accepted_ns":%d}\n' % (number, before, after))
        if after - self._last_flush > FLUSH_NS:
            report.flush()
            self._last_flush = after

    def _replace(self, name: str) -> None:
        self._say({"type": "process", **self.processes.restart(name).message()})

    def _revive(self) -> None:
        if "processes" in self.__dict__:
            for process in self.processes.revive():
                self._say({"type": "process", **process.message()})

    def _control(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "stop":
            raise Ended()
        if kind == "restart":
            self._replace(message["process"])


class _Watch:
    """Notices while the driver prepares that Tailrace wants it to stop."""

    def __init__(self, driver: _Common) -> None:
        self._driver = driver
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        driver = self._driver
        while True:
            readable, _, _ = select.select([driver._input, self._wake], [], [])
            if self._wake in readable:
                return
            chunk = os.read(driver._input, 65536)
            driver._rest += chunk
            if not chunk or b'"stop"' in driver._rest:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        os.write(self._waker, b".")
        self._thread.join()
        os.close(self._wake)
        os.close(self._waker)


class Driver(_Common):
    """A driver whose scheduler's client blocks."""

    def start(self) -> None:
        """Starts servers and workers."""

    def submit(self, job: Job) -> None:
        """Submits the job as the scheduler's documentation says."""
        raise NotImplementedError

    def cancel(self, number: int) -> None:
        """Cancels a job. Calls `settle(number, "cancelled")` if it is now certain that the job never starts."""

    def stop(self) -> None:
        """Closes clients. Workers and servers still run."""

    def _converse(self) -> None:
        with _Watch(self):
            self.start()
            self._warm_up()
        self._say_ready()
        try:
            self._serve()
        finally:
            self._cleaning = True
            self.stop()

    def _warm_up(self) -> None:
        end = time.monotonic() + 60
        while self.warm_up_slots and not self._is_warm():
            if time.monotonic() > end:
                raise Unable("the workers did not run a first job within 60 s; the log tells why")
            for job in self._warm_up_jobs():
                self.submit(job)
            patience = time.monotonic() + 10
            while not self._is_warm() and time.monotonic() < patience:
                self.processes.check()
                time.sleep(0.01)

    def _serve(self) -> None:
        self._lines: deque[bytes] = deque()
        lines = self._lines
        self._split(b"")
        next_look = 0
        while True:
            while lines:
                self._handle(json.loads(lines.popleft()))
            self.pipe.flush()
            self._last_flush = monotonic_ns()
            if self._last_flush > next_look:
                next_look = self._last_flush + int(LOOK * SECOND)
                self._revive()
            if select.select([self._input], [], [], LOOK)[0]:
                self._read()

    def _read(self) -> None:
        chunk = os.read(self._input, 65536)
        if not chunk:
            raise Ended()
        self._split(chunk)

    def _split(self, chunk: bytes) -> None:
        found = (self._rest + chunk).split(b"\n")
        self._rest = found.pop()
        self._lines.extend(found)

    def _handle(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "job":
            job = self._read_job(message)
            before = monotonic_ns()
            try:
                self.submit(job)
            except Exception as error:
                self._refuse(job.number, error)
                self._look_ahead()
            else:
                self._accepted(job.number, before, monotonic_ns())
        elif kind == "cancel":
            try:
                self.cancel(message["job"])
            except Exception as error:
                log(f"the scheduler did not cancel job {message['job']}: {type(error).__name__}: {error}")
        else:
            self._control(message)

    def _look_ahead(self) -> None:
        """Prefers the order to restart the broker to jobs that would fail without it."""
        while select.select([self._input], [], [], 0)[0]:
            self._read()
        waiting = list(self._lines)
        self._lines.clear()
        for line in waiting:
            if b'"restart"' in line or b'"stop"' in line:
                self._control(json.loads(line))
            else:
                self._lines.append(line)


class AsyncDriver(_Common):
    """A driver whose scheduler's client is for asyncio. Jobs are submitted one after the other."""

    async def start(self) -> None:
        """Starts servers and workers."""

    async def submit(self, job: Job) -> None:
        """Submits the job as the scheduler's documentation says. May also be a plain function."""
        raise NotImplementedError

    async def cancel(self, number: int) -> None:
        """Cancels a job. Calls `settle(number, "cancelled")` if it is now certain that the job never starts."""

    async def stop(self) -> None:
        """Closes clients. Workers and servers still run."""

    def send(self, line: bytes) -> None:
        """Writes a line at the end of this turn of the event loop."""
        if not self._flushes:
            self._flushes = True
            self._loop.call_soon(self._flush)
        self.pipe.add(line)

    def settle(self, number: int, cause: str) -> None:
        if number >= 0:
            self.send(settled_line(number, cause))

    def _flush(self) -> None:
        self._flushes = False
        self.pipe.flush()

    def _converse(self) -> None:
        asyncio.run(self._converse_async())

    async def _converse_async(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._flushes = False
        self._jobs: deque[dict[str, Any]] = deque()
        self._arrived = asyncio.Event()
        with _Watch(self):
            await self.start()
            await self._warm_up()
        self._say_ready()
        try:
            self._take(b"")
            self._listen()
            self._look()
            await self._serve()
        finally:
            await self.stop()

    async def _warm_up(self) -> None:
        end = time.monotonic() + 60
        while self.warm_up_slots and not self._is_warm():
            if time.monotonic() > end:
                raise Unable("the workers did not run a first job within 60 s; the log tells why")
            for job in self._warm_up_jobs():
                if (submission := self.submit(job)) is not None:
                    await submission
            patience = time.monotonic() + 10
            while not self._is_warm() and time.monotonic() < patience:
                self.processes.check()
                await asyncio.sleep(0.01)

    def _look(self) -> None:
        if "processes" in self.__dict__:
            self._revive()
            self._loop.call_later(LOOK, self._look)

    def _listen(self) -> None:
        try:
            self._loop.add_reader(self._input, lambda: self._take(os.read(self._input, 65536) or None))
        except PermissionError:  # A file, not a pipe: it cannot be waited for.

            def read() -> None:
                while chunk := os.read(self._input, 65536):
                    self._loop.call_soon_threadsafe(self._take, chunk)

            threading.Thread(target=read, daemon=True).start()

    def _take(self, chunk: bytes | None) -> None:
        """Queues jobs and cancellations, and obeys everything else at once: the broker of the next job may be dead."""
        if chunk is None:
            raise Ended()
        found = (self._rest + chunk).split(b"\n")
        self._rest = found.pop()
        for line in found:
            message = json.loads(line)
            if message["type"] in ("job", "cancel"):
                self._jobs.append(message)
            else:
                self._control(message)
        if self._jobs:
            self._arrived.set()

    async def _serve(self) -> None:
        jobs = self._jobs
        while True:
            while jobs:
                message = jobs.popleft()
                if message["type"] == "job":
                    job = self._read_job(message)
                    before = monotonic_ns()
                    try:
                        if (submission := self.submit(job)) is not None:
                            await submission
                    except Exception as error:
                        self._refuse(job.number, error)
                    else:
                        self._accepted(job.number, before, monotonic_ns())
                else:
                    try:
                        if (cancellation := self.cancel(message["job"])) is not None:
                            await cancellation
                    except Exception as error:
                        log(f"the scheduler did not cancel job {message['job']}: {type(error).__name__}: {error}")
            self.pipe.flush()
            self._last_flush = monotonic_ns()
            self._arrived.clear()
            await self._arrived.wait()


def main(kind: type[_Common]) -> None:
    """Runs a driver. The program's last statement."""
    parser = argparse.ArgumentParser(description=f"Submits Tailrace's jobs to {kind.name}. Tailrace starts it.")
    kind.add_arguments(parser)
    options = parser.parse_args()
    report = pipe.take_standard_output()
    driver = kind(options, report, pipe.take_standard_input())
    status = driver.run()
    sys.stdout.flush()
    # Threads of the scheduler must not delay the end.
    os._exit(status)


__all__ = ["PRIORITIES", "AsyncDriver", "Driver", "main"]
