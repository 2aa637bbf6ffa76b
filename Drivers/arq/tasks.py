"""The settings and the function of arq's worker, as `arq tasks.WorkerSettings` imports them."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

from arq import Retry, func
from arq.connections import RedisSettings
from arq.logs import default_log_config

from tailrace_driver import Failed, FailedPermanently, Plan, perform_async

MAX_JOBS = int(os.environ["TAILRACE_ARQ_MAX_JOBS"])

#: The numbers of the slots in which no attempt runs.
free = list(range(MAX_JOBS, 0, -1))


async def work(context: dict[str, Any], fields: list) -> None:
    plan = Plan(fields)
    attempt = context["job_try"]
    number = free.pop()
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        await perform_async(fields, attempt, slot=f"{os.environ['TAILRACE_PROCESS']}/{number}")
    except FailedPermanently:
        raise
    except (Failed, asyncio.CancelledError) as error:
        is_late = plan.timeout_ns and loop.time() - started >= plan.timeout_ns * 0.9e-9
        if isinstance(error, asyncio.CancelledError) and not is_late:
            # The driver reads this in the result, and knows that the attempt has settled the job.
            raise asyncio.CancelledError("after its start") from None
        if plan.is_last(attempt):
            raise
        raise Retry(plan.retry_delay(attempt)) from None
    finally:
        free.append(number)


class WorkerSettings:
    # arq knows limits and tries of functions, not of jobs. So each job type is a function.
    functions = [
        func(work, name=name, timeout=timeout, max_tries=tries)
        for name, timeout, tries in json.loads(os.environ["TAILRACE_ARQ_FUNCTIONS"])
    ]
    redis_settings = RedisSettings.from_dsn(os.environ["TAILRACE_ARQ_URL"])
    max_jobs = MAX_JOBS
    poll_delay = float(os.environ["TAILRACE_ARQ_POLL_DELAY"])
    allow_abort_jobs = True


LOGGING = default_log_config(verbose=False)
LOGGING["loggers"]["arq"]["level"] = "WARNING"
