"""Submits Tailrace's jobs to taskiq."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tailrace_driver import AsyncDriver, Job, main
from tailrace_driver.processes import wait_until
from tailrace_driver.redis_server import redis


def worker_of(master: int) -> int:
    """The process that runs tasks; 0: there is none yet. Its parent, the master, supervises it."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return int(children[0]) if children else 0


class Taskiq(AsyncDriver):
    name = distribution = "taskiq"
    lacks = ("cancellation", "dependencies", "priorities")

    async def start(self) -> None:
        server = redis(self)
        os.environ |= {"TAILRACE_TASKIQ_URL": server.url, "TAILRACE_TASKIQ_TASKS": str(self.workers)}
        import tasks  # It reads the environment.

        self.tasks = tasks
        await tasks.broker.startup()
        options = ["--workers", "1", "--max-async-tasks", str(self.workers), "--log-level", "WARNING"]
        process = self.start_python("worker", "worker-1", "-m", "taskiq", "worker", "tasks:broker", *options)
        process.find_pid = lambda: worker_of(process.popen.pid)
        process.is_ready = lambda: worker_of(process.popen.pid) > 0
        wait_until(process.is_ready, process.ready_seconds, "taskiq did not start its worker")
        options = ["--update-interval", "1", "--log-level", "WARNING"]
        self.start_python("scheduler", "scheduler", "-m", "taskiq", "scheduler", "tasks:scheduler", *options)
        self.settings |= {
            "broker": "RedisStreamBroker",
            "ack_type": "when_saved",
            "max_async_tasks": str(self.workers),
            "max_prefetch": "0",
            "idle_timeout": "600 s",
            "unacknowledged_lock_timeout": "60 s",
            "schedule_source": "ListRedisScheduleSource",
            "update_interval": "1 s",
        }

    async def submit(self, job: Job) -> None:
        labels = {"max_retries": job.type.retries + 1}
        if job.type.timeout_ns:
            labels["timeout"] = job.type.timeout
        kicker = self.tasks.work.kicker().with_task_id(str(job.number)).with_labels(**labels)
        if job.delay_ns:
            due = datetime.now(UTC) + timedelta(seconds=job.delay)
            await kicker.schedule_by_time(self.tasks.source, due, job.plan)
        else:
            await kicker.kiq(job.plan)

    async def stop(self) -> None:
        await self.tasks.broker.shutdown()


if __name__ == "__main__":
    main(Taskiq)
