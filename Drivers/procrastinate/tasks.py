"""The application, as Procrastinate's worker and its client import it."""

from __future__ import annotations

import logging
import os

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job

from tailrace_driver import FailedPermanently, Plan, perform_async

#: Above the priorities of all jobs, so that a full queue does not keep stalled jobs waiting.
HOUSEKEEPING = 10

# By default, each pool keeps four connections, and waits 30 s for one if the server is away.
connector = PsycopgConnector(conninfo=os.environ["TAILRACE_PROCRASTINATE_URL"], min_size=1, max_size=4, timeout=5)
app = App(connector=connector)

# Failures are planned. The worker's other errors are worth a line in the log.
logging.getLogger("procrastinate.worker").addFilter(lambda record: getattr(record, "action", None) != "job_error")


class PlannedRetries(BaseRetryStrategy):
    """Retries with the delays of the job's type. `RetryStrategy` takes one setting for all jobs of a task."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        plan = Plan(job.task_kwargs["fields"])
        attempt = job.attempts + 1
        if isinstance(exception, FailedPermanently) or plan.is_last(attempt):
            return None
        return RetryDecision(retry_in={"microseconds": round(plan.retry_delay(attempt) * 1e6)})


@app.task(name="work", retry=PlannedRetries(), pass_context=True)
async def work(context: JobContext, fields: list) -> None:
    """Runs in the event loop of Procrastinate's worker."""
    await perform_async(fields, context.job.attempts + 1, timeouts=())


@app.periodic(cron="* * * * *")
@app.task(name="retry_stalled", queueing_lock="retry_stalled", pass_context=True, priority=HOUSEKEEPING)
async def retry_stalled(context: JobContext, timestamp: int) -> None:
    """Puts the jobs of dead workers back, as Procrastinate's documentation shows. Nothing else would."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs():
        await manager.retry_job(job)
