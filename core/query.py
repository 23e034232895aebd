"""From typed text to the ways it can be read as a song.

Forms: ``song - artist`` and ``artist - song`` with any dash, ``song by artist``, ``song | artist``, ``"song" artist``,
a song alone, a pasted link, each also with the phrases of :mod:`core.phrases` around it. The look-up tries the text as
it was typed as well, and the very song wins: the parser knows no songs.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Final

from core.domain import Reading, SongQuery
from core.errors import ArtistTooLong, EmptyQuery, LinkSaysNothing, NoArtist, QueryError, QueryTooLong
from core.limits import QUERY_MAX_CHARS
from core.links import LinkTarget, read_link, split_links
from core.lookup.normalise import (
    artist_key,
    asked_versions,
    first_artist,
    normalize,
    plain_title,
    speaks,
    version_words,
    visible,
)
from core.phrases import (
    QUESTION_MARKS,
    Pair,
    channel_artist,
    pair_of,
    video_question,
    without_phrases,
    without_pictures,
)

TEXT_MAX_CHARS: Final = 4_000
"""Longest text looked at: chats send no more, and links with tracking marks can pass the limit of a question."""

READINGS_MAX: Final = 6
"""Most readings kept; the forms yield no more for anything people type."""

_COMMAND: Final = re.compile(r"^/predict(?:@\w+)?(?:\s+|$)", re.IGNORECASE)
_MENTION: Final = re.compile(r"<(?:@[!&]?|#|a?:\w{1,32}:)\d{1,20}>")
_DASHES: Final = "֊‐‑‒–—―−⁃⸺⸻﹘﹣－~-"
_SPACED_DASH: Final = re.compile(rf"\s+[{_DASHES}]+\s+|(?<=\w)[{_DASHES}]+\s+|\s+[–—―]+(?=\w)|(?<=\w)--(?=\w)")
_LONG_DASH: Final = re.compile(r"\s*[–—―⸺⸻]\s*")
_PIPE: Final = re.compile(r"\s*[|｜¦]+\s*")
_SLASH: Final = re.compile(r"\s+/+\s+|\s*／\s*")
_BY: Final = re.compile(r"\s+(?:(?:performed|sung|covered)\s+)?by\s+", re.IGNORECASE)
_FEAT_WORD: Final = re.compile(r"\s[(\[]?(?:feat\.?|ft\.?|featuring)\s", re.IGNORECASE)
_QUOTED: Final = re.compile(
    r"\"([^\"]+)\"|“([^”“]+)[”“]|„([^“”„]+)[“”]|«([^»]+)»|»([^«]+)«|‹([^›]+)›|「([^」]+)」|『([^』]+)』|〝([^〟]+)〟"
    r"|＂([^＂]+)＂|❝([^❞]+)❞|(?<!\w)'([^']+(?:'\w[^']*)*)'(?!\w)|(?<!\w)‘([^‘]+)’(?!\w)|(?<!\w)`([^`]+)`(?!\w)"
)
_EDGES: Final = ' \t*_`"“”„«»‹›「」『』〝〟＂❝❞,;:|/·•>#' + _DASHES
_LOOSE_QUOTES: Final = "'‘’"
_DOUBLE_QUOTES: Final = str.maketrans("", "", '"“”„«»「」『』〝〟＂❝❞')
_OFFICIAL: Final = re.compile(
    r"[(\[](?:official|lyrics?|audio|video|music video|hd|hq|4k)\b[^)\]]*[)\]]", re.IGNORECASE
)

# What follows "by" in titles and is no artist: "Stand by Me", "Side by Side", "Down by the River"; "The" may be one.
_NO_ARTIST: Final = re.compile(
    r"(?i:me|you|him|her|us|them|it|myself|yourself|side|step|day|night|one|name|heart|design|numbers|and|now|then|far"
    r"|hand)\b|(?:my|your|the|a)\b"
)
# What people write around a link; anything else there is the name of a song.
_SMALL_TALK: Final = re.compile(
    r"(?:(?:a|about|again|and|any|at|by|can|check|cool|do|does|for|good|great|guys|hear|here|hey|hi|how|i|is|it|its|just"
    r"|like|link|listen|look|love|my|new|nice|now|of|ok|on|one|out|please|pls|popular|predict|rate|see|so|song|spotify"
    r"|thanks|that|the|think|this|to|track|try|video|watch|we|what|whats|will|would|yo|you|youtube|your)(?:\s|$))*"
)


@dataclass(frozen=True, slots=True)
class LinkedSong:
    """A question that is a link which has to be followed to know the song.

    Attributes:
        target: What to ask for.
        silence: The sentence for people if that tells no song.
        instead: The question in the words around the link, if they may name a song.
    """

    target: LinkTarget
    silence: str
    instead: SongQuery | None = None


Question = SongQuery | LinkedSong


def parse_question(text: str) -> Question:
    """Read a question like :func:`parse_query`, or tell which link has to be followed to know the song.

    Raises:
        QueryError: As for :func:`parse_query`; a link to follow is no reason.
    """
    links, rest = _typed(text)
    return _read_links(links, rest) if links else _read_text(rest)


def query_of(title: str, artist: str | None) -> SongQuery:
    """Write a question for the song that a service names, by its title alone if it does not tell the artist.

    Raises:
        QueryError: As for :func:`parse_query`.
    """
    title, artist = _composed(title), _composed(artist or "")
    shown = f"{title} - {artist}" if artist else title
    _check(shown)
    query = _query(shown, [_reading(title, artist or None)])
    return query if artist else replace(query, artist_unknown=True)


def query_of_video(title: str, channel: str) -> SongQuery:
    """Write a question for the song of a video.

    Raises:
        QueryError: As for :func:`parse_query`.
    """
    query = _read_text(_composed(video_question(_composed(title), _composed(channel))))
    first, *others = query.readings
    swapped = Reading(first.artist or "", first.title)
    if swapped not in others:
        return query
    # Videos are called "Artist - Song", unless the channel is the other one's.
    owner = artist_key(channel_artist(_composed(channel)))
    if owner == artist_key(first.title):
        in_order = False
    elif owner == artist_key(first.artist or ""):
        in_order = True
    else:
        in_order = query.text.find(first.artist or "") < query.text.find(first.title)
    return query if in_order else replace(query, readings=tuple(dict.fromkeys((swapped, *query.readings))))


def parse_pair(text: str) -> tuple[Pair, SongQuery] | None:
    """Read two songs to be compared, and the same text as one song; None if it names one, or is no question."""
    if len(text) > TEXT_MAX_CHARS:
        return None
    links, typed = _typed(text)
    if links or len(typed) > QUERY_MAX_CHARS or (pair := pair_of(typed)) is None:
        return None
    return pair, _read_plain(typed)


def parse_query(text: str) -> SongQuery:
    """Read a question in every way that makes sense, the likeliest first.

    Control characters, zero-width characters and direction overrides are dropped before anything is counted or shown.

    Args:
        text: What a person typed or pasted, of any length; questions may have 200 characters besides links.

    Raises:
        EmptyQuery: No letter or digit is left.
        QueryTooLong: More than 200 characters are left.
        LinkSaysNothing: There is only a link, and its address names no song.
        QueryError: No reading is left.
    """
    question = parse_question(text)
    if isinstance(question, SongQuery):
        return question
    if question.instead is not None:
        return question.instead
    raise LinkSaysNothing("the address names no song", user_message=question.silence)


def parse_artist(text: str) -> str:
    """Read the name of an artist.

    Raises:
        NoArtist: No letter, digit or sign is left.
        ArtistTooLong: More than 200 characters are left.
    """
    if len(text) > TEXT_MAX_CHARS:
        raise ArtistTooLong(f"{len(text)} characters")
    name = _composed(_MENTION.sub(" ", text)).strip(_EDGES)
    if not normalize(name):
        raise NoArtist("nothing is left")
    if len(name) > QUERY_MAX_CHARS:
        raise ArtistTooLong(f"{len(name)} characters")
    return name


def _composed(text: str) -> str:
    """Drop what is not visible, and join accents with their letters: apart, as in file names, no source finds them."""
    return visible(unicodedata.normalize("NFC", text))


def _typed(text: str) -> tuple[list[str], str]:
    """Part a text into the links in it and the rest.

    Raises:
        QueryTooLong: It is too long to be looked at.
    """
    if len(text) > TEXT_MAX_CHARS:
        raise QueryTooLong(f"{len(text)} characters")
    lines = [line for line in map(_composed, _MENTION.sub(" ", text).splitlines()) if line]
    if len(lines) == 2:
        lines = [line for line in lines if not without_phrases(line).pointing] or lines
    # Two lines are a title above an artist, as players copy them.
    joined = (" - " if len(lines) == 2 and not any(map(_is_no_name, lines)) else " ").join(lines)
    typed = _COMMAND.sub("", joined)
    links, rest = split_links(typed)
    return links, rest.strip(_EDGES) if links else typed


def _is_no_name(line: str) -> bool:
    """Return whether a line is more than a title or an artist's name, or introduces one: "Predict:"."""
    return line.endswith((":", *QUESTION_MARKS)) or _SPACED_DASH.search(line) is not None


