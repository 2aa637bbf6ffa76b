"""A driver without a scheduler: it does each job's work in its own event loop. The example for authors."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from time import monotonic_ns

from tailrace_driver import AsyncDriver, Job, main

OUTCOMES = {"succeeds": b"succeeded", "fails": b"failed", "fails_permanently": b"failed_permanently"}


class Noop(AsyncDriver):
    name = "noop"
    warm_up_slots = 0

    async def start(self) -> None:
        self.loop = self._loop
        self.slots = deque(range(1, self.workers + 1))
        # Eligible jobs: (rank, when eligible, number, attempt). A job that is cancelled is forgotten, not removed.
        self.heap: list[tuple[int, int, int, int]] = []
        self.jobs: dict[int, Job] = {}
        self.running: dict[int, tuple] = {}
        self.blockers: dict[int, int] = {}
        self.dependents: dict[int, list[int]] = {}
        self.ended: dict[int, bool] = {}

    def submit(self, job: Job) -> None:
        number = job.number
        self.jobs[number] = job
        if job.depends_on:
            if any(self.ended.get(other) is False for other in job.depends_on):
                return self.end_without_attempt(number, "dependency_failed")
            blockers = [other for other in set(job.depends_on) if other not in self.ended]
            for other in blockers:
                self.dependents.setdefault(other, []).append(number)
            if blockers:
                self.blockers[number] = len(blockers)
                return
        self.wait(job, 1, job.delay_ns)

    def wait(self, job: Job, attempt: int, delay_ns: int) -> None:
        if delay_ns:
            self.loop.call_later(delay_ns / 1e9, self.make_eligible, job, attempt)
        else:
            self.make_eligible(job, attempt)

    def make_eligible(self, job: Job, attempt: int) -> None:
        if job.number in self.jobs:
            heappush(self.heap, (job.rank, monotonic_ns(), job.number, attempt))
            self.start_next()

    def start_next(self) -> None:
        while self.slots and self.heap:
            _, eligible, number, attempt = heappop(self.heap)
            job = self.jobs.get(number)
            if not job:
                continue
            service_ns, ending = job.attempts[min(attempt, len(job.attempts)) - 1]
            limit = job.type.timeout_ns
            outcome = OUTCOMES.get(ending)
            if limit and (not outcome or service_ns > limit):
                service_ns, outcome = limit, b"timed_out"
            slot = self.slots.popleft()
            started = monotonic_ns()
            if self.hello.get("report_starts"):
                self.send(
                    b'{"type":"started","job":%d,"attempt":%d,"worker":"slot-%d","started_ns":%d}\n'
                    % (number, attempt, slot, started)
                )
            timer = None
            if service_ns and outcome:
                timer = self.loop.call_later(service_ns / 1e9, self.finish, number, outcome)
            self.running[number] = (slot, eligible, started, attempt, timer)
            if outcome and not service_ns:
                self.finish(number, outcome, False)

    def finish(self, number: int, outcome: bytes, starts_next: bool = True) -> None:
        slot, eligible, started, attempt, _ = self.running.pop(number)
        job = self.jobs[number]
        again = outcome in (b"failed", b"timed_out") and attempt <= job.type.retries
        self.send(
            b'{"type":"attempt","job":%d,"attempt":%d,"worker":"slot-%d","eligible_ns":%d,"started_ns":%d,'
            b'"finished_ns":%d,"outcome":"%b"%b}\n'
            % (number, attempt, slot, eligible, started, monotonic_ns(), outcome, b"" if again else b',"settles":true')
        )
        self.slots.append(slot)
        if again:
            self.wait(job, attempt + 1, int(job.type.retry_delay(attempt) * 1e9))
        else:
            del self.jobs[number]
            self.release(number, outcome == b"succeeded")
        if starts_next:
            self.start_next()

    def end_without_attempt(self, number: int, cause: str) -> None:
        del self.jobs[number]
        self.settle(number, cause)
        self.release(number, False)

    def release(self, number: int, succeeded: bool) -> None:
        self.ended[number] = succeeded
        for dependent in self.dependents.pop(number, ()):
            if dependent in self.jobs:
                if not succeeded:
                    self.end_without_attempt(dependent, "dependency_failed")
                else:
                    self.blockers[dependent] -= 1
                    if not self.blockers[dependent]:
                        self.wait(self.jobs[dependent], 1, self.jobs[dependent].delay_ns)

    def cancel(self, number: int) -> None:
        if number in self.running:
            timer = self.running[number][4]
            if timer:
                timer.cancel()
            self.finish(number, b"cancelled")
        elif number in self.jobs:
            self.end_without_attempt(number, "cancelled")


if __name__ == "__main__":
    main(Noop)
