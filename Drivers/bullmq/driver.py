"""Submits Tailrace's jobs to BullMQ."""

from __future__ import annotations

from typing import Any

from bullmq import Queue

from tailrace_driver import AsyncDriver, Job, JobType, main
from tailrace_driver.redis_server import redis

QUEUE = "tailrace"

#: As BullMQ's documentation advises for production, with its figures.
REMOVAL = {"removeOnComplete": {"age": 3600, "count": 1000}, "removeOnFail": {"age": 24 * 3600}}


def backoff(kind: JobType) -> dict[str, Any]:
    growth = {1: "fixed", 2: "exponential"}.get(kind.retry_factor, "planned")  # worker.py defines the last one.
    return {"type": growth, "delay": round(kind.retry_delay(1) * 1000)}


class BullMQ(AsyncDriver):
    name = distribution = "bullmq"
    lacks = ("dependencies", "timeouts")

    async def start(self) -> None:
        server = redis(self)
        self.start_python(
            *("worker", "worker-1", "-m", "worker"),
            environment={
                "TAILRACE_BULLMQ_URL": server.url,
                "TAILRACE_BULLMQ_QUEUE": QUEUE,
                "TAILRACE_BULLMQ_CONCURRENCY": str(self.workers),
            },
        )
        self.queue = Queue(QUEUE, {"connection": server.url, "defaultJobOptions": REMOVAL})
        self.settings |= {
            "concurrency": str(self.workers),
            "lockDuration": "30 s",
            "stalledInterval": "30 s",
            "maxStalledCount": "1",
            "removeOnComplete": "after 3600 s, or beyond 1000",
            "removeOnFail": "after 86400 s",
        }

    async def submit(self, job: Job) -> None:
        options = {
            # BullMQ reserves plain numbers for ids of its own.
            "jobId": f"job-{job.number}",
            # 1 is the most urgent. Without a priority, a job would precede all others.
            "priority": job.rank + 1,
            "attempts": job.type.retries + 1,
        }
        if job.delay_ns:
            options["delay"] = round(job.delay * 1000)
        if job.type.retries:
            options["backoff"] = backoff(job.type)
        await self.queue.add("work", job.plan, options)

    async def cancel(self, number: int) -> None:
        # This is `queue.remove(job)`, which does not tell whether the job has already ended, in one transaction with
        # the question where the job is.
        job, queue = f"job-{number}", self.queue
        async with queue.client.pipeline(transaction=True) as transaction:
            transaction.zscore(queue.toKey("prioritized"), job)
            transaction.zscore(queue.toKey("delayed"), job)
            scripts = queue.scripts
            await scripts.commands["removeJob"](
                keys=[queue.toKey(job), scripts.keys["repeat"]],
                args=[job, 0, scripts.keys[""]],
                client=transaction,
            )
            *places, removed = await transaction.execute()
        if removed == 1 and any(place is not None for place in places):
            self.settle(number, "cancelled")

    async def stop(self) -> None:
        await self.queue.close()


if __name__ == "__main__":
    main(BullMQ)
