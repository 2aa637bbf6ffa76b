"""Cleans up after a driver that was killed.

The driver starts this file as a process of its own and keeps a pipe to it open. When the pipe closes, whatever the
reason, the guardian ends the driver's processes and deletes its folders. It imports little, to start fast.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time

#: All processes of a driver carry this environment variable. Its value is the driver's own.
VARIABLE = "TAILRACE_DRIVER_TOKEN"
#: The same for one process and its descendants.
PROCESS_VARIABLE = "TAILRACE_PROCESS_TOKEN"


def family(token: str, group: int, spared: set[int], variable: str = VARIABLE) -> list[int]:
    """The processes that carry the token, or belong to the process group."""
    mark = f"{variable}={token}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) in spared:
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                # The fields after the command's name, which may contain anything: state, parent, group.
                state, _, its_group = file.read().rpartition(b")")[2].split()[:3]
            if state in (b"Z", b"X"):
                continue
            if int(its_group) == group:
                found.append(int(entry))
                continue
            with open(f"/proc/{entry}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.append(int(entry))
        except (OSError, ValueError):
            continue  # It has ended, or belongs to another user.
    return found


def clean(token: str, group: int, spared: set[int], folders: list[str], variable: str = VARIABLE) -> None:
    """Kills the family and deletes the folders."""
    end = time.monotonic() + 3
    while (members := family(token, group, spared, variable)) and time.monotonic() < end:
        for member in members:
            try:
                os.kill(member, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.01)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    token, group, driver = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    data = b""
    # A copy of the pipe may live on in a process that the driver forked. So the parent counts as well.
    while os.getppid() == driver:
        if select.select([0], [], [], 0.5)[0]:
            chunk = os.read(0, 65536)
            if not chunk:
                break
            data += chunk
    # The kernel has told servers to end. PostgreSQL then removes its shared memory, which nobody else can do.
    spared = {os.getpid(), driver}
    end = time.monotonic() + 0.3
    while family(token, group, spared) and time.monotonic() < end:
        time.sleep(0.01)
    clean(token, group, spared, [os.fsdecode(line) for line in data.splitlines()])


if __name__ == "__main__":
    main()
