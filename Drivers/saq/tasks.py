"""The settings and the function of SAQ's worker, as `saq tasks.settings` imports them."""

from __future__ import annotations

import os
from typing import Any

from saq import Queue

from tailrace_driver import FailedPermanently, Plan, perform_async

CONCURRENCY = int(os.environ["TAILRACE_SAQ_CONCURRENCY"])

#: The numbers of the slots in which no attempt runs.
free = list(range(CONCURRENCY, 0, -1))


async def work(context: dict[str, Any], *, fields: list) -> None:
    job = context["job"]
    # SAQ's own backoff has jitter.
    job.retry_delay = Plan(fields).retry_delay(job.attempts)
    number = free.pop()
    try:
        await perform_async(fields, job.attempts, slot=f"{os.environ['TAILRACE_PROCESS']}/{number}")
    except FailedPermanently:
        job.retries = job.attempts
        raise
    finally:
        free.append(number)


settings = {
    "queue": Queue.from_url(os.environ["TAILRACE_SAQ_URL"], name="tailrace"),
    "functions": [work],
    "concurrency": CONCURRENCY,
}
