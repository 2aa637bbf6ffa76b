"""The broker, the scheduler and the task, as taskiq's worker, scheduler and client import them."""

from __future__ import annotations

import os
from typing import Any

from taskiq import Context, SmartRetryMiddleware, TaskiqDepends, TaskiqMessage, TaskiqScheduler
from taskiq_redis import ListRedisScheduleSource, RedisStreamBroker

from tailrace_driver import Failed, FailedPermanently, Plan, perform_async

URL = os.environ["TAILRACE_TASKIQ_URL"]


class PlannedRetries(SmartRetryMiddleware):
    """taskiq's retries, except for errors that are final, and with delays that grow as planned."""

    def is_retry_on_error(self, message: TaskiqMessage) -> bool:
        return "is_final" not in message.labels

    def make_delay(self, message: TaskiqMessage, retries: int) -> float:
        return Plan(message.args[0]).retry_delay(retries)


source = ListRedisScheduleSource(URL)
broker = RedisStreamBroker(URL, consumer_id="0", unacknowledged_lock_timeout=60).with_middlewares(
    PlannedRetries(schedule_source=source, types_of_exceptions=(Failed, TimeoutError))
)
scheduler = TaskiqScheduler(broker, [source])

#: The numbers of the slots in which no attempt runs.
free = list(range(int(os.environ["TAILRACE_TASKIQ_TASKS"]), 0, -1))


@broker.task(task_name="work")
async def work(fields: list[Any], context: Context = TaskiqDepends()) -> None:  # noqa: B008
    attempt = int(context.message.labels.get("_retries", 0)) + 1
    number = free.pop()
    try:
        await perform_async(fields, attempt, slot=f"{os.environ['TAILRACE_PROCESS']}/{number}")
    except FailedPermanently:
        context.message.labels["is_final"] = "true"
        raise
    finally:
        free.append(number)
