"""The broker and its actors, as Dramatiq's worker and its client import them."""

from __future__ import annotations

import os
import threading

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage, TimeLimitExceeded

from tailrace_driver import PRIORITIES, Failed, FailedPermanently, Plan, perform

broker = RedisBroker(url=os.environ["TAILRACE_DRAMATIQ_URL"])
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)


def work(fields: list) -> None:
    """Runs in a thread of Dramatiq's worker process."""
    attempt = CurrentMessage.get_current_message().options.get("retries", 0) + 1
    plan = Plan(fields)
    try:
        slot = f"{os.environ['TAILRACE_PROCESS']}/{threading.get_native_id()}"
        perform(fields, attempt, timeouts=(TimeLimitExceeded,), slot=slot)
    except FailedPermanently:
        raise
    except (Failed, TimeLimitExceeded) as error:
        # Dramatiq's own backoff has jitter; this is its way to say when exactly.
        raise dramatiq.Retry(str(error), delay=round(plan.retry_delay(attempt) * 1000)) from None


ACTORS = [
    dramatiq.actor(work, actor_name=name, queue_name=name, priority=rank, throws=(FailedPermanently,))
    for rank, name in enumerate(PRIORITIES)
]
