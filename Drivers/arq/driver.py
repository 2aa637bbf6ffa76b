"""Submits Tailrace's jobs to arq."""

from __future__ import annotations

import argparse
import asyncio
import json

from arq import create_pool
from arq.connections import RedisSettings
from arq.jobs import Job as ArqJob

from tailrace_driver import AsyncDriver, Job, main
from tailrace_driver.redis_server import redis

#: arq's limit for jobs that have none, in seconds.
JOB_TIMEOUT = 300


class Arq(AsyncDriver):
    name = distribution = "arq"
    lacks = ("dependencies", "priorities")

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--poll-delay", type=float, default=0.5, help="how often the worker looks for jobs")

    async def start(self) -> None:
        server = redis(self)
        functions = [(kind.name, kind.timeout, kind.retries + 1) for kind in self.types.values()]
        longest = max([timeout or JOB_TIMEOUT for _, timeout, _ in functions], default=JOB_TIMEOUT)
        # The longest limit of all functions also says when the jobs of a killed worker run again.
        functions.append(("warm-up", min(10, longest), 1))
        self.start_python(
            *("worker", "worker-1", "-m", "arq", "tasks.WorkerSettings", "--custom-log-dict", "tasks.LOGGING"),
            environment={
                "TAILRACE_ARQ_URL": server.url,
                "TAILRACE_ARQ_FUNCTIONS": json.dumps(functions),
                "TAILRACE_ARQ_MAX_JOBS": str(self.workers),
                "TAILRACE_ARQ_POLL_DELAY": str(self.options.poll_delay),
            },
        )
        self.pool = await create_pool(RedisSettings.from_dsn(server.url))
        self.aborts: set[asyncio.Task] = set()
        self.settings |= {
            "max_jobs": str(self.workers),
            "poll_delay": f"{self.options.poll_delay:g} s",
            "allow_abort_jobs": "true",
            "keep_result": "3600 s",
            "in_progress_timeout": f"{longest + 10:g} s",
            "serializer": "pickle",
        }

    async def submit(self, job: Job) -> None:
        await self.pool.enqueue_job(
            job.type.name, job.plan, _job_id=str(job.number), _defer_by=job.delay if job.delay_ns else None
        )

    def cancel(self, number: int) -> None:
        # arq answers when the job's turn has come.
        task = asyncio.create_task(self.abort(number))
        self.aborts.add(task)
        task.add_done_callback(self.aborts.discard)

    async def abort(self, number: int) -> None:
        job = ArqJob(str(number), self.pool)
        try:
            is_aborted = await job.abort()
        except Exception:  # The job had failed. arq raises what it raised.
            return
        # The worker adds an argument to what it aborts after the start.
        if is_aborted and (info := await job.result_info()) and not info.result.args:
            self.settle(number, "cancelled")

    async def stop(self) -> None:
        await self.pool.aclose()


if __name__ == "__main__":
    main(Arq)
