"""The application, as Celery's worker and its client import it."""

from __future__ import annotations

import os

from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import task_revoked

from tailrace_driver import PRIORITIES, Failed, FailedPermanently, Plan, perform, report_settled

VISIBILITY_TIMEOUT = 60

# Celery itself reads the broker's URL from CELERY_BROKER_URL.
app = Celery("tasks")
app.conf.update(
    # Nobody reads the results.
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    # For Redis, 0 is the most urgent priority, and each step is a list of its own.
    broker_transport_options={"queue_order_strategy": "priority", "priority_steps": list(range(len(PRIORITIES)))},
)
if os.environ.get("TAILRACE_CELERY_LATE_ACKS"):
    app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1)
    app.conf.broker_transport_options["visibility_timeout"] = VISIBILITY_TIMEOUT


@app.task(bind=True, name="tasks.work", throws=(Failed,))
def work(task, fields: list) -> None:
    """Runs in a child process of Celery's worker."""
    attempt = task.request.retries + 1
    try:
        perform(fields, attempt, timeouts=(SoftTimeLimitExceeded,), slot=f"worker-1/{os.getpid()}")
    except FailedPermanently:
        raise
    except (Failed, SoftTimeLimitExceeded) as error:
        plan = Plan(fields)
        if plan.is_last(attempt):
            raise
        raise task.retry(exc=error, countdown=plan.retry_delay(attempt), max_retries=plan.retries) from None


@task_revoked.connect
def on_revoked(request=None, terminated: bool = False, **_: object) -> None:
    """Runs in Celery's worker when it drops a task that was revoked before it started."""
    if not terminated:
        report_settled(int(request.id), "cancelled")