def _read_links(links: list[str], rest: str) -> Question:
    news = [read_link(link) for link in links]
    for told in news:
        if told.search is not None:
            return _read_text(_composed(told.search))
        if told.reading is not None:
            return query_of(told.reading.title, told.reading.artist)
    said = speaks(rest) and not _SMALL_TALK.fullmatch(normalize(rest)) and not without_phrases(rest).pointing
    # Words with a dash or quotes name the song themselves; others may only talk about it.
    if not said or not (_SPACED_DASH.search(rest) or _PIPE.search(rest) or _QUOTED.search(rest)):
        for told in news:
            if told.target is not None:
                instead = _read_text(rest) if said and len(rest) <= QUERY_MAX_CHARS else None
                return LinkedSong(told.target, told.silence or LinkSaysNothing.user_message, instead)
    if not said:
        raise LinkSaysNothing("the address names no song", user_message=news[0].silence)
    return _read_text(rest)


def _read_text(text: str) -> SongQuery:
    """Read a text without the phrases around the song, and as it was typed."""
    literal = _read_plain(text)
    spoken = without_phrases(literal.text)
    meant = spoken.song
    if meant == literal.text:
        return literal
    if spoken.pointing:
        if literal.text.endswith(QUESTION_MARKS):
            raise EmptyQuery("the question names no song")
        return literal  # "Is It a Hit" is one
    query = _read_plain(meant)
    if set(query.readings) == set(literal.readings):
        return literal
    named = query.readings
    if _SPACED_DASH.split(meant)[-1] != _SPACED_DASH.split(literal.text)[-1] and len(_SPACED_DASH.split(meant)) == 2:
        # What was taken away stood behind the last part, as it does behind titles.
        named = (*reversed(named[:2]), *named[2:])
    if spoken.asked and literal.readings[0].artist is not None and not literal.text.endswith(QUESTION_MARKS):
        # "What About Love - Heart" names its artist and may be no question.
        named = (literal.readings[0], *named)
    parted = [] if spoken.parted is None else [_reading(*spoken.parted)]
    whole = _read_plain(spoken.whole).readings if spoken.whole != meant else ()
    return replace(_query(query.text, [*named, *parted, *whole, *literal.readings]), literal=literal)


