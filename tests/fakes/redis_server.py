"""A real redis-server on a free port, for the length of a test."""

from __future__ import annotations

import shutil
import socket
import subprocess
from typing import Self

PROGRAM = shutil.which("redis-server")
MISSING = "redis-server is not installed"


class RedisServer:
    """A context manager that starts the server; it keeps nothing on disk.

    Attributes:
        url: Address to give to a client.
    """

    def __init__(self) -> None:
        """Choose a free port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop it, if it still runs."""
        if self._process.poll() is None:
            self.kill()

    def start(self) -> None:
        """Start it, again after a kill, on the same port, and wait until it answers."""
        assert PROGRAM is not None, MISSING
        arguments = [PROGRAM, "--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)  # noqa: S603
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready to accept connections" in line:
                return
        raise RuntimeError("redis-server did not start")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.communicate()
