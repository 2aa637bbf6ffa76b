"""PgQueuer's worker: a program, as PgQueuer's documentation on runs without its command line shows."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from contextlib import asynccontextmanager
from datetime import timedelta

import pgqueuer
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.adapters.connections import create_asyncpg_pool
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Context, Job

from tailrace_driver import Failed, FailedPermanently, Plan, perform_async, report_settled

CONCURRENCY = int(os.environ["TAILRACE_PGQUEUER_CONCURRENCY"])

# Failures are planned. The worker's other errors are worth a line in the log.
logging.getLogger("pgqueuer").addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], Failed)))


@asynccontextmanager
async def worker():
    """Makes what PgQueuer runs. It reads the server's URL from PGQUEUER_DSN."""
    async with create_asyncpg_pool() as pool:
        pgq = PgQueuer.from_asyncpg_pool(pool)
        free: asyncio.LifoQueue[int] = asyncio.LifoQueue()
        for slot in range(CONCURRENCY, 0, -1):
            free.put_nowait(slot)

        @pgq.entrypoint("work", concurrency_limit=CONCURRENCY)
        async def work(job: Job, context: Context) -> None:
            # Waits only for a job that was cancelled: PgQueuer gives its place away before the job ends.
            slot = await free.get()
            try:
                await attempt(job, context, f"{os.environ['TAILRACE_PROCESS']}/{slot}")
            finally:
                free.put_nowait(slot)

        yield pgq


async def attempt(job: Job, context: Context, slot: str) -> None:
    fields, number = json.loads(job.payload), job.attempts + 1
    plan = Plan(fields)
    try:
        with context.cancellation:
            await perform_async(fields, number, slot=slot, timeouts=(asyncio.CancelledError,))
    except FailedPermanently:
        raise
    except Failed as error:
        if plan.is_last(number):
            raise
        if context.cancellation.cancel_called:
            report_settled(plan.number, "cancelled")
            raise
        raise RetryRequested(timedelta(seconds=plan.retry_delay(number)), str(error)) from None


if __name__ == "__main__":
    # A larger batch would also delay when the ends of jobs are recorded, which is what frees their places.
    uvloop.run(pgqueuer.run(worker, batch_size=1, shutdown_on_listener_failure=True))