def _read_plain(text: str) -> SongQuery:
    text = text.strip()
    _check(text)
    bare = without_pictures(text).strip(_EDGES)
    if not speaks(bare):
        raise EmptyQuery("no letter or digit")
    return _query(text, [*_from_quotes(text), *_readings(without_pictures(text))])


def _check(text: str) -> None:
    if not speaks(text):
        raise EmptyQuery("no letter or digit")
    if len(text) > QUERY_MAX_CHARS:
        raise QueryTooLong(f"{len(text)} characters")


def _query(text: str, readings: list[Reading | None]) -> SongQuery:
    kept = tuple(dict.fromkeys(reading for reading in readings if reading is not None))[:READINGS_MAX]
    if not kept:
        raise QueryError("no reading")
    return SongQuery(text, kept)


def _from_quotes(text: str) -> list[Reading | None]:
    """Read ``"song" artist``; quotes inside one side of a dash are left to that side."""
    spans = list(_QUOTED.finditer(text))
    if not spans or len(spans) > 2:
        return []
    first = spans[0]
    title = first[first.lastindex or 0]
    around = [text[: first.start()], text[first.end() :]]
    if not any(map(speaks, around)):
        return [] if _SPACED_DASH.search(title) or _BY.search(title) else [_reading(title, None)]
    sides = [side for side in map(_side, around) if speaks(side)]
    if len(sides) != 1 or _SPACED_DASH.search(sides[0]):
        return []
    return [_reading(title, sides[0])]


def _side(text: str) -> str:
    """Clean what stands beside a quoted title: "- The Weeknd", "by The Weeknd", "(Official Video)"."""
    text = plain_title(f"x {text}")[1:] if text.strip()[:1] in "([" else text
    return re.sub(r"^by\s+|\s+(?:by|with)$", "", text.strip(_EDGES), flags=re.IGNORECASE).strip(_EDGES + _LOOSE_QUOTES)


