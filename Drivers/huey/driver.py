"""Submits Tailrace's jobs to Huey."""

from __future__ import annotations

import os

from tailrace_driver import Driver, Job, main
from tailrace_driver.redis_server import redis


class HueyDriver(Driver):
    name = distribution = "huey"
    lacks = ("dependencies",)

    def start(self) -> None:
        server = redis(self)
        os.environ["TAILRACE_HUEY_URL"] = server.url
        import tasks  # It reads the environment.

        self.tasks = tasks
        options = ["--workers", str(self.workers), "--worker-type", "process", "--quiet"]
        self.start_python("worker", "worker-1", "-m", "huey.bin.huey_consumer", "tasks.queue", *options)
        self.settings |= {"storage": "PriorityRedisHuey", "worker_type": "process", "scheduler_interval": "1 s"}

    def submit(self, job: Job) -> None:
        kind = job.type
        task = self.tasks.work.s(
            job.plan,
            id=str(job.number),
            priority=4 - job.rank,
            delay=job.delay or None,
            retries=kind.retries,
            retry_delay=kind.retry_delay(1),
            retry_backoff=kind.retry_factor,
            timeout=kind.timeout,
        )
        self.tasks.queue.enqueue(task)

    def cancel(self, number: int) -> None:
        self.tasks.queue.revoke_by_id(str(number))


if __name__ == "__main__":
    main(HueyDriver)
