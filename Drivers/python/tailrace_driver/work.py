"""What runs in the scheduler's workers: an attempt's work, and its report."""

from __future__ import annotations

import asyncio
import json
import os
import time
from functools import cache
from pathlib import Path
from time import monotonic_ns
from typing import Any

from . import pipe
from .contract import SECOND, retry_delay

OUTCOMES = {"succeeds": "succeeded", "fails": "failed", "fails_permanently": "failed_permanently"}

#: How long a wait that must be interruptible lasts. An exception that another thread raises in this one (as some
#: schedulers enforce their time limits) arrives only between two calls.
SLICE = 0.005

#: The driver ends, and cancels what runs in its own event loop. That is not worth a report.
is_ending = False


class Failed(Exception):
    """The attempt fails, as planned."""


class FailedPermanently(Failed):
    """The attempt fails, and no other one may follow."""


class Plan:
    """Reads the list that `Job.plan` made."""

    __slots__ = ("number", "attempts", "retries", "retry_delay_ns", "retry_factor", "timeout_ns")

    def __init__(self, fields: list[Any]) -> None:
        (self.number, self.attempts, self.retries, self.retry_delay_ns, self.retry_factor, self.timeout_ns) = fields

    def step(self, attempt: int) -> tuple[int, str]:
        """How long `attempt` (from 1) works, and how it ends."""
        attempts = self.attempts
        service_ns, ending = attempts[attempt - 1] if attempt <= len(attempts) else attempts[-1]
        return service_ns, ending

    def is_last(self, attempt: int) -> bool:
        """Whether no attempt follows `attempt` if it fails or exceeds its limit."""
        return attempt > self.retries

    def retry_delay(self, attempt: int) -> float:
        """How many seconds after the failure of `attempt` (from 1) the next one starts."""
        return retry_delay(self.retry_delay_ns, self.retry_factor, attempt)

    def must_be_interrupted(self, service_ns: int, ending: str) -> bool:
        return ending == "hangs" or bool(self.timeout_ns) and service_ns >= self.timeout_ns


def perform(
    fields: list[Any], attempt: int = 1, *, timeouts: tuple[type[BaseException], ...] = (), slot: str | None = None
) -> None:
    """Does the work of `attempt` (from 1) in a worker that blocks, reports it, and ends as planned.

    `timeouts` are the exceptions with which the scheduler interrupts an attempt that exceeds its limit. `slot` names
    what runs one attempt at a time, if that is not the whole worker process. Raises `Failed` or `FailedPermanently` if
    the plan says so, and passes timeouts on.
    """
    plan = Plan(fields)
    if plan.number < 0:
        return _warm_up(plan.number, slot)
    service_ns, ending = plan.step(attempt)
    started = monotonic_ns()
    if _reports_starts():
        report_started(plan.number, attempt, slot, started)
    try:
        _wait(started, service_ns, ending, plan)
    except timeouts:
        report_attempt(plan.number, attempt, slot, started, monotonic_ns(), "timed_out", plan.is_last(attempt))
        raise
    _end(plan, attempt, slot, started, ending)


async def perform_async(
    fields: list[Any],
    attempt: int = 1,
    *,
    timeouts: tuple[type[BaseException], ...] = (asyncio.CancelledError, TimeoutError),
    slot: str | None = None,
) -> None:
    """Like `perform`, for workers that run coroutines. An interruption before the limit counts as a cancellation."""
    plan = Plan(fields)
    if plan.number < 0:
        return await _warm_up_async(plan.number, slot)
    service_ns, ending = plan.step(attempt)
    started = monotonic_ns()
    if _reports_starts():
        report_started(plan.number, attempt, slot, started)
    try:
        if ending == "hangs":
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(max(0.0, (started + service_ns - monotonic_ns()) / SECOND))
            # uvloop rounds to milliseconds.
            while (rest := started + service_ns - monotonic_ns()) > 0:
                await asyncio.sleep(rest / SECOND)
    except timeouts:
        if is_ending:
            raise
        finished = monotonic_ns()
        late = plan.timeout_ns and finished - started >= plan.timeout_ns * 0.9
        outcome = "timed_out" if late else "cancelled"
        report_attempt(plan.number, attempt, slot, started, finished, outcome, not late or plan.is_last(attempt))
        raise
    _end(plan, attempt, slot, started, ending)


def _wait(started: int, service_ns: int, ending: str, plan: Plan) -> None:
    if plan.must_be_interrupted(service_ns, ending):
        while ending == "hangs" or monotonic_ns() - started < service_ns:
            time.sleep(SLICE)
        return
    rest = started + service_ns - monotonic_ns()
    if rest > 0:
        time.sleep(rest / SECOND)


def _end(plan: Plan, attempt: int, slot: str | None, started: int, ending: str) -> None:
    settles = ending != "fails" or plan.is_last(attempt)
    report_attempt(plan.number, attempt, slot, started, monotonic_ns(), OUTCOMES[ending], settles)
    if ending == "fails":
        raise Failed(f"attempt {attempt} of job {plan.number} fails as planned")
    if ending == "fails_permanently":
        raise FailedPermanently(f"attempt {attempt} of job {plan.number} fails for good as planned")


def report_started(number: int, attempt: int, slot: str | None, started: int) -> None:
    _pipe().write(
        b'{"type":"started","job":%d,"attempt":%d%b,"started_ns":%d}\n' % (number, attempt, _where(slot), started)
    )


def report_attempt(
    number: int, attempt: int, slot: str | None, started: int, finished: int, outcome: str, settles: bool
) -> None:
    _pipe().write(
        b'{"type":"attempt","job":%d,"attempt":%d%b,"started_ns":%d,"finished_ns":%d,"outcome":"%b"%b}\n'
        % (
            number,
            attempt,
            _where(slot),
            started,
            finished,
            outcome.encode(),
            b',"settles":true' if settles else b"",
        )
    )


def report_settled(number: int, cause: str) -> None:
    """Reports that a job has ended without an attempt that says so. Does nothing for the jobs of the warm-up."""
    if number >= 0:
        _pipe().write(settled_line(number, cause))


def settled_line(number: int, cause: str) -> bytes:
    return b'{"type":"settled","job":%d,"cause":"%b","settled_ns":%d}\n' % (number, cause.encode(), monotonic_ns())


@cache
def _pipe() -> pipe.Pipe:
    return pipe.inherited()


@cache
def _reports_starts() -> bool:
    return os.environ.get("TAILRACE_REPORT_STARTS") == "1"


@cache
def _where(slot: str | None) -> bytes:
    process = os.environ.get("TAILRACE_PROCESS", "driver")
    return b',"worker":%b,"process":%b' % (json.dumps((slot or process)[:64]).encode(), json.dumps(process).encode())


# The warm-up: each worker marks that it runs, and waits for the others, so that each one gets a job.


def _warm_up(number: int, slot: str | None) -> None:
    for _ in _warming(number, slot):
        time.sleep(SLICE)


async def _warm_up_async(number: int, slot: str | None) -> None:
    for _ in _warming(number, slot):
        await asyncio.sleep(SLICE)


def _warming(number: int, slot: str | None):
    slots, folder = os.environ["TAILRACE_WARM_UP"].split(":", 1)
    runs, done = Path(folder, "runs"), Path(folder, "done")
    (runs / (slot or os.environ.get("TAILRACE_PROCESS", "driver")).replace("/", "_")).touch()
    end = time.monotonic() + 3
    while len(os.listdir(runs)) < int(slots) and time.monotonic() < end:
        yield
    (done / str(-number)).touch()
