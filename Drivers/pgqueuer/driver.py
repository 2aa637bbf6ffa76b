"""Submits Tailrace's jobs to PgQueuer."""

from __future__ import annotations

import json
import os
from contextlib import AsyncExitStack
from datetime import timedelta

from pgqueuer.adapters.connections import create_asyncpg_pool
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.queries import Queries

from tailrace_driver import PRIORITIES, AsyncDriver, Job, main
from tailrace_driver.postgres_server import postgres

#: The rank of the priority that becomes PgQueuer's default, 0. More urgent ones have higher numbers.
NORMAL = PRIORITIES.index("normal")


class PgQueuerDriver(AsyncDriver):
    name = distribution = "pgqueuer"
    lacks = ("dependencies", "timeouts")

    async def start(self) -> None:
        server = postgres(self)
        os.environ["PGQUEUER_DSN"] = server.url
        self.connections = AsyncExitStack()
        pool = await self.connections.enter_async_context(create_asyncpg_pool())
        self.queries = Queries(AsyncpgPoolDriver(pool))
        await self.queries.install()
        await self.queries.optimize_autovacuum()
        # PgQueuer's numbers of the jobs.
        self.numbers: dict[int, int] = {}
        environment = {"TAILRACE_PGQUEUER_CONCURRENCY": str(self.workers)}
        self.start_python("worker", "worker-1", "-m", "tasks", environment=environment)
        self.settings |= {
            "concurrency_limit": str(self.workers),
            "batch_size": "1",
            "dequeue_timeout": "30 s",
            "shutdown_on_listener_failure": "true",
            "heartbeat_timeout": "30 s",
            "durability": "durable",
            "autovacuum": "as `pgq autovac` sets it",
            "client": "asyncpg",
        }

    async def submit(self, job: Job) -> None:
        payload = json.dumps(job.plan, separators=(",", ":")).encode()
        delay = timedelta(microseconds=job.delay_ns // 1000) if job.delay_ns else None
        [self.numbers[job.number]] = await self.queries.enqueue("work", payload, NORMAL - job.rank, delay)

    async def cancel(self, number: int) -> None:
        identifier = self.numbers[number]
        await self.queries.mark_job_as_cancelled([identifier])
        # The worker reports what becomes of a job that it had picked.
        history = [entry.status for entry in await self.queries.job_log_history(identifier)]
        if history[-2:] == ["queued", "canceled"]:
            self.settle(number, "cancelled")

    async def stop(self) -> None:
        await self.connections.aclose()


if __name__ == "__main__":
    main(PgQueuerDriver)
