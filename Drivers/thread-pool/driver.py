"""Submits Tailrace's jobs to a concurrent.futures.ThreadPoolExecutor."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from tailrace_driver import Driver, Job, main, perform


def work(fields: list) -> None:
    """Runs in a thread of the pool."""
    perform(fields, slot=threading.current_thread().name)


class ThreadPool(Driver):
    name = "thread-pool"
    lacks = ("priorities", "delays", "dependencies", "retries", "timeouts")
    warm_up_slots = 0

    def start(self) -> None:
        self.executor = ThreadPoolExecutor(self.workers, thread_name_prefix="worker")
        self.futures: dict[int, Future] = {}
        self.notes.append("All jobs run in threads of the process that also submits them.")

    def submit(self, job: Job) -> None:
        self.futures[job.number] = self.executor.submit(work, job.plan)

    def cancel(self, number: int) -> None:
        if self.futures[number].cancel():
            self.settle(number, "cancelled")


if __name__ == "__main__":
    main(ThreadPool)
