"""Decides which song a question means, over candidates from any source, by how alike their wording is, from 0 to 100.

All strings compared are folded by :mod:`core.lookup.normalise`. ``partial_ratio`` is not used: it calls "one" and
"someone like you" the same. Weights were chosen on 1,000 misspelt questions over the Spotify Tracks Dataset.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from functools import lru_cache
from math import log10
from typing import Final

from rapidfuzz import fuzz

from core.domain import Candidate, Reading, SongName, SongQuery
from core.limits import CANDIDATES_MAX
from core.lookup.normalise import (
    artist_key,
    asked_versions,
    base_title,
    names_nobody,
    normalize,
    short_title,
    song_key,
    title_key,
    version_words,
)
from core.lookup.romanise import is_foreign, romanised

TITLE_SHARE: Final = 0.58
"""Weight of the title against the artist when both are asked for."""

WEAK: Final = 60.0
"""Below this similarity a title or an artist counts as another one, and drags the whole down."""

WEAK_DRAG: Final = 0.35
"""Points lost for each point below :data:`WEAK`."""

FOUND: Final = 75.0
"""Below this best partial similarity a title or an artist is not among the words asked for."""

BOTH_FOUND: Final = 70.0
"""Least similarity of title and of artist in a song that is answered though its wording fits badly."""

WORD_ORDER_COST: Final = 0.98
"""Same words in another order."""

MISSING_WORDS_FLOOR: Final = 60.0
"""Similarity of a text that keeps almost none of the words of another, but adds none."""

EXTRA_WORDS_FLOOR: Final = 0.0
"""The same for a question with words that a title does not have: they name something else."""

EXTRA_NAMES_FLOOR: Final = 60.0
"""The same for an artist asked for together with others, "Queen & David Bowie" for "Queen"."""

SHORT_TITLE_COST: Final = 0.95
"""Asked for without what stands in brackets."""

COMPLETION_SIMILARITY: Final = 72.0
"""Least similarity of a half-typed, misspelt name to the beginning of a song's."""

GUEST_COST: Final = 0.97
"""Asked for by a guest instead of the first artist."""


@dataclass(frozen=True, slots=True)
class FoldedName:
    """A song's name ready to compare.

    Attributes:
        key: Its title.
        base: The title without version.
        short: The title without anything in brackets, as people say "Snow" for "Snow (Hey Oh)".
        artists: Artists in order, never empty.
        wholes: Title and artists as one text, with the first artist and with all.
    """

    key: str
    base: str
    short: str
    artists: tuple[str, ...]
    wholes: tuple[str, ...]

    @classmethod
    def of(cls, title: str, artist: str, others: tuple[str, ...] = ()) -> FoldedName:
        """Fold a name; ``others`` are further artists and may repeat the first."""
        return _folded_name(title, artist, others)


@lru_cache(1 << 12)
def _folded_name(title: str, artist: str, others: tuple[str, ...]) -> FoldedName:
    artists = tuple(dict.fromkeys(artist_key(name) for name in (artist, *others)))
    key = title_key(title)
    wholes = tuple(dict.fromkeys((f"{key} {artists[0]}", f"{key} {' '.join(artists)}")))
    return FoldedName(key, base_title(title), short_title(title), artists, wholes)


@dataclass(frozen=True, slots=True)
class FoldedReading:
    """One reading of a question ready to compare; ``artist`` is None when only a title was given."""

    key: str
    base: str
    artist: str | None


def folded_readings(query: SongQuery) -> tuple[FoldedReading, ...]:
    """Fold the readings of a question, likeliest first, without repeats or empty ones."""
    return tuple(dict.fromkeys(reading for reading in map(_folded_reading, query.readings) if reading.key))


def _folded_reading(reading: Reading) -> FoldedReading:
    artist = artist_key(reading.artist) if reading.artist is not None else None
    return FoldedReading(title_key(reading.title), base_title(reading.title), artist or None)


def similarity(readings: Sequence[FoldedReading], name: FoldedName) -> tuple[float, float]:
    """Compare a song with every reading; return the best and the mean similarity, each 0 to 100."""
    alike = [_of_reading(reading, name) for reading in readings]
    return (max(alike), sum(alike) / len(alike)) if alike else (0.0, 0.0)


