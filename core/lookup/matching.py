"""Decides which song a question means, over candidates from any source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from functools import lru_cache
from math import log10
from typing import Final

from core.domain import Candidate, SongName, SongQuery
from core.limits import CANDIDATES_MAX
from core.lookup.likeness import FoldedName, FoldedReading, both_found, folded_readings, likeness
from core.lookup.normalise import (
    artist_key,
    asked_versions,
    base_title,
    fold,
    names_nobody,
    song_key,
    title_key,
    version_words,
)
from core.lookup.romanise import is_foreign, romanised

# Measured on 1,000 questions with swapped order, typos, missing words, other accents and "feat." over the Spotify
# Tracks Dataset, once with the song asked for in the catalogue and once with it taken out.
SURE_LIKENESS: Final = 84.0
"""From here on the wording fits.

943 of 1,000 were answered at once and right, 4 at once and wrong; of those taken out, 45 were answered at once, mostly
with another recording of the same piece. With 78 these are 956, 5 and 99; with 90 they are 875, 4 and 28.
"""

NEARLY_LIKENESS: Final = 65.0
"""Below this a candidate is not worth offering: loses at most 1 in 1,000, and spares every third question in vain."""

RIVAL_GAP: Final = 5.0
"""Another song within so many points fits the wording as well."""

LIKELY_LIKENESS: Final = 78.0
"""From here on a song that stands alone is answered with the others offered beside it.

Of 2,281 questions this answers 25, all rightly, that would be asked back; of those taken out 70 get another song so.
"""

ALONE_GAP: Final = 8.0
"""With no other song within so many points the first is the only one at hand, though its wording fits badly."""

PROMINENCE_LEAD: Final = 15.0
"""So much better known, about six times the listeners, and the better known song is meant by an equal wording."""

PROMINENCE_WEIGHT: Final = 0.05
"""Points of likeness for each point of prominence: decides between equal wordings, never against a clear one."""

AGREEMENT_WEIGHT: Final = 0.3
"""Points for each point of mean likeness over all readings: "silence chronic law" is not the better known "Silence"."""

IMITATIONS: Final = frozenset({"karaoke", "cover"})
"""Versions by others than the song's artist: unless asked for they come after every song that fits, and none of them
is answered without being picked, however famous and however like the wording."""

SPELT_COST: Final = 0.99
"""For a name that the question spells in other letters than the song itself."""

OTHER_VERSION_COST: Final = 6.0
"""For a remix, live or karaoke version nobody asked for, and for lacking one that was asked for."""

MAX_CONSIDERED: Final = 1_000
"""Candidates looked at; sources list at most some dozens."""


class Decision(StrEnum):
    """What to do with a question."""

    SURE = "sure"
    LIKELY = "likely"
    NEARLY = "nearly"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Match:
    """A decision and the candidates behind it, the likeliest first, at most five."""

    decision: Decision
    candidates: tuple[Candidate, ...]


def match(query: SongQuery, candidates: Iterable[Candidate]) -> Match:
    """Decide which of ``candidates`` is meant.

    SURE: the first candidate is the song. LIKELY: it is the only one at hand, and worth answering if the others are
    offered beside it. NEARLY: the candidates are worth offering. NOTHING: none is near enough; the candidates are
    distant likenesses, perhaps none. Scores are likeness in wording, 0 to 100.
    """
    ranked = _ranked(query, candidates)
    shown = tuple(one.candidate for one in ranked[:CANDIDATES_MAX])
    if not shown or shown[0].score < NEARLY_LIKENESS:
        return Match(Decision.NOTHING, shown)
    clear = not ranked[0].imitation and not _has_rival(query, ranked) and not _names_artist(query, ranked)
    if shown[0].score >= SURE_LIKENESS and clear:
        return Match(Decision.SURE, shown)
    if clear and _stands_alone(query, ranked):
        return Match(Decision.LIKELY, shown)
    return Match(Decision.NEARLY, tuple(candidate for candidate in shown if candidate.score >= NEARLY_LIKENESS))


def rank(query: SongQuery, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Score candidates anew and sort them, the likeliest first, each song once."""
    return [one.candidate for one in _ranked(query, candidates)]


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A scored candidate.

    Attributes:
        candidate: With its score.
        fit: The score and how far the other readings agree.
        imitation: Whether it is a karaoke or tribute version that nobody asked for.
    """

    candidate: Candidate
    fit: float
    imitation: bool

    @property
    def turn(self) -> int:
        """Rank before all likeness: what fits, then imitations that fit, then the rest."""
        return 2 if self.candidate.score < NEARLY_LIKENESS else int(self.imitation)


def _ranked(query: SongQuery, candidates: Iterable[Candidate]) -> list[_Ranked]:
    readings = folded_readings(query)
    asked = asked_versions(query.text)
    merged: dict[str, Candidate] = {}
    for _, candidate in zip(range(MAX_CONSIDERED), candidates, strict=False):
        if names_nobody(candidate.name.artist):
            continue
        key = song_key(candidate.name.title, candidate.name.artist)
        merged[key] = _merged(merged[key], candidate) if key in merged else candidate
    words = fold(query.text)
    scored = [_scored(readings, words, asked, candidate) for candidate in merged.values()]
    scored.sort(key=lambda one: -(one.fit + PROMINENCE_WEIGHT * prominence(one.candidate)))
    return sorted(scored, key=lambda one: one.turn) if any(one.imitation for one in scored) else scored


def prominence(candidate: Candidate) -> float:
    """How well known a song is, 0 to 100: its Spotify popularity or its Last.fm listeners on a like scale."""
    by_listeners = 20 * log10(max(candidate.listeners or 1, 1)) - 40
    return min(100.0, max(by_listeners, float(candidate.popularity or 0), 0.0))


def _scored(readings: tuple[FoldedReading, ...], words: str, asked: frozenset[str], candidate: Candidate) -> _Ranked:
    latin = not is_foreign(words)
    name = candidate.name
    best, mean = likeness(readings, FoldedName.of(name.title, name.artist, candidate.credits))
    if latin:
        for spelt in _spellings(candidate):
            alike = likeness(readings, FoldedName.of(spelt.title, spelt.artist, _latin(candidate.credits)))
            best, mean = max((best, mean), tuple(SPELT_COST * figure for figure in alike))
    versions, usual = _versions(name.title, name.artist)
    wanted = asked - usual
    if versions & IMITATIONS and artist_key(name.artist) in words:
        # Whoever names such an artist asks for such a version.
        versions = version_words(name.title)
    cost = OTHER_VERSION_COST * (bool(versions - wanted - {"version"}) + bool(wanted - versions))
    score = max(0.0, best - cost)
    scored = replace(candidate, score=score)
    imitation = bool(versions & IMITATIONS) and not asked & IMITATIONS
    return _Ranked(scored, score + AGREEMENT_WEIGHT * mean, imitation)


def _spellings(candidate: Candidate) -> tuple[SongName, ...]:
    """List how a name in other letters is typed in Latin ones; a source other than the catalogue does not tell."""
    name = candidate.name
    if candidate.spellings or not is_foreign(f"{name.title}{name.artist}"):
        return candidate.spellings
    return (SongName(romanised(name.title), romanised(name.artist)),)


def _latin(artists: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(romanised, artists))


@lru_cache(1 << 12)
def _versions(title: str, artist: str) -> tuple[frozenset[str], frozenset[str]]:
    """Name the version words of a song, and those that merely belong to its name ("Live Forever", "Piano Man")."""
    return version_words(title, artist), asked_versions(f"{base_title(title)} {artist}")


def _merged(first: Candidate, second: Candidate) -> Candidate:
    """Join what two sources or records say of one song, under the name that most people play."""
    return replace(
        first,
        name=second.name if (second.listeners or 0) > (first.listeners or 0) else first.name,
        listeners=max((n for n in (first.listeners, second.listeners) if n is not None), default=None),
        popularity=max((n for n in (first.popularity, second.popularity) if n is not None), default=None),
        credits=first.credits or second.credits,
        spellings=first.spellings or second.spellings,
    )


class Exactness(IntEnum):
    """How much of a song's name a question gives as it is, spelling apart."""

    NO = 0
    TITLE = 1
    BY_GUEST = 2
    WHOLE = 3


