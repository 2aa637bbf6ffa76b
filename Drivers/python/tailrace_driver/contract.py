"""The messages of the streamed driver contract (docs/driver-protocol.md)."""

from __future__ import annotations

from typing import Any

#: From the most to the least urgent. A job's `rank` is its priority's index here.
PRIORITIES = ("critical", "high", "normal", "low", "batch")
RANKS = {name: rank for rank, name in enumerate(PRIORITIES)}

#: What the contract can say of a scheduler's abilities, in `needs` and `lacks`.
ABILITIES = ("priorities", "delays", "dependencies", "retries", "timeouts", "cancellation")

SECOND = 1_000_000_000


class JobType:
    """A job type as `hello` describes it."""

    __slots__ = ("name", "priority", "retries", "retry_delay_ns", "retry_factor", "timeout_ns")

    def __init__(self, message: dict[str, Any]) -> None:
        self.name: str = message["name"]
        self.priority: str = message.get("priority") or "normal"
        self.retries: int = message.get("retries") or 0
        self.retry_delay_ns: int = message.get("retry_delay_ns") or 0
        self.retry_factor: float = message.get("retry_factor") or 1
        self.timeout_ns: int = message.get("timeout_ns") or 0

    @property
    def timeout(self) -> float | None:
        """The limit of an attempt in seconds; None: no limit."""
        return self.timeout_ns / SECOND if self.timeout_ns else None

    def retry_delay(self, attempt: int) -> float:
        """How many seconds after the failure of `attempt` (from 1) the next one starts."""
        return retry_delay(self.retry_delay_ns, self.retry_factor, attempt)


class Job:
    """A job to submit."""

    __slots__ = ("number", "type", "rank", "attempts", "delay_ns", "depends_on")

    def __init__(
        self,
        number: int,
        job_type: JobType,
        rank: int,
        attempts: list[list[Any]],
        delay_ns: int = 0,
        depends_on: list[int] | None = None,
    ) -> None:
        self.number = number
        self.type = job_type
        self.rank = rank
        self.attempts = attempts
        self.delay_ns = delay_ns
        self.depends_on = depends_on or ()

    @property
    def delay(self) -> float:
        """How many seconds after its submission the job becomes eligible."""
        return self.delay_ns / SECOND

    @property
    def priority(self) -> str:
        return PRIORITIES[self.rank]

    @property
    def plan(self) -> list[Any]:
        """What the worker must know of the job: a list of JSON values, for any serializer. `work.Plan` reads it."""
        kind = self.type
        return [self.number, self.attempts, kind.retries, kind.retry_delay_ns, kind.retry_factor, kind.timeout_ns]


def retry_delay(delay_ns: int, factor: float, attempt: int) -> float:
    """How many seconds after the failure of `attempt` (from 1) the next one starts."""
    return delay_ns * factor ** (attempt - 1) / SECOND


def jobs_reader(types: dict[str, JobType]):
    """Returns a function that makes a `Job` of a `job` message."""
    ranks = RANKS

    def read(message: dict[str, Any]) -> Job:
        kind = types[message["job_type"]]
        return Job(
            message["job"],
            kind,
            ranks[message.get("priority") or kind.priority],
            message["attempts"],
            message.get("delay_ns") or 0,
            message.get("depends_on"),
        )

    return read
