"""Submits Tailrace's jobs to an asyncio.PriorityQueue."""

from __future__ import annotations

import asyncio
from itertools import count

from tailrace_driver import AsyncDriver, Failed, Job, main, perform_async


class AsyncioQueue(AsyncDriver):
    name = "asyncio-queue"
    lacks = ("dependencies", "retries", "cancellation")
    warm_up_slots = 0

    async def start(self) -> None:
        # Entries: (rank, order of arrival, job).
        self.queue: asyncio.PriorityQueue[tuple[int, int, Job]] = asyncio.PriorityQueue()
        self.arrivals = count()
        self.tasks = [asyncio.create_task(self.worker(f"worker-{slot + 1}")) for slot in range(self.workers)]
        self.notes.append("All jobs run in the event loop that also submits them.")

    def submit(self, job: Job) -> None:
        if job.delay_ns:
            asyncio.get_running_loop().call_later(job.delay, self.put, job)
        else:
            self.put(job)

    def put(self, job: Job) -> None:
        self.queue.put_nowait((job.rank, next(self.arrivals), job))

    async def worker(self, slot: str) -> None:
        while True:
            _, _, job = await self.queue.get()
            try:
                async with asyncio.timeout(job.type.timeout):
                    await perform_async(job.plan, slot=slot)
            except (Failed, TimeoutError):
                pass
            self.queue.task_done()


if __name__ == "__main__":
    main(AsyncioQueue)