def both_found(readings: Sequence[FoldedReading], name: FoldedName) -> bool:
    """Return whether a reading has the song's title and its artist, or as mere words both, each with a typo at most."""
    for reading in readings:
        if reading.artist is None:
            asked = reading.key
            if max(text_similarity(asked, text) for text in (name.key, name.base, name.short, *name.wholes)) > FOUND:
                return True
            continue
        title = max(text_similarity(reading.key, text) for text in (name.key, name.base, name.short))
        artist = max(text_similarity(reading.artist, artist, EXTRA_NAMES_FLOOR) for artist in name.artists)
        if min(title, artist) >= BOTH_FOUND:
            return True
    return False


def _of_reading(reading: FoldedReading, name: FoldedName) -> float:
    title = text_similarity(reading.key, name.key)
    if name.base != name.key or reading.base != reading.key:
        title = max(title, text_similarity(reading.base, name.base), text_similarity(reading.key, name.base))
    if name.short != name.base:
        title = max(title, SHORT_TITLE_COST * text_similarity(reading.key, name.short))
    if reading.artist is None:
        return max(title, _of_words(reading.key, name))
    artist = max(
        text_similarity(reading.artist, artist, EXTRA_NAMES_FLOOR) * (GUEST_COST if place else 1.0)
        for place, artist in enumerate(name.artists)
    )
    if len(name.artists) > 1:
        artist = max(artist, text_similarity(reading.artist, " ".join(name.artists)))
    drag = WEAK_DRAG * max(0.0, WEAK - min(title, artist))
    return max(0.0, TITLE_SHARE * title + (1 - TITLE_SHARE) * artist - drag)


def _of_words(asked: str, name: FoldedName) -> float:
    """Compare words of which nobody said what is title and what artist; both must be found among them."""
    whole = max(text_similarity(asked, whole) for whole in name.wholes)
    if name.short != name.key:
        shorter = f"{name.short} {name.artists[0]}"
        whole = max(whole, SHORT_TITLE_COST * text_similarity(asked, shorter))
    if whole <= FOUND:
        return whole
    # One word is enough to tell of an artist, "blinding lights lucas", but not of a title.
    artist = max(max(fuzz.partial_ratio(one, asked), fuzz.partial_token_set_ratio(one, asked)) for one in name.artists)
    title = max(fuzz.partial_ratio(title, asked) for title in (name.base, name.short))
    found = min(title, artist)
    return max(0.0, whole - WEAK_DRAG * max(0.0, FOUND - found))


@lru_cache(1 << 12)
def text_similarity(asked: str, known: str, extra_floor: float = EXTRA_WORDS_FLOOR) -> float:
    """Compare two folded texts, forgiving typos, word order, joined words and left-out words, 0 to 100."""
    if asked == known:
        return 100.0
    best = fuzz.ratio(asked, known)
    if " " in asked or " " in known:
        best = max(
            best,
            WORD_ORDER_COST * fuzz.token_sort_ratio(asked, known),
            WORD_ORDER_COST * fuzz.ratio(asked.replace(" ", ""), known.replace(" ", "")),
        )
        subset = fuzz.token_set_ratio(asked, known) / 100
        if 100 * subset**2 > best:
            length, known_length = _distinct_chars(asked), _distinct_chars(known)
            kept = min(length, known_length) / max(length, known_length, 1)
            floor = MISSING_WORDS_FLOOR if length <= known_length else extra_floor
            best = max(best, WORD_ORDER_COST * subset**2 * (floor + (100 - floor) * kept))
    return float(best)


def _distinct_chars(text: str) -> int:
    """Count the characters of the distinct words, as ``token_set_ratio`` sees them."""
    return len("".join(set(text.split())))


def beginning_similarity(typed: str, name: FoldedName) -> float:
    """Compare a half-typed name with the beginnings of "title artist" and "artist title", 0 to 100."""
    wholes = (name.wholes[0], f"{name.artists[0]} {name.key}")
    lengths = (len(typed) + extra for extra in (-1, 0, 1))
    return max(float(fuzz.ratio(typed, whole[:length])) for length in lengths for whole in wholes)


