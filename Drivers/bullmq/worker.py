"""BullMQ's worker, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback

from bullmq import Job, UnrecoverableError, Worker

from tailrace_driver import FailedPermanently, Plan, perform_async, report_settled

CONCURRENCY = int(os.environ["TAILRACE_BULLMQ_CONCURRENCY"])

#: The numbers of the slots in which no attempt runs.
free = list(range(CONCURRENCY, 0, -1))


async def work(job: Job, token: str) -> None:
    number = free.pop()
    try:
        slot = f"{os.environ['TAILRACE_PROCESS']}/{number}"
        # BullMQ counts the attempts that failed.
        await perform_async(job.data, job.attemptsMade + 1, slot=slot)
    except FailedPermanently as error:
        raise UnrecoverableError(str(error)) from None
    finally:
        free.append(number)


def backoff(attempts_made: int, kind: str, error: Exception, job: Job) -> int:
    """The delay in milliseconds, if its growth is none that BullMQ knows."""
    return round(Plan(job.data).retry_delay(attempts_made) * 1000)


def on_failed(job: Job, error: Exception) -> None:
    """BullMQ gives up a job whose worker vanished more often than `maxStalledCount`."""
    if job.deferredFailure:
        report_settled(Plan(job.data).number, "crashed")


def on_error(error: Exception, *_: object) -> None:
    traceback.print_exception(error, file=sys.stderr)


async def main() -> None:
    options = {
        "connection": os.environ["TAILRACE_BULLMQ_URL"],
        "concurrency": CONCURRENCY,
        "settings": {"backoffStrategy": backoff},
        "autorun": False,
    }
    worker = Worker(os.environ["TAILRACE_BULLMQ_QUEUE"], work, options)
    worker.on("failed", on_failed)
    worker.on("error", on_error)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
