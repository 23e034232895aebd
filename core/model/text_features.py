"""Facts that a song's title, album and credits tell by themselves, as numbers."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from core.lookup.normalise import normalize, title_key


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(alternatives) + r")(?!\w)", re.I)


TITLE_WORDS: Final[dict[str, re.Pattern[str]]] = {
    "title_guests": _words(r"feat\.?", r"ft\.?", "featuring", "with", "con"),
    "title_remix": _words("remix(?:ed)?", "rmx", "mix", "bootleg", "vip", "rework", "dub", "mashup", "flip"),
    "title_edit": _words("edit", "radio", "extended", "version", "versión", "ver", "original mix", "club"),
    "title_live": _words("live", "ao vivo", "en vivo", "en directo", "unplugged", "session", "sessions", "concert"),
    "title_acoustic": _words("acoustic", "acústico", "acustico", "piano", "stripped", "demo"),
    "title_remaster": _words("remaster(?:ed)?", "remasterizado", "mono", "stereo"),
    "title_tempo": _words("sped up", "slowed", "reverb", "nightcore", "8d", "lofi", "lo-fi"),
    "title_cover": _words("cover", "karaoke", "instrumental", "tribute", "made famous by", "originally performed by"),
    "title_screen": _words("from", "soundtrack", "theme", "ost", "main title", "score", "motion picture", "musical"),
    "title_classical": _words(
        r"op\.?",
        r"no\.?",
        "sonata",
        "concerto",
        "symphony",
        "suite",
        "major",
        "minor",
        "allegro",
        "andante",
        "act",
        "aria",
        r"k\.",
        r"bwv",
        "nocturne",
        "prelude",
        "étude",
        "opera",
    ),
    "title_season": _words(
        "christmas",
        "xmas",
        "santa",
        "holiday",
        "halloween",
        "snow",
        "noel",
        "noël",
        "navidad",
        "weihnacht\\w*",
        "jingle",
    ),
    "title_part": _words(
        "intro", "outro", "interlude", "skit", "medley", r"pt\.?", "part", "chapter", "kapitel", "teil"
    ),
}
"""Words of a title, each list one feature: whether any of them occurs."""

ALBUM_WORDS: Final[dict[str, re.Pattern[str]]] = {
    "album_hits": _words(
        "hits?",
        "best",
        "greatest",
        "essentials?",
        "collection",
        "anthology",
        "gold",
        "ultimate",
        "classics?",
        "top",
        "charts?",
        "number ones?",
        "complete",
        "exitos",
        "éxitos",
        "sucessos",
        "lo mejor",
        "platinum",
        "icon",
    ),
    "album_playlist": _words(
        "party",
        "mix",
        "playlist",
        "vibes?",
        "mood",
        "chill",
        "summer",
        "workout",
        "dance",
        "songs",
        "music",
        "bangers",
        "favourites",
        "favorites",
        "feel good",
        "road trip",
        "throwback",
        "love",
        "lounge",
        "relax\\w*",
        "sleep",
        "fiesta",
        "verano",
        "rock",
        "pop",
        "latino",
        "reggaeton",
        "country",
        "various",
        "dinner",
        "cooking",
        "drive",
        "summertime",
    ),
    "album_year": re.compile(r"(?<!\d)(?:19[5-9]\d|20[0-3]\d)(?!\d)"),
    "album_decade": _words(r"\d0'?s", "years?", "decades?"),
    "album_volume": _words(r"vol\.?", "volume", r"pt\.?", "part", "disc", "box"),
    "album_live": TITLE_WORDS["title_live"],
    "album_screen": _words(
        "soundtrack", "motion picture", "series", "from the", "ost", "film", "musical", "cast", "score"
    ),
    "album_deluxe": _words(
        "deluxe", "expanded", "anniversary", "remaster(?:ed)?", "edition", "reissue", "bonus", "version", "special"
    ),
    "album_season": _words(
        "christmas", "xmas", "holiday", "halloween", "winter", "navidad", "weihnacht\\w*", "noël", "spooky", "horror"
    ),
    "album_remixes": _words("remix(?:es|ed)?", "mixed", "dj", "sampler", "essential mix", "presents", "ep"),
}
"""Words of an album's name, each list one feature."""