# Measured on 1,000 questions with swapped order, typos, missing words, other accents and "feat." over the Spotify
# Tracks Dataset, once with the song asked for in the catalogue and once with it taken out.
SURE_SIMILARITY: Final = 84.0
"""From here on the wording fits.

943 of 1,000 were answered at once and right, 4 at once and wrong; of those taken out, 45 were answered at once, mostly
with another recording of the same piece. With 78 these are 956, 5 and 99; with 90 they are 875, 4 and 28.
"""

NEARLY_SIMILARITY: Final = 65.0
"""Below this a candidate is not worth offering: loses at most 1 in 1,000, spares a third of those that find nothing."""

RIVAL_GAP: Final = 5.0
"""Another song within so many points fits the wording as well."""

LIKELY_SIMILARITY: Final = 78.0
"""From here on a song that stands alone is answered with the others offered beside it.

Of 2,281 questions this answers 25, all rightly, that would be asked back; of those taken out 70 get another song so.
"""

ALONE_GAP: Final = 8.0
"""With no other song within so many points the first is the only one at hand, though its wording fits badly."""

PROMINENCE_LEAD: Final = 15.0
"""So much better known, about six times the listeners, and the better known song is meant by an equal wording."""

PROMINENCE_WEIGHT: Final = 0.05
"""Points of similarity for each point of prominence: decides between equal wordings, never against a clear one."""

AGREEMENT_WEIGHT: Final = 0.3
"""Points for each of mean similarity over all readings: "silence chronic law" is not the better known "Silence"."""

IMITATIONS: Final = frozenset({"karaoke", "cover"})
"""Versions by others than the song's artist: unless asked for they come after every song that fits, and none of them
is answered without being picked, however famous and however like the wording."""

SPELT_COST: Final = 0.99
"""For a name that the question spells in other letters than the song itself."""

OTHER_VERSION_COST: Final = 6.0
"""For a remix, live or karaoke version nobody asked for, and for lacking one that was asked for."""

PLAIN_VERSION_COST: Final = 1.5
"""For an edit or a version of no kind ("Edit", "English Version") nobody asked for: the song itself comes before it,
unless thirty points less prominent, and a source may well know the song alone."""

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
    distant similarities, perhaps none. Scores are similarity in wording, 0 to 100.
    """
    ranked = _ranked(query, candidates)
    shown = tuple(one.candidate for one in ranked[:CANDIDATES_MAX])
    if not shown or shown[0].score < NEARLY_SIMILARITY:
        return Match(Decision.NOTHING, shown)
    clear = not ranked[0].imitation and not _has_rival(query, ranked) and not _names_artist(query, ranked)
    if shown[0].score >= SURE_SIMILARITY and clear:
        return Match(Decision.SURE, shown)
    if clear and _stands_alone(query, ranked):
        return Match(Decision.LIKELY, shown)
    return Match(Decision.NEARLY, tuple(candidate for candidate in shown if candidate.score >= NEARLY_SIMILARITY))


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
        """Rank before all similarity: what fits, then imitations that fit, then the rest."""
        return 2 if self.candidate.score < NEARLY_SIMILARITY else int(self.imitation)


def _ranked(query: SongQuery, candidates: Iterable[Candidate]) -> list[_Ranked]:
    readings = folded_readings(query)
    asked = asked_versions(query.text)
    merged: dict[str, Candidate] = {}
    for _, candidate in zip(range(MAX_CONSIDERED), candidates, strict=False):
        if names_nobody(candidate.name.artist):
            continue
        key = song_key(candidate.name.title, candidate.name.artist)
        merged[key] = _merged(merged[key], candidate) if key in merged else candidate
    words = normalize(query.text)
    latin = not is_foreign(words)
    scored = [_scored(readings, words, asked, candidate, latin=latin) for candidate in merged.values()]
    scored.sort(key=lambda one: -(one.fit + PROMINENCE_WEIGHT * prominence(one.candidate)))
    return sorted(scored, key=lambda one: one.turn) if any(one.imitation for one in scored) else scored


def prominence(candidate: Candidate) -> float:
    """How well known a song is, 0 to 100: its Spotify popularity or its Last.fm listeners on a like scale."""
    by_listeners = 20 * log10(max(candidate.listeners or 1, 1)) - 40
    return min(100.0, max(by_listeners, float(candidate.popularity or 0), 0.0))


def _scored(
    readings: tuple[FoldedReading, ...], words: str, asked: frozenset[str], candidate: Candidate, *, latin: bool
) -> _Ranked:
    """Score a candidate; ``latin`` tells that the question has no other letters."""
    name = candidate.name
    best, mean = similarity(readings, FoldedName.of(name.title, name.artist, candidate.credits))
    if latin:
        for spelt in _spellings(candidate):
            alike = similarity(readings, FoldedName.of(spelt.title, spelt.artist, _latin(candidate.credits)))
            best, mean = max((best, mean), tuple(SPELT_COST * figure for figure in alike))
    versions, usual = _versions(name.title, name.artist)
    wanted = asked - usual
    if versions & IMITATIONS and artist_key(name.artist) in words:
        # Whoever names such an artist asks for such a version.
        versions = version_words(name.title)
    unasked = versions - wanted
    cost = OTHER_VERSION_COST * (bool(unasked - {"version"}) + bool(wanted - versions))
    cost += PLAIN_VERSION_COST * (unasked == {"version"})
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
    """Return whether a reading of the question is the very name of a song, or its title with another of its artists."""
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
    """Return whether the first song alone is near, and is like the question in its title and its artist."""
    first, *others = ranked
    if first.candidate.score < LIKELY_SIMILARITY or not any(
        both_found(folded_readings(query), FoldedName.of(spelt.title, spelt.artist, first.candidate.credits))
        for spelt in (first.candidate.name, *_spellings(first.candidate))
    ):
        return False
    return all(
        other.candidate.score < NEARLY_SIMILARITY
        or first.fit - other.fit >= ALONE_GAP
        or _same_song(first.candidate, other.candidate)
        for other in others
    )


def _has_rival(query: SongQuery, ranked: list[_Ranked]) -> bool:
    """Return whether another song fits as well and is not plainly less known than the first.

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
    """Return whether the question is an artist's name and the first song has another title: "the weeknd"."""
    first, *_ = folded_readings(query)
    if first.artist is not None or title_key(ranked[0].candidate.name.title) == first.key:
        return False
    asked = artist_key(query.readings[0].title)
    return any(artist_key(one.candidate.name.artist) == asked for one in ranked)