def _readings(text: str) -> list[Reading | None]:
    """Read text by its separators, the strongest first."""
    text = text.strip(_EDGES)
    whole = _reading(text, None)
    if whole is None:
        return []
    pipes = [part for part in _PIPE.split(text) if part.strip(_EDGES)]
    if len(pipes) > 1 and _SPACED_DASH.search(pipes[0]):
        # A video's title: "Artist - Song (Official Video) | Label".
        return _readings(pipes[0])
    if len(pipes) > 1:
        return [_reading(pipes[0], pipes[1]), _reading(pipes[1], pipes[0]), _words_of(pipes[0], pipes[1])]
    parts = [part for part in _SPACED_DASH.split(text) if part.strip(_EDGES)]
    if len(parts) > 1:
        return [*_by_behind_version(parts), *_from_parts(parts), _words_of(*parts)]
    bys = list(_BY.finditer(text))
    if bys:
        title, artist = text[: bys[-1].start()], text[bys[-1].end() :]
        split = _reading(title, artist)
        return [whole, split] if _NO_ARTIST.match(artist) else [split, _words_of(title, artist), _words_of(text)]
    long = [part for part in _LONG_DASH.split(text) if speaks(part)]
    if len(long) == 2:
        both, words = _from_parts(long), _words_of(*long)
        return [*both, words] if any(" " in part for part in long) else [words, *both]
    slashed = [part for part in _SLASH.split(text) if speaks(part)]
    if len(slashed) == 2:
        return [whole, *_from_parts(slashed)]
    return [_words_of(text), whole]


def _words_of(*parts: str) -> Reading | None:
    """Read title, artist and guests as mere words, for whoever can tell which is which."""
    words = (
        " ".join(_FEAT_WORD.sub(" ", part) for part in parts) if len(parts) == 1 else " ".join(map(plain_title, parts))
    )
    return _reading(" ".join(words.split()), None)


def _from_parts(parts: list[str]) -> list[Reading | None]:
    """Read what dashes part: the artist may stand last or first, and a version behind the title."""
    first, last, joined = parts[0], parts[-1], " - ".join
    artist_last = _reading(joined(parts[:-1]), last)
    artist_first = _reading(joined(parts[1:]), first)
    if _is_version(last):
        if len(parts) == 2:
            return [_reading(joined(parts), None), artist_last, artist_first]
        return [artist_first, _reading(joined([first, last]), joined(parts[1:-1]))]
    # "(Official Video)" and "feat." stand behind titles.
    titled_last = _OFFICIAL.search(last) or (version_words(last) and not version_words(first))
    return [artist_first, artist_last] if titled_last else [artist_last, artist_first]


def _by_behind_version(parts: list[str]) -> list[Reading | None]:
    """Read "Stay - Acoustic by Jonah Baker", where a version stands between title and "by"."""
    by = next(iter(_BY.finditer(parts[-1])), None)
    if by is None or not _is_version(parts[-1][: by.start()]):
        return []
    return [_reading(" - ".join([*parts[:-1], parts[-1][: by.start()]]), parts[-1][by.end() :])]


def _is_version(part: str) -> bool:
    """Distinguish "Remix", "Live at X" and "Remastered 2011" from an artist's name or "From Me to You"."""
    if part[:5].casefold() == "from ":
        return bool(_QUOTED.search(part))
    return plain_title(f"x - {part}") == "x" or bool(version_words(f"x - {part}") and asked_versions(part.split()[0]))


def _reading(title: str, artist: str | None) -> Reading | None:
    title = _part(plain_title(_part(title)))
    if artist is not None:
        artist = _part(first_artist(_part(plain_title(artist))))
    # "÷ - Ed Sheeran" and "!!! - Must Be the Moon" name songs; signs alone do not.
    if not title or not speaks(title + (artist or "")):
        return None
    return Reading(title, artist or None)


def _part(text: str) -> str:
    """Strip a title or artist of quotes, marks and dashes around it; "'Cause" and "Rock 'n'" keep theirs."""
    text = text.translate(_DOUBLE_QUOTES).strip(_EDGES)
    if len(text) > 2 and text[0] in _LOOSE_QUOTES and text[-1] in _LOOSE_QUOTES:
        text = text[1:-1].strip(_EDGES)
    return text