ARTIST_WORDS: Final[dict[str, re.Pattern[str]]] = {
    "artist_band_word": _words("the", "band", "boys", "girls", "brothers", "and", "&", "trio", "quartet"),
    "artist_ensemble": _words(
        "orchestra", "orchester", "choir", "philharmonic", "ensemble", "cast", "symphony", "chorus", "opera", "singers"
    ),
    "artist_solo_word": _words("dj", "mc", "lil", "young", "big", "king", "baby", "boy", "girl", r"dr\.?", r"mr\.?"),
    "artist_kids": _words(
        "kids", "children", "nursery", "lullaby", "lullabies", "toddler", "baby", "kinder\\w*", "karaoke"
    ),
}
"""Words of an artist's name, each list one feature."""

ACCENT_LETTERS: Final[dict[str, str]] = {
    "letters_german": "äöüß",
    "letters_nordic": "åøæ",
    "letters_turkish": "şğıç",
    "letters_portuguese": "ãõç",
    "letters_spanish": "ñáíóúé¿¡",
    "letters_french": "éèêçàôîû",
}

COMMON_WORDS: Final[dict[str, re.Pattern[str]]] = {
    "words_english": _words(
        "the",
        "you",
        "my",
        "of",
        "in",
        "to",
        "me",
        "and",
        "love",
        "it",
        "i",
        "on",
        "your",
        "is",
        "for",
        "be",
        "we",
        "a",
        "don't",
        "i'm",
        "no",
        "all",
        "up",
        "this",
        "that",
        "with",
        "what",
        "like",
    ),
    "words_spanish": _words(
        "el", "la", "los", "las", "de", "que", "mi", "tu", "te", "un", "una", "con", "por", "amor", "y"
    ),
    "words_portuguese": _words(
        "o", "os", "não", "do", "da", "eu", "você", "meu", "minha", "é", "um", "uma", "pra", "em"
    ),
    "words_german": _words("der", "die", "das", "ich", "und", "du", "nicht", "ist", "ein", "wir", "mein", "für", "im"),
    "words_french": _words("le", "les", "je", "tu", "et", "des", "du", "mon", "ma", "pas", "une", "l'\\w+", "j'\\w+"),
    "words_hindi": _words(
        "hai", "ki", "ka", "ke", "tum", "dil", "mera", "meri", "na", "se", "tere", "tera", "teri", "ho"
    ),
    "words_nordic": _words(
        "jag", "och", "är", "det", "som", "inte", "dig", "för", "på", "att", "min", "mig", "en", "och"
    ),
    "words_turkish": _words("bir", "ben", "sen", "aşk", "bana", "beni", "seni", "gel", "yok", "gibi", "var", "senin"),
}


NAN: Final = math.nan


SCRIPTS: Final[tuple[str, ...]] = ("LATIN", "CYRILLIC", "CJK", "KANA", "HANGUL", "ARABIC", "INDIC", "OTHER")
"""Scripts told apart, in the order of their codes in ``title_script``; Han characters alone are "CJK"."""

_SCRIPT_OF_PREFIX: Final = {
    "LATIN": "LATIN", "CYRILLIC": "CYRILLIC", "CJK": "CJK", "HIRAGANA": "KANA", "KATAKANA": "KANA",
    "KATAKANA-HIRAGANA": "KANA", "HANGUL": "HANGUL", "ARABIC": "ARABIC", "DEVANAGARI": "INDIC", "TAMIL": "INDIC",
    "TELUGU": "INDIC", "GURMUKHI": "INDIC", "BENGALI": "INDIC", "GUJARATI": "INDIC", "MALAYALAM": "INDIC",
    "KANNADA": "INDIC",
}  # fmt: skip


@lru_cache(maxsize=8192)
def _script_of(char: str) -> str:
    prefix = unicodedata.name(char, "OTHER").split(" ", 1)[0]
    return _SCRIPT_OF_PREFIX.get(prefix, "OTHER")


