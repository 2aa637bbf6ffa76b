"""Plays Tailrace's side of the streamed driver contract (docs/driver-protocol.md), and checks what the driver says."""

from __future__ import annotations

import glob
import json
import os
import secrets
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

DRIVERS = Path(__file__).resolve().parents[2]
MS = 1_000_000

OUTCOMES = {"succeeded", "failed", "timed_out", "cancelled", "failed_permanently", "crashed"}
CAUSES = OUTCOMES | {"dependency_failed", "rejected", "shed", "stopped"}


class Peer:
    """Starts a driver and talks to it. Fails at the first line that breaks the contract."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        *,
        workers: int = 2,
        report_starts: bool = False,
        priority: str = "normal",
        retries: int = 0,
        retry_delay_ns: int = 0,
        timeout_ns: int | None = None,
    ) -> None:
        self.family = secrets.token_hex(8)
        self.folder = tempfile.mkdtemp(prefix="tailrace-test-")
        # As root, a driver runs PostgreSQL as another user, who must get to its folder below this one.
        os.chmod(self.folder, 0o711)
        self.log = tempfile.TemporaryFile()  # noqa: SIM115
        self.driver = subprocess.Popen(
            ["nice", str(DRIVERS / name / "run"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            process_group=0,
            env={
                **os.environ,
                "TAILRACE_FAMILY": self.family,
                "TAILRACE_CONTRACT": "stream",
                "TMPDIR": self.folder,
            },
        )
        assert self.driver.stdin and self.driver.stdout
        self._output = self.driver.stdout.fileno()
        self._rest = b""
        self.workers = workers
        self.sent: dict[int, int] = {}
        self.accepted: dict[int, dict[str, Any]] = {}
        self.attempts: list[dict[str, Any]] = []
        self.started: list[dict[str, Any]] = []
        self.causes: dict[int, str] = {}
        self.settlements: dict[int, int] = {}
        self.replaced: list[dict[str, Any]] = []
        self.ready: dict[str, Any] | None = None
        self.unable: str | None = None
        self.done = False
        self.crashes = False
        self.send(
            type="hello",
            version=1,
            workers=workers,
            seed=1,
            needs=[],
            report_starts=report_starts,
            job_types=[
                {
                    "name": "work",
                    "priority": priority,
                    "retries": retries,
                    "retry_delay_ns": retry_delay_ns,
                    "retry_factor": 1,
                    "timeout_ns": timeout_ns,
                }
            ],
            drain_ns=60_000 * MS,
        )

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes():
            try:
                os.kill(process, signal.SIGKILL)
            except OSError:
                pass
        self.driver.kill()
        self.driver.wait()
        if error[0]:
            print(f"the driver's log:\n{self.log_text()[-6000:]}")
        subprocess.run(["rm", "-rf", self.folder], check=False)

    def log_text(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def send(self, **message: Any) -> None:
        assert self.driver.stdin
        self.driver.stdin.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        self.driver.stdin.flush()

    def job(
        self,
        number: int,
        *attempts: tuple[int, str],
        priority: str = "normal",
        delay_ns: int = 0,
        depends_on: list[int] | None = None,
    ) -> None:
        more: dict[str, Any] = {}
        if delay_ns:
            more["delay_ns"] = delay_ns
        if depends_on:
            more["depends_on"] = depends_on
        self.sent[number] = time.monotonic_ns()
        self.send(type="job", job=number, job_type="work", priority=priority, attempts=attempts, **more)

    # Reading.

    def wait_ready(self) -> None:
        self.until(lambda: self.ready is not None or self.unable is not None, 120)
        assert self.unable is None, self.unable

    def settle(self, seconds: float = 30) -> None:
        self.until(lambda: len(self.causes) == len(self.sent), seconds)

    def until(self, condition, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition():
            rest = end - time.monotonic()
            assert rest > 0, f"nothing in {seconds} s; settled: {self.causes}; attempts: {self.attempts}"
            if select.select([self._output], [], [], rest)[0]:
                assert self._read(), "the driver closed its output"

    def listen(self, seconds: float) -> None:
        """Reads for a while."""
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            if select.select([self._output], [], [], rest)[0] and not self._read():
                return

    def _read(self) -> bool:
        chunk = os.read(self._output, 65536)
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._take(line)
        return bool(chunk)

    def _take(self, line: bytes) -> None:
        assert len(line) < 4096
        assert not self.done, f"a line follows done: {line!r}"
        message = json.loads(line)
        kind = message["type"]
        now = time.monotonic_ns()
        for key, value in message.items():
            if key.endswith("_ns"):
                assert isinstance(value, int) and value <= now, message
        if kind == "ready":
            assert self.ready is None
            self.ready = message
            for key in ("name", "scheduler_version", "settings", "lacks", "notes"):
                assert key in message
        elif kind == "unable":
            self.unable = message["reason"]
        elif kind == "accepted":
            number = message["job"]
            assert number not in self.accepted, message
            assert self.sent[number] <= message["submitted_ns"] <= message["accepted_ns"], message
            self.accepted[number] = message
        elif kind == "started":
            assert {"job", "attempt", "worker", "started_ns"} <= message.keys()
            self.started.append(message)
        elif kind == "attempt":
            assert self.sent[message["job"]] <= message["started_ns"] <= message["finished_ns"], message
            assert message["attempt"] >= 1 and len(message["worker"]) <= 64
            assert message["outcome"] in OUTCOMES
            self.attempts.append(message)
            if message.get("settles"):
                self._settle(message["job"], message["outcome"])
        elif kind == "settled":
            assert message["cause"] in CAUSES and message["settled_ns"] >= self.sent[message["job"]]
            self._settle(message["job"], message["cause"])
        elif kind == "process":
            self.replaced.append(message)
        elif kind == "done":
            self.done = True
        else:
            raise AssertionError(f"unknown message {message}")

    def _settle(self, number: int, cause: str) -> None:
        self.settlements[number] = self.settlements.get(number, 0) + 1
        assert self.crashes or self.settlements[number] == 1, f"job {number} settled twice"
        self.causes[number] = cause

    # The end.

    def processes(self) -> list[int]:
        """The processes of the driver that live, the driver included."""
        found = []
        for path in glob.glob("/proc/[0-9]*"):
            try:
                if f"TAILRACE_FAMILY={self.family}".encode() in Path(path, "environ").read_bytes():
                    found.append(int(path[6:]))
            except OSError:
                pass
        return found

    def leftovers(self) -> list[str]:
        """What is left in the folder for temporary files."""
        return os.listdir(self.folder)

    def stop(self) -> None:
        """Ends the driver, and checks everything that holds for every run."""
        begin = time.monotonic()
        self.send(type="stop")
        self.finish(10)
        assert time.monotonic() - begin < 10
        self.check()

    def finish(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self._output], [], [], end - time.monotonic())[0] and not self._read():
                break
        assert self.driver.wait(max(0.1, end - time.monotonic())) == 0
        assert self.done
        self.assert_nothing_is_left()

    def assert_nothing_is_left(self) -> None:
        assert self.processes() == []
        assert self.leftovers() == []

    def check(self) -> None:
        by_worker: dict[str, list[dict[str, Any]]] = {}
        for attempt in self.attempts:
            by_worker.setdefault(attempt["worker"], []).append(attempt)
        for worker, attempts in by_worker.items():
            attempts.sort(key=lambda attempt: attempt["started_ns"])
            for first, second in zip(attempts, attempts[1:], strict=False):
                assert first["finished_ns"] <= second["started_ns"], f"{worker} runs two attempts at once"
        edges = [(attempt["started_ns"], 1) for attempt in self.attempts]
        edges += [(attempt["finished_ns"], -1) for attempt in self.attempts]
        running = 0
        for _, change in sorted(edges):
            running += change
            assert running <= self.workers, "more attempts run at once than there are workers"

    def attempts_of(self, number: int) -> list[dict[str, Any]]:
        return sorted(
            (attempt for attempt in self.attempts if attempt["job"] == number), key=lambda attempt: attempt["attempt"]
        )
