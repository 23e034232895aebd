"""The one normalisation of titles and artists: matching, catalogue, training and cache keys all use it.

Three layers, each built on the one before:

* :func:`normalize` makes spellings equal (case, accents, punctuation, width) in any script;
* :func:`title_key`, :func:`artist_key` and :func:`song_key` also drop what does not change the song ("feat. X",
  "Remastered 2011", "From the film Y"), but keep what makes another recording ("Live", "Remix");
* :func:`base_title` drops the latter too, and :func:`version_words` names it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

NAME_MAX_CHARS: Final = 512
"""Names are read up to this length; the longest title of 114,000 has 511 characters."""
_CACHED: Final = 1 << 12
KEY_SEPARATOR: Final = "\t"
"""Stands between artist and title in a song key; folding turns every tab of a name into a space."""

# Letters that NFKD leaves whole although people type them plainly.
_PLAIN: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t", "ə": "e"}
)
# Marks that are mere accents or vocalisation. The vowel signs of Indic scripts and Thai are letters and stay; the
# voicing marks of kana and the parts of Hangul syllables are put together again by NFC.
_ACCENTS: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]"
)
_ARABIC: Final = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه"})
_APOSTROPHES: Final = re.compile("['’‘‛`´ʼʹ′]")
_STYLED_LETTERS: Final = re.compile(
    r"(?<=[^\W\d_])\$|\$(?=[^\W\d])|(?<=[^\W\d_])!(?=[^\W\d_])|(?<=[^\W\d_])@(?=[^\W\d_])"
)
_STYLED: Final = {"$": "s", "!": "i", "@": "a"}
_NOT_WORD: Final = re.compile(r"[^\w\u0300-\u036f\u0900-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff]+|_+")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})

_FEAT: Final = r"(?:feat\.?|ft\.?|featuring|f/)"
_FEAT_TAIL: Final = re.compile(rf"\s+{_FEAT}\s+[^()\[\]]+?(?=\s+[-–—]\s|\s*[(\[]|$)", re.IGNORECASE)
_BRACKET: Final = re.compile(r"\s*[(\[（【]([^()\[\]（）【】]*)[)\]）】]")
_DASH_TAIL: Final = re.compile(r"\s+[-–—~]\s+(?=[^\s])")

_GUESTS: Final = re.compile(rf"^(?:{_FEAT}|prod\.?(?:\s+by)?)\s", re.IGNORECASE)
# Guests too, but only in brackets: "The Beatles - With a Little Help from My Friends".
_BRACKETED_GUESTS: Final = re.compile(r"^(?:with|avec|con)\s", re.IGNORECASE)
# Other parts in brackets or behind a dash that leave the recording what it is.
_DECORATION: Final = re.compile(
    r"""^(?:
      from\s.+ | (?:original\s)?(?:motion\s)?(?:picture\s)?soundtrack.* | theme\sfrom\s.+ | music\sfrom\s.+
    | .*\bre-?master(?:ed|izado|is[ée]|is[ée]e)?\b.*
    | (?:\d{4}\s)?(?:digital\s)?(?:mono|stereo)(?:\s(?:mix|version|single))?
    | (?:the\s)?(?:original|single|album|main|radio|short|full|standard|lp|7"|7-inch)
      \s(?:radio\s)?(?:version|edit|mix|cut|length)
    | (?:hidden|bonus)(?:\strack)? | explicit(?:\sversion)? | clean(?:\sversion)? | radio | deluxe.*
    | official.* | (?:lyrics?|music|hd|4k)(?:\svideo)? | (?:audio|video|visuali[sz]er|hq|hd|4k|lyrics?)
    | \d{4}(?:\sversion)?
    )$""",
    re.IGNORECASE | re.VERBOSE,
)

# Words that make another recording of a song, and what they are called here.
_VERSIONS: Final = {
    "remix": r"(?:re-?mix(?:ed|es)?|rmx|mix|bootleg|rework|flip|vip|dub|mash-?up|club\sedit)",
    "live": r"(?:live|ao\svivo|en\svivo|en\sdirecto|in\sconcert|mtv\sunplugged|ライブ|ライヴ)",
    "karaoke": r"(?:karaoke|カラオケ|backing\strack|sing-?along|in\sthe\sstyle\sof"
    r"|originally\sperformed\sby|made\sfamous\sby)",
    "acoustic": r"(?:acoustic|ac[uú]stic[oa]|acoustique|unplugged|stripped)",
    "instrumental": r"(?:instrumental|off\svocal)",
    "cover": r"(?:cover(?:ed)?|tribute|lullaby|8-?bit)",
    "demo": r"(?:demo|rehearsal|outtake|early\stake|rough\smix)",
    "sped up": r"(?:sped[\s-]?up|speed\sup|nightcore)",
    "slowed": r"(?:slowed|reverb)",
    "extended": r"(?:extended|12\"|12-inch)",
    "piano": r"(?:piano|orchestral|orchestra|symphonic|string\squartet)",
    "a cappella": r"(?:a\s?cap+ella)",
    "lofi": r"(?:lo-?fi)",
    "session": r"(?:sessions?)",
    "version": r"(?:version|versi[oó]n|vers[aã]o|edit|ver\.?)",
}
_VERSION: Final = re.compile(
    r"(?<!\w)(?:" + "|".join(f"(?P<v{i}>{p})" for i, p in enumerate(_VERSIONS.values())) + r")(?!\w)", re.IGNORECASE
)
_VERSION_NAMES: Final = tuple(_VERSIONS)
# "Love Story (Taylor's Version)" is what people mean by the song, as much as the first recording.
_OWN_VERSION: Final = re.compile(r"^taylor[’']?s version$", re.IGNORECASE)
_KARAOKE_ARTIST: Final = re.compile(
    r"\b(?:karaoke|tributes?|sing-?along|backing tracks?|made famous|cover band|in the style of|performed by"
    r"|lullab(?:y|ies)|party tyme|hit crew|ameritz|rockabye baby)\b|カラオケ",
    re.IGNORECASE,
)
_NOBODY: Final = frozenset({"[unknown]", "<unknown>"})
_FIRST_ARTIST_END: Final = re.compile(rf"\s*(?:;|\s[(\[]?{_FEAT}\s).*$", re.IGNORECASE | re.DOTALL)


def visible(text: str) -> str:
    """Drop control, zero-width, direction-override and unassigned characters; runs of white space become a space."""
    if not text.isprintable():
        text = "".join(
            " " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in _INVISIBLE
        )
    return " ".join(text.split())


def speaks(text: str) -> bool:
    """Return whether a text has a letter or digit."""
    return any(c.isalnum() for c in text)


@lru_cache(_CACHED)
def normalize(text: str) -> str:
    """Make spellings equal: "Beyoncé!", "BEYONCE" and "ｂｅｙｏｎｃｅ" all give "beyonce".

    Names made of signs alone ("!!!", "÷") give themselves, so that they stay findable; nothing visible gives "".
    """
    folded = _APOSTROPHES.sub("", visible(text[:NAME_MAX_CHARS]).casefold())
    if not folded.isascii():
        folded = _ACCENTS.sub("", unicodedata.normalize("NFKD", folded).casefold())
        folded = unicodedata.normalize("NFC", folded).translate(_PLAIN).translate(_ARABIC)
    plain = folded
    if "$" in plain or "!" in plain or "@" in plain:
        plain = _STYLED_LETTERS.sub(lambda sign: _STYLED[sign[0]], plain)
    words = " ".join(_NOT_WORD.sub(" ", plain.replace("&", " and ")).split())
    return words or " ".join(folded.split())


def plain_title(title: str) -> str:
    """Drop the decoration of a title but keep its spelling: "Bébé (feat. X) - 2011 Remaster" gives "Bébé"."""
    return _without(title, versions=False).strip() or title.strip()


def _without(title: str, *, versions: bool) -> str:
    """Drop decorating parts of a title, and with ``versions`` also those that name another recording."""

    def idle(part: str) -> bool:
        return _same_recording(part) or (versions and bool(_VERSION.search(part)))

    kept = _FEAT_TAIL.sub("", title[:NAME_MAX_CHARS])
    kept = _BRACKET.sub(lambda m: "" if _BRACKETED_GUESTS.match(m[1]) or idle(m[1]) else m[0], kept)
    head, *tails = _DASH_TAIL.split(kept)
    kept = " - ".join([head, *(tail for tail in tails if not idle(tail))])
    return kept if speaks(kept) else title


def _same_recording(part: str) -> bool:
    """Distinguish decoration ("feat. X", "Album Version", "Mono Mix") from other recordings ("Live, Remastered")."""
    part = part.strip()
    if _GUESTS.match(part):
        return True
    return bool(_DECORATION.match(part)) and asked_versions(part) <= {"version", "remix"}


@lru_cache(_CACHED)
def title_key(title: str) -> str:
    """Fold a title without its decoration: "Song (feat. X) - 2011 Remaster" gives "song", "Song - Live" "song live"."""
    return normalize(_without(title, versions=False))


@lru_cache(_CACHED)
def base_title(title: str) -> str:
    """Fold a title without decoration and version: "Song - Live at Y" and "Song (Z Remix)" give "song"."""
    return normalize(_without(title, versions=True))


def short_title(title: str) -> str:
    """Fold a title without decoration, version and anything else in brackets: "Snow (Hey Oh)" gives "snow"."""
    kept = _BRACKET.sub("", _without(title, versions=True))
    return normalize(kept) if speaks(kept) else base_title(title)


def first_artist(artists: str) -> str:
    """Cut a credit down to its first artist: at ";" (Spotify's lists) and at "feat."; "A & B" stays whole."""
    artists = artists[:NAME_MAX_CHARS]
    return _FIRST_ARTIST_END.sub("", artists).strip() or artists.strip()


@lru_cache(_CACHED)
def artist_key(artist: str) -> str:
    """Fold the first artist without a leading "the"; equal keys mean the same artist."""
    key = normalize(first_artist(artist))
    return key.removeprefix("the ") or key


def names_nobody(artist: str) -> bool:
    """Return whether an artist is what players and MusicBrainz write for none: "[unknown]", unlike a band "Unknown"."""
    return artist.strip().casefold() in _NOBODY


def song_key(title: str, artist: str) -> str:
    """Join :func:`artist_key` and :func:`title_key`; equal keys mean the same recording of the same song."""
    return f"{artist_key(artist)}{KEY_SEPARATOR}{title_key(title)}"


@lru_cache(_CACHED)
def version_words(title: str, artist: str = "") -> frozenset[str]:
    """Name what makes a title another recording: "Song (Live) - X Remix" gives {"live", "remix"}.

    Only brackets and parts behind a dash count, and "remix" or "karaoke" as the last word, so that "Live Forever" is
    no live version. An artist such as "Karaoke Hits" makes every title "karaoke".
    """
    title = title[:NAME_MAX_CHARS]
    parts = [*_BRACKET.findall(title), *_DASH_TAIL.split(title)[1:]]
    found: set[str] = set()
    for part in parts:
        if not (_OWN_VERSION.match(part.strip()) or _same_recording(part)):
            found.update(asked_versions(part))
    words = title.casefold().split()
    if len(words) > 1 and words[-1] in ("remix", "karaoke"):
        found.add(words[-1])
    if artist and _KARAOKE_ARTIST.search(artist):
        found.add("karaoke")
    return frozenset(found)


def asked_versions(text: str) -> frozenset[str]:
    """Name the version words anywhere in free text, as in the question "blinding lights remix"."""
    return frozenset(_VERSION_NAMES[m.lastindex - 1] for m in _VERSION.finditer(text[:NAME_MAX_CHARS]) if m.lastindex)