def script_code(text: str) -> float:
    """Return the index in ``SCRIPTS`` of the rarest script among the letters of ``text``; NaN if it has no letter.

    Kana outranks Han and both outrank Latin, since one kana makes a title Japanese whatever else it holds.
    """
    found = {_script_of(char) for char in text if char.isalpha()}
    if not found:
        return NAN
    for script in ("KANA", "HANGUL", "CJK", "ARABIC", "INDIC", "CYRILLIC", "OTHER"):
        if script in found:
            return float(SCRIPTS.index(script))
    return 0.0


def _flags(patterns: dict[str, re.Pattern[str]], text: str) -> list[float]:
    return [float(bool(pattern.search(text))) for pattern in patterns.values()]


def _labels(keys: Iterable[str]) -> dict[str, str]:
    return {key: key.replace("_", " ") for key in keys}


TITLE_FACTS: Final[dict[str, str]] = _labels((
    "title_chars", "title_words", "title_bracket", "title_dash", "title_digit", "title_colon", "title_quote",
    "title_upper", "title_script", *TITLE_WORDS, *ACCENT_LETTERS, *COMMON_WORDS,
))  # fmt: skip
"""Keys and labels of :func:`title_facts`, in its order."""

ARTIST_NAME_FACTS: Final[dict[str, str]] = _labels((
    "artist_chars", "artist_words", "artist_upper", "artist_lower", "artist_script", *ARTIST_WORDS,
))  # fmt: skip
"""Keys and labels of :func:`artist_name_facts`, in its order."""

ALBUM_FACTS: Final[dict[str, str]] = _labels((
    "album_chars", "album_words", "album_is_title", "album_in_title", "album_is_artist", *ALBUM_WORDS,
))  # fmt: skip
"""Keys and labels of :func:`album_facts`, in its order."""

CREDIT_FACTS: Final[dict[str, str]] = _labels(("n_credits", "guests_not_in_title"))
"""Keys and labels of :func:`credit_facts`, in its order."""


def title_facts(title: str) -> list[float]:
    """Return the facts of a title: lengths, case, signs, script, version words and language."""
    lower = title.lower()
    letters = [char for char in title if char.isalpha()]
    return [
        float(len(title)),
        float(len(title.split())),
        float("(" in title or "[" in title),
        float(" - " in title),
        float(any(char.isdigit() for char in title)),
        float(":" in title or ";" in title),
        float('"' in title or "“" in title),
        sum(char.isupper() for char in letters) / len(letters) if letters else NAN,
        script_code(title),
        *_flags(TITLE_WORDS, title),
        *(float(any(char in lower for char in signs)) for signs in ACCENT_LETTERS.values()),
        *_flags(COMMON_WORDS, title),
    ]


def artist_name_facts(artist: str) -> list[float]:
    """Return the facts of an artist's name: length, case, script, telling words."""
    return [
        float(len(artist)),
        float(len(artist.split())),
        float(artist.isupper()),
        float(artist.islower()),
        script_code(artist),
        *_flags(ARTIST_WORDS, artist),
    ]


def album_facts(album: str | None, title: str, artist: str) -> list[float]:
    """Return the facts of an album's name, all NaN if it is unknown."""
    if not album:
        return [NAN] * len(ALBUM_FACTS)
    album_folded, title_folded = normalize(album), title_key(title)
    return [
        float(len(album)),
        float(len(album.split())),
        float(title_key(album) == title_folded),
        float(title_folded in album_folded),
        float(album_folded == normalize(artist)),
        *_flags(ALBUM_WORDS, album),
    ]


def credit_facts(credits_: Sequence[str], title: str) -> list[float]:
    """Return the number of credited artists and of guests the title leaves out; NaN if the credits are unknown."""
    if not credits_:
        return [NAN, NAN]
    titled = normalize(title)
    return [float(len(credits_)), float(sum(normalize(name) not in titled for name in credits_[1:]))]
