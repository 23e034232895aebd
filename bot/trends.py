"""Says how a song's figures and its chance developed, or that it is too early to tell, as platform-free replies."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot import messages
from bot.replies import growth_words, source_line
from bot.reply import Line, LineKind, Reply, ResultCode, text_reply
from core.domain import Trend
from core.figure_log import DAYS_MIN
from core.language import say
from core.text import change, day, percent, short_count


def trend_reply(trend: Trend, now: datetime) -> Reply:
    """Say what became of listeners, plays and chance since the oldest figures known."""
    prediction, figures = trend.prediction, trend.figures
    name = prediction.song.name
    if not figures:
        return text_reply(ResultCode.INFORMED, say(messages.TREND_NONE, name=name), private=True)
    first, last = figures[0], figures[-1]
    if trend.probability_then is None:
        again = max(first.day + timedelta(days=DAYS_MIN), now.date() + timedelta(days=1))
        told = say(messages.TREND_TOO_EARLY, name=name, date=day(first.day), again=day(again))
        return text_reply(ResultCode.INFORMED, told, private=True)
    assessment = prediction.assessment
    chance = say(messages.TREND_CHANCE, then=percent(trend.probability_then), now=percent(assessment.probability))
    since = say(
        messages.TREND_SINCE,
        date=day(first.day),
        listeners_then=short_count(first.listeners),
        listeners_now=short_count(last.listeners),
        listeners=change(last.listeners / max(first.listeners, 1) - 1),
        plays_then=short_count(first.plays),
        plays_now=short_count(last.plays),
        plays=change(last.plays / max(first.plays, 1) - 1),
    )
    lines = [
        Line(LineKind.HEADLINE, chance),
        Line(LineKind.TEXT, since),
        None if prediction.growth is None else Line(LineKind.GROWTH, growth_words(prediction.growth)),
        Line(LineKind.DOUBT, say(messages.TREND_NOTE)),
        Line(LineKind.SOURCE, source_line(prediction.source, assessment.trained_at, now)),
    ]
    return Reply(
        code=ResultCode.TREND,
        lines=tuple(line for line in lines if line is not None),
        title=say(messages.TREND_TITLE, name=name),
        title_url=prediction.song.url,
        verdict=assessment.verdict,
        trend=trend,
    )
