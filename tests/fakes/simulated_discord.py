"""A simulated Discord with the real client in it, asking a fake predictor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import simcord

from bot.discord_bot.client import HitmeterClient
from bot.rate_limits import Limit
from bot.reply import ResultCode
from tests.fakes.predictor import FakePredictor

AMPLE = Limit(0, 1)


@dataclass
class Seconds:
    """A clock that moves only when told."""

    now_s: float = 1_795_377_600.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Discord:
    """A server with one channel and two members, and the bot in it."""

    env: simcord.Env
    predictor: FakePredictor
    client: HitmeterClient
    counted: Counter[ResultCode]
    clock: Seconds
    build: Callable[..., HitmeterClient]
    guild: simcord.GuildHandle = field(init=False)
    channel: simcord.ChannelHandle = field(init=False)
    ann: simcord.MemberActor = field(init=False)
    ben: simcord.MemberActor = field(init=False)

    def __post_init__(self) -> None:
        self.guild = self.env.create_guild()
        self.channel = self.guild.create_text_channel("music")
        self.ann = self.guild.add_member(self.env.create_user("ann"))
        self.ben = self.guild.add_member(self.env.create_user("ben"))

    def calls(self, method: str, part: str = "") -> list[simcord.HttpLogEntry]:
        """List the requests of one method whose path holds ``part``."""
        return [entry for entry in self.env.http_requests if entry.method == method and part in entry.path]


StartDiscord = Callable[..., Awaitable[Discord]]
