"""The pipe to Tailrace, which the driver and its worker processes share.

A write of whole lines and at most 4,096 bytes is atomic, so the processes need no lock between them.
"""

from __future__ import annotations

import fcntl
import os
import stat

#: The most bytes that Linux writes to a pipe in one piece.
LIMIT = 4096

#: Names the driver's process and its descriptor of the pipe, for worker processes.
VARIABLE = "TAILRACE_REPORT"


class Pipe:
    """Writes lines. `write` may be called from any thread; `add` and `flush` from the main thread only."""

    __slots__ = ("descriptor", "_lines", "_size")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._lines: list[bytes] = []
        self._size = 0

    def write(self, line: bytes) -> None:
        os.write(self.descriptor, line)

    def add(self, line: bytes) -> None:
        """Keeps a line for the next `flush`, to save system calls."""
        size = self._size + len(line)
        if size > LIMIT:
            self.flush()
            size = len(line)
        self._lines.append(line)
        self._size = size

    def flush(self) -> None:
        if self._lines:
            data = b"".join(self._lines)
            self._lines.clear()
            self._size = 0
            os.write(self.descriptor, data)


def take_standard_output() -> Pipe:
    """Moves standard output away, so that whatever a library prints lands in the log instead of the conversation."""
    # A high number stays free for this purpose in worker processes, which may close and reuse low ones.
    descriptor = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 200)
    os.dup2(2, 1)
    os.environ[VARIABLE] = f"{os.getpid()}:{descriptor}"
    return Pipe(descriptor)


def take_standard_input() -> int:
    """Moves standard input away, so that no child process reads the conversation."""
    descriptor = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 100)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return descriptor


def inherited() -> Pipe:
    """The pipe in a worker process, or in the driver's own process."""
    try:
        process, descriptor = map(int, os.environ[VARIABLE].split(":"))
    except (KeyError, ValueError):
        raise RuntimeError(f"{VARIABLE} is not set: only a driver's processes can report attempts") from None
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode) or process == os.getpid():
            return Pipe(descriptor)
    except OSError:
        pass
    # The scheduler started this process with all descriptors closed.
    return Pipe(os.open(f"/proc/{process}/fd/{descriptor}", os.O_WRONLY | os.O_CLOEXEC))