def _same_song(first: Candidate, second: Candidate) -> bool:
    return artist_key(first.name.artist) == artist_key(second.name.artist) and base_title(
        first.name.title
    ) == base_title(second.name.title)


@dataclass(frozen=True, slots=True)
class ArtistMatch:
    """An artist that may be meant: the name as its source writes it, and how alike the wording is, 0 to 100."""

    name: str
    score: float


def match_artists(asked: str, candidates: Iterable[Candidate]) -> tuple[ArtistMatch, ...]:
    """List the artists of ``candidates`` that are like a name, the likeliest first and of equals the best known.

    Compared as a song's artist is, in Latin letters too where the name is in others.
    """
    key, latin = artist_key(asked), not is_foreign(asked)
    best: dict[str, tuple[float, float, str]] = {}
    for candidate in candidates:
        names = [(candidate.name.artist, candidate.name.artist, 1.0)]
        names += [(one, one, 1.0) for one in candidate.credits]
        if latin:
            names += [(candidate.name.artist, spelt.artist, SPELT_COST) for spelt in _spellings(candidate)]
        for name, spelling, cost in names:
            if names_nobody(name):
                continue
            alike = cost * text_similarity(key, artist_key(spelling), EXTRA_NAMES_FLOOR)
            entry = (alike, prominence(candidate), name)
            best[artist_key(name)] = max(best.get(artist_key(name), entry), entry)
    return tuple(ArtistMatch(name, alike) for alike, _, name in sorted(best.values(), reverse=True))


def sure_artist(matches: Sequence[ArtistMatch]) -> ArtistMatch | None:
    """Return the artist that is surely meant; None if none is like enough, or another one is nearly as like."""
    if not matches or matches[0].score < SURE_SIMILARITY:
        return None
    rival = matches[1].score if len(matches) > 1 else 0.0
    return matches[0] if matches[0].score - rival >= RIVAL_GAP or matches[0].score == 100.0 else None
