"""Submits Tailrace's jobs to SAQ."""

from __future__ import annotations

import math
import time

from saq import Queue, Status

from tailrace_driver import AsyncDriver, Job, main
from tailrace_driver.redis_server import redis


class SAQ(AsyncDriver):
    name = distribution = "saq"
    lacks = ("dependencies", "priorities")

    async def start(self) -> None:
        server = redis(self)
        self.start_python(
            *("worker", "worker-1", "-m", "saq", "tasks.settings"),
            environment={"TAILRACE_SAQ_URL": server.url, "TAILRACE_SAQ_CONCURRENCY": str(self.workers)},
        )
        self.queue = Queue.from_url(server.url, name="tailrace")
        await self.queue.connect()
        self.settings |= {
            "concurrency": str(self.workers),
            "timers": "schedule 1 s, sweep 60 s, abort 1 s",
            "ttl": "600 s",
            "serializer": "JSON",
        }

    async def submit(self, job: Job) -> None:
        kind = job.type
        await self.queue.enqueue(
            "work",
            fields=job.plan,
            key=str(job.number),
            # SAQ's limits and instants are whole seconds. 0: no limit.
            timeout=math.ceil(kind.timeout or 0),
            scheduled=math.ceil(time.time() + job.delay) if job.delay_ns else 0,
            # SAQ counts the first attempt as well.
            retries=kind.retries + 1,
        )

    async def cancel(self, number: int) -> None:
        job = await self.queue.job(str(number))
        if not job or job.completed:
            return
        # `abort` tells whether it took the job from the queue, but not whether the job still waited for its time.
        async with self.queue.redis.pipeline(transaction=True) as transaction:
            transaction.zscore(self.queue.namespace("incomplete"), job.id)
            transaction.zrem(self.queue.namespace("incomplete"), job.id)
            due, _ = await transaction.execute()
        if due is None:
            return
        await job.abort("cancelled")
        if due > 0 or job.status == Status.ABORTED:
            self.settle(number, "cancelled")

    async def stop(self) -> None:
        await self.queue.disconnect()


if __name__ == "__main__":
    main(SAQ)
