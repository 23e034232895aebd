"""Questions nobody wishes for, made up from a seed: every script, controls, markup of every kind, and a megabyte."""

from __future__ import annotations

import random
from collections.abc import Iterator

SCRIPTS = {
    "latin": (0x20, 0x24F), "greek": (0x370, 0x3FF), "cyrillic": (0x400, 0x52F), "armenian": (0x530, 0x58F),
    "hebrew": (0x590, 0x5FF), "arabic": (0x600, 0x6FF), "devanagari": (0x900, 0x97F), "bengali": (0x980, 0x9FF),
    "tamil": (0xB80, 0xBFF), "thai": (0xE00, 0xE7F), "tibetan": (0xF00, 0xFFF), "georgian": (0x10A0, 0x10FF),
    "jamo": (0x1100, 0x11FF), "ethiopic": (0x1200, 0x137F), "cherokee": (0x13A0, 0x13FF), "khmer": (0x1780, 0x17FF),
    "mongolian": (0x1800, 0x18AF), "punctuation": (0x2000, 0x206F), "signs": (0x2070, 0x2BFF),
    "kana": (0x3040, 0x30FF), "han": (0x4E00, 0x9FFF), "hangul": (0xAC00, 0xD7A3), "surrogates": (0xD800, 0xDFFF),
    "private": (0xE000, 0xF8FF), "forms": (0xFB00, 0xFFFF), "cuneiform": (0x12000, 0x123FF),
    "mathematical": (0x1D400, 0x1D7FF), "emoji": (0x1F000, 0x1FAFF), "han beyond": (0x20000, 0x2A6DF),
    "tags": (0xE0000, 0xE01EF), "anything": (0, 0x10FFFF),
}  # fmt: skip
"""First and last code point of blocks of most scripts."""

PIECES = (
    # controls, direction, zero width, combining
    "\x00", "\x07", "\x1b[31m", "\x1b]0;title\x07", "\r\n", "\n", "\t", "\x7f", "\x85", "\u2028", "\u2029", "\u200b",
    "\u200d", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069", "\u061c", "\ufeff", "\u00ad", "\u034f",
    "\u0301" * 40, "\u0489" * 20, "\ufe0f", "\u20e3", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\ud83d", "\udc00",
    # mentions and pills
    "@everyone", "@here", "<@123456789012345678>", "<@!123456789012345678>", "<@&123456789012345678>",
    "<#123456789012345678>", "</predict:123456789012345678>", "<:e:123456789012345678>", "<a:e:123456789012345678>",
    "<t:1618953630:R>", "<id:customize>", "@hitmeter_bot", "@\u200beveryone", "@every\u200bone", "<\u200b@123>",
    "@ev\u00aderyone", "<@\u202e123456789012345678>", "@\x00everyone",
    # Markdown
    "*", "**", "__", "~~", "||", "`", "```", "```py\n", "> ", ">>> ", "# ", "-# ", "[a](https://x.example)", "](", "\\",
    "\\`", "[", "]", "(", ")", "- ", "1. ", "<https://x.example>",
    # HTML
    "<b>", "</b>", "<a href='javascript:alert(1)'>", '<a href="tg://user?id=1">', "<script>alert(1)</script>", "&lt;",
    "&#60;", "&amp;amp;", "&", "<", ">", '"', "'", "<!--", "]]>", "</pre>", "<tg-spoiler>", "<img src=x onerror=x>",
    # SQL, FTS, formats, templates, shells, paths
    "' OR '1'='1", "'; DROP TABLE song; --", '" OR rowid MATCH "a*', "NEAR(", " AND ", " OR ", " NOT ", "* ^ :",
    "%s%s%n", "%(x)s", "{0}", "{}", "{x.__class__}", "{{", "}}", "${7*7}", "$(reboot)", "`id`", "../../etc/passwd",
    "C:\\CON", "\\u0000", "\\x1b", "%00", "%0d%0aSet-Cookie: x", "null", "NaN", "-1", "1e999", "٠١٢", "½", "Ⅷ",
    # what the parser itself looks for
    " - ", " – ", "—", " by ", " | ", " / ", "\"", "“", "”", "«", "feat. ", "(feat. x)", "(Remix)", " - Live",
    "/predict ", "/compare ", "/reload", "https://open.spotify.com/track/1", "https://youtu.be/x",
    "https://www.last.fm/music/A/_/B", "http://[::1", "spotify:track:1",
    "https://www.youtube.com/results?search_query=%ff",
    "The Weeknd", "Blinding Lights", "Hello", "Adele", "夜に駆ける", "사랑",
)  # fmt: skip

LONG_EVERY = 1_000
"""One question in so many is very long."""

MEGABYTE = 1_000_000


def hostile_questions(count: int, seed: int) -> Iterator[str]:
    """Make up ``count`` questions, the same for the same seed."""
    rng = random.Random(seed)
    for number in range(count):
        if number % LONG_EVERY == LONG_EVERY - 1:
            unit = rng.choice(PIECES)
            yield (unit * (MEGABYTE // len(unit) + 1))[: rng.choice([201, 4_000, 4_001, MEGABYTE])]
        else:
            yield _question(rng)


def _question(rng: random.Random) -> str:
    parts = []
    for _ in range(rng.randint(1, 9)):
        if rng.random() < 0.6:
            parts.append(rng.choice(PIECES))
        else:
            first, last = rng.choice(_BLOCKS)
            parts.append("".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 12))))
    return rng.choice(("", " ")).join(parts)


_BLOCKS = tuple(SCRIPTS.values())
