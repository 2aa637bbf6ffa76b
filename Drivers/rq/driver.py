"""Submits Tailrace's jobs to RQ (Redis Queue)."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

from redis import Redis
from rq import Queue, Retry, get_current_job
from rq.job import Job as RQJob
from rq.job import JobStatus
from rq.registry import DeferredJobRegistry, ScheduledJobRegistry
from rq.timeouts import JobTimeoutException

from tailrace_driver import PRIORITIES, Driver, FailedPermanently, Job, Plan, main, perform, report_settled
from tailrace_driver.redis_server import redis


def work(fields: list) -> None:
    """Runs in RQ's worker."""
    job = get_current_job()
    plan = Plan(fields)
    attempt = plan.retries - (job.retries_left or 0) + 1
    try:
        perform(fields, attempt, timeouts=(JobTimeoutException,))
    except Exception as error:
        if isinstance(error, FailedPermanently):
            job.retries_left = 0
        if plan.is_last(attempt) or not job.should_retry:
            job.set_status(JobStatus.FAILED)
            abandon_dependents(job)
        raise


def abandon_dependents(job: RQJob) -> None:
    """Cancels what can no longer start. RQ would keep it for ever."""
    for number in job.dependent_ids:
        abandon(RQJob.fetch(number, connection=job.connection))


def abandon(job: RQJob) -> None:
    # The removal tells which process abandons the job, if several try.
    if DeferredJobRegistry(job.origin, connection=job.connection).remove(job):
        job.cancel()
        report_settled(int(job.id), "dependency_failed")
        abandon_dependents(job)


class RQ(Driver):
    name = distribution = "rq"

    def start(self) -> None:
        server = redis(self)
        self.connection = Redis.from_url(server.url)
        self.queues = [Queue(priority, connection=self.connection) for priority in PRIORITIES]
        for number in range(1, self.workers + 1):
            worker = f"worker-{number}"
            arguments = ["--with-scheduler", "--logging_level", "WARNING"]
            self.start_python(
                *("worker", worker, "-m", "rq.cli", "worker", *arguments, *PRIORITIES),
                environment={"RQ_REDIS_URL": server.url},
            )
        self.settings |= {"worker_class": "Worker (forks for each job)", "serializer": "pickle"}

    def submit(self, job: Job) -> None:
        kind = job.type
        options = {
            "args": (job.plan,),
            "job_id": str(job.number),
            # RQ's limits and delays are whole seconds. -1: no limit.
            "job_timeout": math.ceil(kind.timeout) if kind.timeout else -1,
            "depends_on": [str(other) for other in job.depends_on] or None,
        }
        if kind.retries:
            delays = [round(kind.retry_delay(attempt)) for attempt in range(1, kind.retries + 1)]
            options["retry"] = Retry(max=kind.retries, interval=delays)
        queue = self.queues[job.rank]
        if job.delay_ns:
            # RQ keeps whole seconds and rounds down; a job must not start early.
            due = datetime.fromtimestamp(math.ceil(time.time() + job.delay), UTC)
            queue.enqueue_at(due, "driver.work", **options)
        else:
            accepted = queue.enqueue("driver.work", **options)
            if job.depends_on:
                dependencies = RQJob.fetch_many(options["depends_on"], connection=self.connection)
                if any(
                    other and other.get_status() in (JobStatus.FAILED, JobStatus.CANCELED) for other in dependencies
                ):
                    abandon(accepted)

    def cancel(self, number: int) -> None:
        job = RQJob.fetch(str(number), connection=self.connection)
        # RQ runs a job that is cancelled after a worker took it. The removal tells whether one did.
        places = [
            Queue(job.origin, connection=self.connection),
            ScheduledJobRegistry(job.origin, connection=self.connection),
            DeferredJobRegistry(job.origin, connection=self.connection),
        ]
        if any(place.remove(job) for place in places):
            job.cancel()
            self.settle(number, "cancelled")
            abandon_dependents(job)

    def stop(self) -> None:
        self.connection.close()


if __name__ == "__main__":
    main(RQ)
