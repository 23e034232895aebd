"""The words, letters and abbreviations that title, album and artist names are searched for."""

from __future__ import annotations

import re
from typing import Final


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
