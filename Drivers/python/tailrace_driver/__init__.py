"""What all Python drivers of Tailrace share: everything that is not about one scheduler.

A driver derives from `Driver` (clients that block) or `AsyncDriver` (clients for asyncio) and calls `main`. Its workers
call `perform` or `perform_async` for each attempt. See Drivers/README.md.
"""

from .contract import PRIORITIES, Job, JobType
from .driver import AsyncDriver, Driver, main
from .processes import Unable
from .work import Failed, FailedPermanently, Plan, perform, perform_async, report_settled

__all__ = [
    "PRIORITIES",
    "AsyncDriver",
    "Driver",
    "Failed",
    "FailedPermanently",
    "Job",
    "JobType",
    "Plan",
    "Unable",
    "main",
    "perform",
    "perform_async",
    "report_settled",
]
