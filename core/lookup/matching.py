"""Decides which song a question means, over candidates from any source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from math import log10
from typing import Final

from core.domain import Candidate, SongQuery
from core.limits import CANDIDATES_MAX
from core.lookup.likeness import FoldedName, FoldedReading, folded_readings, likeness
from core.lookup.normalise import artist_key, asked_versions, base_title, song_key, version_words

# Measured on 1,000 misspelt questions over the Spotify Tracks Dataset, once with the song asked for in the catalogue
# and once with it taken out; scripts and figures are described in CONTRIBUTING.
SURE_LIKENESS: Final = 84.0
"""From here on the wording fits."""

NEARLY_LIKENESS: Final = 62.0
"""Below this a candidate is not worth offering."""

RIVAL_GAP: Final = 5.0
"""Another song within so many points fits the wording as well."""

PROMINENCE_LEAD: Final = 15.0
"""So much better known, about six times the listeners, and the better known song is meant by an equal wording."""

WELL_KNOWN: Final = 45.0
"""Prominence from which a song is a likely rival of any other; about 18,000 listeners or a popularity of 45."""

PROMINENCE_WEIGHT: Final = 0.05
"""Points of likeness for each point of prominence: decides between equal wordings, never against a clear one."""

OTHER_VERSION_COST: Final = 6.0
"""For a remix, live or karaoke version nobody asked for, and for lacking one that was asked for."""

MAX_CONSIDERED: Final = 1_000
"""Candidates looked at; sources list at most some dozens."""


class Decision(StrEnum):
    """What to do with a question."""

    SURE = "sure"
    NEARLY = "nearly"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Match:
    """A decision and the candidates behind it, the likeliest first, at most five."""

    decision: Decision
    candidates: tuple[Candidate, ...]


def match(query: SongQuery, candidates: Iterable[Candidate]) -> Match:
    """Decide which of ``candidates`` is meant.

    SURE: the first candidate is the song. NEARLY: the candidates are worth offering. NOTHING: none is near enough;
    the candidates are distant likenesses, perhaps none. Scores are likeness in wording, 0 to 100.
    """
    ranked = rank(query, candidates)
    shown = tuple(ranked[:CANDIDATES_MAX])
    if not ranked or ranked[0].score < NEARLY_LIKENESS:
        return Match(Decision.NOTHING, shown)
    if ranked[0].score >= SURE_LIKENESS and not _has_rival(ranked):
        return Match(Decision.SURE, shown)
    return Match(Decision.NEARLY, tuple(c for c in shown if c.score >= NEARLY_LIKENESS))


def rank(query: SongQuery, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Score candidates anew and sort them, the likeliest first, each song once."""
    readings = folded_readings(query)
    asked = asked_versions(query.text)
    merged: dict[str, Candidate] = {}
    for _, candidate in zip(range(MAX_CONSIDERED), candidates, strict=False):
        key = song_key(candidate.name.title, candidate.name.artist)
        merged[key] = _merged(merged[key], candidate) if key in merged else candidate
    scored = [replace(c, score=_score(readings, asked, c)) for c in merged.values()]
    return sorted(scored, key=lambda c: -(c.score + PROMINENCE_WEIGHT * prominence(c)))


def prominence(candidate: Candidate) -> float:
    """How well known a song is, 0 to 100: its Spotify popularity or its Last.fm listeners on a like scale."""
    by_listeners = 20 * log10(max(candidate.listeners or 1, 1)) - 40
    return min(100.0, max(by_listeners, float(candidate.popularity or 0), 0.0))


def _score(readings: tuple[FoldedReading, ...], asked: frozenset[str], candidate: Candidate) -> float:
    name = candidate.name
    text = likeness(readings, FoldedName.of(name.title, name.artist, candidate.credits))
    versions, usual = _versions(name.title, name.artist)
    wanted = asked - usual
    cost = OTHER_VERSION_COST * (bool(versions - wanted - {"version"}) + bool(wanted - versions))
    return max(0.0, text - cost)


@lru_cache(1 << 14)
def _versions(title: str, artist: str) -> tuple[frozenset[str], frozenset[str]]:
    """Name the version words of a song, and those that merely belong to its name ("Live Forever", "Piano Man")."""
    return version_words(title, artist), asked_versions(f"{base_title(title)} {artist}")


def _merged(first: Candidate, second: Candidate) -> Candidate:
    return replace(
        first,
        listeners=max((n for n in (first.listeners, second.listeners) if n is not None), default=None),
        popularity=max((n for n in (first.popularity, second.popularity) if n is not None), default=None),
        credits=first.credits or second.credits,
    )


def _has_rival(ranked: list[Candidate]) -> bool:
    """Tell whether another song fits as well and is not plainly less known than the first."""
    first, *others = ranked
    known = prominence(first)
    for other in others:
        near = first.score - other.score < RIVAL_GAP
        if near and not _same_song(first, other) and known - prominence(other) < PROMINENCE_LEAD:
            return True
    return False


def _same_song(first: Candidate, second: Candidate) -> bool:
    return artist_key(first.name.artist) == artist_key(second.name.artist) and base_title(
        first.name.title
    ) == base_title(second.name.title)
