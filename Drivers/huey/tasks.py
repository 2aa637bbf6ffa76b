"""The queue and its task, as Huey's consumer and its client import them."""

from __future__ import annotations

import os

from huey import CancelExecution, PriorityRedisHuey
from huey.exceptions import TaskTimeout
from huey.signals import SIGNAL_REVOKED

from tailrace_driver import FailedPermanently, Plan, perform, report_settled

queue = PriorityRedisHuey("tailrace", url=os.environ["TAILRACE_HUEY_URL"])


@queue.task(context=True)
def work(fields: list, task=None) -> None:
    """Runs in a worker process of Huey's consumer."""
    # Huey counts the retries that are left.
    attempt = Plan(fields).retries - task.retries + 1
    try:
        perform(fields, attempt, timeouts=(TaskTimeout,), slot=f"worker-1/{os.getpid()}")
    except FailedPermanently:
        raise CancelExecution(retry=False) from None


@queue.signal(SIGNAL_REVOKED)
def on_revoked(signal: str, task, *_: object) -> None:
    """Runs in the worker process that drops a task which was revoked before it started."""
    report_settled(int(task.id), "cancelled")
