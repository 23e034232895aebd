"""Tells other machines how the bot is: /healthz for whoever restarts it, /metrics for Prometheus."""

from __future__ import annotations

import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bot.metrics import Metrics
from core.errors import SettingsError

HEALTH_PATH: Final = "/healthz"
METRICS_PATH: Final = "/metrics"


class Health:
    """Knows which platforms are served.

    The bot is "ok" while all of its platforms are, "degraded" while some are, "down" while none is; a bot without
    platforms has none that fails.
    """

    def __init__(self, metrics: Metrics) -> None:
        """Take the metrics to show and to tell of every change."""
        self._metrics = metrics
        self._up: dict[str, bool] = {}

    def mark(self, platform: str, up: bool) -> None:
        """Note that a platform is served or no longer is."""
        self._up[platform] = up
        self._metrics.on_platform(platform, up)

    @property
    def status(self) -> str:
        """One word for the whole: "ok", "degraded" or "down"."""
        if all(self._up.values()):
            return "ok"
        return "degraded" if any(self._up.values()) else "down"

    async def healthz(self, _: web.Request) -> web.Response:
        """Answer 200, or 503 while nothing is served."""
        state = {name: "up" if up else "down" for name, up in sorted(self._up.items())}
        return web.json_response(
            {"status": self.status, "platforms": state}, status=503 if self.status == "down" else 200
        )

    async def metrics(self, _: web.Request) -> web.Response:
        """Answer in Prometheus's text format."""
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@asynccontextmanager
async def listening(
    host: str, port: int, add_routes: Callable[[web.UrlDispatcher], None], *, setting: str
) -> AsyncIterator[int]:
    """Serve HTTP while the block runs and give the port, chosen by the system if ``port`` is 0.

    Args:
        host: Address to bind.
        port: Port to bind.
        add_routes: Adds what is served.
        setting: What the names of the two settings begin with, "HEALTH" for HEALTH_HOST and HEALTH_PORT.

    Raises:
        SettingsError: The address cannot be bound; it names the setting at fault.
    """
    app = web.Application()
    add_routes(app.router)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except (OSError, UnicodeError) as error:  # UnicodeError: a host that no name can be
            fault = _bind_fault(setting, host, port, error)
            raise SettingsError(fault, user_message=fault) from None
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _bind_fault(setting: str, host: str, port: int, error: OSError | UnicodeError) -> str:
    """Say which of the two settings is at fault, and why."""
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return f"{setting}_PORT: {port} on {host} is in use already."
    if number in {errno.EACCES, errno.EPERM}:
        return f"{setting}_PORT: {port} on {host} may not be used by this user; above 1023 anybody may."
    if isinstance(error, UnicodeError | socket.gaierror) or number == errno.EADDRNOTAVAIL:
        return f"{setting}_HOST: {host} is no address of this machine."
    return f"{setting}_HOST and {setting}_PORT: {host}:{port} cannot be bound: {error.strerror}"


@asynccontextmanager
async def health_server(host: str, port: int | None, health: Health) -> AsyncIterator[int | None]:
    """Serve /healthz and /metrics while the block runs; nothing if ``port`` is None.

    Raises:
        SettingsError: The address cannot be bound; it names the setting at fault.
    """
    if port is None:
        yield None
        return

    def add_routes(router: web.UrlDispatcher) -> None:
        router.add_get(HEALTH_PATH, health.healthz)
        router.add_get(METRICS_PATH, health.metrics)

    async with listening(host, port, add_routes, setting="HEALTH") as bound:
        yield bound
