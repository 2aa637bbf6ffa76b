"""Submits Tailrace's jobs to Dramatiq."""

from __future__ import annotations

import os
from pathlib import Path

from tailrace_driver import Driver, Job, main
from tailrace_driver.redis_server import redis

#: The default of `dramatiq --threads`.
THREADS = 8


def worker_of(master: int) -> int:
    """The process that runs jobs. Its parent, the master, supervises it, and ends if it dies."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return int(children[0]) if children else master


class DramatiqDriver(Driver):
    name = distribution = "dramatiq"
    lacks = ("cancellation", "dependencies")

    def start(self) -> None:
        server = redis(self)
        os.environ["TAILRACE_DRAMATIQ_URL"] = server.url
        import tasks  # It reads the environment.

        self.actors = tasks.ACTORS
        processes = next(count for count in range(1, self.workers + 1) if self.threads_in(count))
        threads = self.threads_in(processes)
        for number in range(1, processes + 1):
            name = f"worker-{number}"
            process = self.start_python(
                *("worker", name, "-m", "dramatiq", "tasks", "--processes", "1", "--threads", str(threads))
            )
            process.find_pid = lambda process=process: worker_of(process.popen.pid)
        self.settings |= {"processes": str(processes), "threads": str(threads)}

    def threads_in(self, processes: int) -> int:
        """How many threads each of so many processes has; 0: it cannot be."""
        threads, rest = divmod(self.workers, processes)
        return 0 if rest or threads > THREADS else threads

    def submit(self, job: Job) -> None:
        kind = job.type
        options = {"max_retries": kind.retries}
        if kind.timeout_ns:
            options["time_limit"] = kind.timeout_ns / 1e6
        delay = round(job.delay * 1000) if job.delay_ns else None
        self.actors[job.rank].send_with_options(args=(job.plan,), delay=delay, **options)


if __name__ == "__main__":
    main(DramatiqDriver)
