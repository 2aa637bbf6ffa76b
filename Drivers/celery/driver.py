"""Submits Tailrace's jobs to Celery."""

from __future__ import annotations

import argparse
import os

from tailrace_driver import Driver, Job, main
from tailrace_driver.redis_server import redis


class CeleryDriver(Driver):
    name = distribution = "celery"
    lacks = ("dependencies",)

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--late-acks", action="store_true", help="acknowledge tasks after their execution")

    def start(self) -> None:
        server = redis(self)
        late = self.options.late_acks
        os.environ["CELERY_BROKER_URL"] = server.url
        if late:
            os.environ["TAILRACE_CELERY_LATE_ACKS"] = "1"
        import tasks  # It reads the environment.

        self.tasks = tasks
        options = ["--concurrency", str(self.workers), "--loglevel", "WARNING", "--hostname", "worker-1@%h"]
        options += ["--statedb", str(self.folder / "revoked")]
        self.start_python("worker", "worker-1", "-m", "celery", "-A", "tasks", "worker", *options)
        self.settings |= {
            "pool": "prefork",
            "acks_late": str(late).lower(),
            "reject_on_worker_lost": str(late).lower(),
            "worker_prefetch_multiplier": "1" if late else "4",
            "visibility_timeout": f"{tasks.VISIBILITY_TIMEOUT if late else 3600} s",
            "ignore_result": "true",
        }

    def submit(self, job: Job) -> None:
        self.tasks.work.apply_async(
            (job.plan,),
            task_id=str(job.number),
            priority=job.rank,
            countdown=job.delay or None,
            soft_time_limit=job.type.timeout,
        )

    def cancel(self, number: int) -> None:
        self.tasks.app.control.revoke(str(number))


if __name__ == "__main__":
    main(CeleryDriver)