def exactness(query: SongQuery, candidate: Candidate) -> Exactness:
    """Tell whether a reading of the question is the very name of a song, or its title with another of its artists."""
    best = Exactness.NO
    for spelt in (candidate.name, *_spellings(candidate)):
        name = FoldedName.of(spelt.title, spelt.artist, candidate.credits)
        wholes = (*name.wholes, f"{name.artists[0]} {name.key}")
        by_guests = tuple(whole for guest in name.artists for whole in (f"{name.key} {guest}", f"{guest} {name.key}"))
        for reading in folded_readings(query):
            if reading.artist is None and reading.key in wholes:
                return Exactness.WHOLE
            if reading.artist is None and reading.key in by_guests:
                best = max(best, Exactness.BY_GUEST)
            elif reading.key == name.key:
                if reading.artist == name.artists[0]:
                    return Exactness.WHOLE
                if reading.artist is None or reading.artist in name.artists:
                    best = max(best, Exactness.TITLE if reading.artist is None else Exactness.BY_GUEST)
    return best


def _stands_alone(query: SongQuery, ranked: list[_Ranked]) -> bool:
    """Tell whether the first song alone is near, and is like the question in its title and its artist."""
    first, *others = ranked
    if first.candidate.score < LIKELY_LIKENESS or not any(
        both_found(folded_readings(query), FoldedName.of(spelt.title, spelt.artist, first.candidate.credits))
        for spelt in (first.candidate.name, *_spellings(first.candidate))
    ):
        return False
    return all(
        other.candidate.score < NEARLY_LIKENESS
        or first.fit - other.fit >= ALONE_GAP
        or _same_song(first.candidate, other.candidate)
        for other in others
    )


def _has_rival(query: SongQuery, ranked: list[_Ranked]) -> bool:
    """Tell whether another song fits as well and is not plainly less known than the first.

    A song that is named as it is has no rivals but those that are too. Where the artist is unknown, being known counts
    for nothing.
    """
    first, *others = ranked
    known = prominence(first.candidate)
    exact = exactness(query, first.candidate)
    for other in others:
        near = first.fit - other.fit < RIVAL_GAP and exactness(query, other.candidate) >= exact
        led = not query.artist_unknown and known - prominence(other.candidate) >= PROMINENCE_LEAD
        if (
            near
            and not led
            and (first.imitation or not other.imitation)
            and not _same_song(first.candidate, other.candidate)
        ):
            return True
    return False


def _names_artist(query: SongQuery, ranked: list[_Ranked]) -> bool:
    """Tell whether the question is an artist's name and the first song has another title: "the weeknd"."""
    first, *_ = folded_readings(query)
    if first.artist is not None or title_key(ranked[0].candidate.name.title) == first.key:
        return False
    asked = artist_key(query.readings[0].title)
    return any(artist_key(one.candidate.name.artist) == asked for one in ranked)


def _same_song(first: Candidate, second: Candidate) -> bool:
    return artist_key(first.name.artist) == artist_key(second.name.artist) and base_title(
        first.name.title
    ) == base_title(second.name.title)
