"""Submits Tailrace's jobs to Procrastinate."""

from __future__ import annotations

import os

from tailrace_driver import PRIORITIES, Driver, Job, main
from tailrace_driver.postgres_server import postgres

#: The rank of the priority that becomes Procrastinate's default, 0. More urgent ones have higher numbers.
NORMAL = PRIORITIES.index("normal")


class Procrastinate(Driver):
    name = distribution = "procrastinate"
    lacks = ("dependencies", "timeouts")

    def start(self) -> None:
        server = postgres(self)
        os.environ["TAILRACE_PROCRASTINATE_URL"] = server.url
        import tasks  # It reads the environment.

        self.app, self.work = tasks.app, tasks.work
        self.app.open()
        self.app.schema_manager.apply_schema()
        # Procrastinate's numbers of the jobs.
        self.numbers: dict[int, int] = {}
        for number in range(1, self.workers + 1):
            name = f"worker-{number}"
            options = ["--app", "tasks.app", "--log-level", "warning", "worker", "--name", name]
            self.start_python("worker", name, "-m", "procrastinate", *options)
        self.settings |= {
            "concurrency": "1",
            "listen_notify": "true",
            "fetch_job_polling_interval": "5 s",
            "delete_jobs": "never",
            "retry_stalled_jobs": "once a minute",
        }

    def submit(self, job: Job) -> None:
        options = {"priority": NORMAL - job.rank}
        if job.delay_ns:
            options["schedule_in"] = {"microseconds": job.delay_ns // 1000}
        self.numbers[job.number] = self.work.configure(**options).defer(fields=job.plan)

    def cancel(self, number: int) -> None:
        if self.app.job_manager.cancel_job_by_id(self.numbers[number]):
            self.settle(number, "cancelled")

    def stop(self) -> None:
        self.app.close()


if __name__ == "__main__":
    main(Procrastinate)
