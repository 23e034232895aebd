"""What people put around a song's name: questions about it, words of the video it was heard in, a song to compare with.

"is blinding lights a hit?" asks for "blinding lights", "blinding lights official video hd" as well, and "hello vs halo"
for two songs. Titles hold such words too ("Is It Love?", "Hit or Miss"), so whoever looks a song up tries the text as
it was typed as well, and the very song wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core.lookup.romanise import is_foreign

_HIT: Final = (
    r"(?:(?:really|still|actually|even|already|now|also|that|so|very|ever)\s+)*(?:(?:a|an|the|any|as)\s+)?"
    r"(?:(?:big|bigger|huge|real|true|massive|major|smash|global|world|viral|chart|summer|future|next|one|no)\s+)*"
    r"(?:hits?|smash|popular|famous|well[\s-]?known|trending|banger|bop|flop|success|successful|viral)"
    r"(?:\s+(?:song|single|track|or\s+not|or\s+(?:a\s+)?(?:flop|miss)|now|today|yet|right\s+now|these\s+days|again"
    r"|on\s+(?:spotify|youtube|tiktok)|in\s+(?:the\s+)?(?:charts|world|future)|one\s+day|soon|in\s+\d{4}))*"
)
_GO: Final = r"(?:be|become|get|go|turn\s+into|turn\s+out|stay|remain)"
_WILL: Final = (
    rf"(?:is|was|are|will\s+{_GO}|would\s+{_GO}|could\s+{_GO}|can\s+{_GO}|might\s+{_GO}|has\s+been"
    rf"|is\s+(?:going\s+to|gonna|likely\s+to)\s+{_GO})"
)
_SONG: Final = r"(?P<song>.+?)"

_LEAD: Final = re.compile(
    r"^(?:(?:hey|hi|yo|ok|okay|so|well|um+|pls|plz|please|guys|bot|dear\s+bot)[\s,!.]+"
    r"|(?:can|could|would|will)\s+(?:you|u)\s+(?:please\s+|pls\s+)?(?=predict|rate|check|tell)"
    r"|(?:tell|show)\s+me\s+(?=how|if|whether|what|the\s+pop)|(?:i\s+(?:want\s+to\s+know|wonder)|do\s+you\s+know)\s+(?=how|if|whether)"
    r"|check\s+(?=if|whether))+",
    re.IGNORECASE,
)
"""Politeness before a question; dropped only where a question follows."""

_FRAMES: Final = tuple(
    re.compile(frame, re.IGNORECASE)
    for frame in (
        rf"(?:is|was|are|isn['’]?t)\s+{_SONG}\s+(?:(?:going\s+to|gonna|likely\s+to|about\s+to)\s+{_GO}\s+)?{_HIT}",
        rf"(?:will|would|could|can|might|did|does|has|won['’]?t)\s+{_SONG}\s+(?:ever\s+|still\s+|really\s+|been\s+)*"
        rf"(?:{_GO}\s+)?{_HIT}",
        rf"(?:will|would|could|did|does)\s+{_SONG}\s+(?:ever\s+)?(?:chart|blow\s+up|make\s+it|go\s+viral|top\s+the\s+charts)",
        r"how\s+(?:popular|big|famous|successful|well[\s-]?known|hot|viral|huge|much\s+of\s+a\s+hit|big\s+(?:of\s+)?a\s+hit)"
        rf"\s+(?:is|was|are|will|would|could|might|has)\s+{_SONG}"
        r"(?:\s+(?:be|become|get|been|going\s+to\s+be|gonna\s+be))?(?:\s+(?:now|today|right\s+now|these\s+days|on\s+spotify"
        r"|in\s+\d{4}))?",
        r"how\s+(?:popular|big|famous|successful|well[\s-]?known)"
        rf"\s+{_SONG}\s+(?:is|was|will\s+be|would\s+be|could\s+be)(?:\s+(?:now|today|on\s+spotify))?",
        rf"how\s+(?:likely|probable)\s+is\s+(?:it\s+that\s+)?{_SONG}\s+(?:to\s+{_GO}|will\s+{_GO}|is|{_GO})\s+{_HIT}",
        rf"how\s+(?:well|good)\s+(?:will|would|does|did|is)\s+{_SONG}(?:\s+(?:do|doing|perform|chart))",
        rf"(?:predict|rate)\s+(?:if|whether)\s+{_SONG}\s+{_WILL}\s+{_HIT}",
        rf"(?:do\s+you\s+think|d['’]?you\s+think|you\s+think|think|if|whether|what\s+if)\s+(?:that\s+)?{_SONG}\s+{_WILL}\s+{_HIT}",
        r"(?:predict|rate|what(?:['’]?s|\s+is|\s+are)|give\s+me|tell\s+me|show\s+me)\s+(?:the\s+)?(?:spotify\s+)?"
        r"(?:popularity|chances?|odds|probability|hit\s+potential|prediction|verdict|hit\s+score)(?:\s+score)?\s+"
        rf"(?:of|for|that)\s+{_SONG}(?:\s+(?:being|becoming|to\s+{_GO}|is|will\s+{_GO})\s+{_HIT})?",
        rf"(?:popularity|chances?|odds|hit\s+potential|prediction)\s+(?:of|for)\s+{_SONG}"
        rf"(?:\s+(?:being|becoming|to\s+{_GO})\s+{_HIT})?",
        rf"(?:predict|rate)(?:\s*:|\s+this(?:\s+song)?\s*:|)\s+{_SONG}(?:\s+(?:please|pls|for\s+me))?",
        rf"(?:what|how)\s+about\s+{_SONG}",
        r"(?:what\s+do\s+you\s+think|your\s+opinion|thoughts|what\s+are\s+your\s+thoughts)\s+(?:of|about|on)\s+"
        rf"{_SONG}",
        rf"{_SONG}\s*[,;:.?!-]?\s+(?:is|was|will|would|could|can)\s+(?:it|that|this)\s+(?:{_GO}\s+)?{_HIT}",
        rf"{_SONG}\s*[,;:-]?\s+(?:hit|popular|famous)\s+or\s+(?:not|(?:a\s+)?flop|no)",
        rf"(?:hit\s+or\s+(?:not|miss|(?:a\s+)?flop)|popular\s+or\s+not)\s*[,;:-]+\s*{_SONG}",
    )
)
_ASKING_FRAMES: Final = (
    re.compile(rf"{_SONG}\s+(?:popular|famous|(?:a|going\s+to\s+be\s+a|still\s+a)\s+(?:big\s+)?hit)", re.IGNORECASE),
)
"""Frames that count only before a question mark: "Hello popular?"."""

_CALLED: Final = re.compile(
    r"^(?:the|this|that)?\s*(?:new\s+)?(?:song|track|single)\s+(?:called\s+|named\s+|titled\s+|by\s+name\s+)?(?=\S)",
    re.IGNORECASE,
)
_MARKS: Final = " \t?!.,;:¿¡？！…"

# What videos and shops write behind a title without brackets; nothing here is ever said of the song itself.
_QUALITY: Final = r"(?:hd|hq|uhd|4k|8k|1080p|720p|full\s+hd)"
_FOOTAGE: Final = (
    r"(?:the\s+)?official\s+(?:(?:music|lyrics?|hd|4k|video|audio|live|remastered|animated|dance)\s+)*"
    r"(?:video\s*clip|videoclip|music\s*video|video|audio|m/?v|clip|visuali[sz]er|trailer)"
    r"|(?:music|lyrics?|performance|dance)\s+video|(?:with|w/|\+|and)\s+lyrics|lyrics?(?:\s+on\s+screen)?"
    r"|(?:official|full)\s+(?:song|track|audio)|(?:full\s+)?video\s+song|m/v|mv|video\s*clip|videoclip(?:\s+oficial)?"
    r"|(?:video|audio|clipe?)\s+(?:oficial|officiel|ufficiale)|clipe?\s+(?:oficial|officiel)|visuali[sz]er"
    r"|offizielles\s+(?:musik)?video|(?:8|9|16|360)\s?d(?:\s+(?:audio|music|song|version|sound))?|audio\s+only"
    r"|(?:\d{1,2}|one|ten)\s*-?\s*h(?:ou)?rs?(?:\s+(?:loop(?:ed)?|version|long|straight|mix|extended))|\d{1,2}\s*h(?:ou)?rs?"
    r"|bass\s+boosted|(?:on\s+)?(?:spotify|youtube|yt|apple\s+music|deezer|soundcloud)|(?:mp3\s+)?download|mp3"
    r"|(?:\d{4}\s+)?(?:digital\s+)?remaster(?:ed)?(?:\s+\d{4})?|radio\s+edit|(?:album|single|radio)\s+version|karaoke\s+lyrics"
)
_TAIL_WORDS: Final = rf"(?:{_FOOTAGE}|{_QUALITY})"
# Behind a title: at the end, before a separator, before "by".
_END: Final = r"(?=\s*$|\s*[|｜]|\s+[-–—]\s|\s+by\s)"
_TAIL: Final = re.compile(rf"(?:^|(?<=\s)|(?<=[)\]」』'\"”]))(?:[-–—|,]\s+)?{_TAIL_WORDS}{_END}", re.IGNORECASE)
_BRACKETED: Final = re.compile(rf"\s*[(\[【]\s*(?:{_TAIL_WORDS}[\s,/|+&-]*)+[)\]】]\s*", re.IGNORECASE)
_HASHTAGS: Final = re.compile(r"(?:\s+#\w+)+$")
_ALTERED: Final = re.compile(
    r"(?<=\S)\s+(?P<version>nightcore|(?:super\s+)?(?:sped|speed)[\s-]?up(?:\s+(?:version|song|audio|remix))?"
    r"|(?:super\s+)?slowed(?:\s*(?:\+|&|and|n|x|\s)\s*reverb(?:ed)?)?(?:\s+(?:version|down))?)" + _END,
    re.IGNORECASE,
)
"""An altered recording, named without brackets."""

_VERSUS: Final = re.compile(r"\s+(?:vs?\.|v\.?s\.?|versus)\s+", re.IGNORECASE)
_OR: Final = r"\s*,?\s+or\s+"
_COMPARED: Final = tuple(
    re.compile(frame, re.IGNORECASE)
    for frame in (
        r"compare\s+(?P<first>.+?)(?:\s+(?:and|with|to|against|&)\s+|\s*[|,]\s*)(?P<second>.+)",
        r"(?P<first>.+?)\s+compared\s+(?:to|with)\s+(?P<second>.+)",
        r"is\s+(?P<first>.+?)\s+(?:bigger|more\s+popular|better|a\s+bigger\s+hit|more\s+famous|more\s+of\s+a\s+hit)\s+than\s+(?P<second>.+)",
        r"(?:which|what|who)(?:['’]?s|\s+is|\s+one\s+is|\s+song\s+is)?\s+(?:the\s+)?(?:a\s+)?(?:bigger|more\s+popular|better|likelier|"
        r"more\s+famous)(?:\s+(?:hit|song))?\s*[,:;?-]?\s+(?P<first>.+?)" + _OR + r"(?P<second>.+)",
    )
)

_TOPIC: Final = re.compile(r"\s+-\s+(?:Topic|Thema|Tema|Sujet)$")
_VEVO: Final = re.compile(r"\s*vevo$", re.IGNORECASE)
_CHANNEL_WORDS: Final = re.compile(
    r"\s*[-|]?\s*\b(?:official(?:\s+(?:channel|artist|music|youtube))?|oficial|officiel|ufficiale|music|tv|channel|vevo)$",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TAGS: Final = re.compile(
    r"^\s*[(\[【]\s*(?:m/?v|official(?:\s+\w+)*|music\s+video|lyrics?|audio|\w+\s+m/?v)\s*[)\]】]\s*", re.IGNORECASE
)
_BRACKETS: Final = re.compile(r"\s*[(（]([^()（）]*)[)）]")
_UNDERSCORE: Final = re.compile(r"\s+_\s+")
_PARTED: Final = re.compile(r"\s[-–—~_|｜]\s|[「『“”\"]|:\s|\sby\s|(?<!\w)['‘][^'’]+['’]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two songs that a text compares, each as typed."""

    first: str
    second: str


def without_phrases(text: str) -> str:
    """Take away the question around a song's name and what videos are called; the text itself if nothing would be left.

    An altered recording named without brackets is put into them: "Halo sped up" gives "Halo (sped up)".
    """
    song = _without_question(text)
    song = _without_tails(song)
    return song if any(c.isalnum() for c in song) else text


def pair_of(text: str) -> Pair | None:
    """Read two songs that are to be compared; None if the text names one."""
    asked = text.strip(_MARKS)
    sides = _VERSUS.split(_without_question(asked))
    if len(sides) == 2:
        return _pair(*sides)
    for frame in _COMPARED:
        if (found := frame.fullmatch(asked)) is not None:
            return _pair(found["first"], found["second"])
    return None


def video_question(title: str, channel: str = "") -> str:
    """Write as a question what a video's title and channel say: "Hello" of "AdeleVEVO" gives "Hello - Adele"."""
    topic = _TOPIC.search(channel) is not None
    title = _UNDERSCORE.sub(" - ", _TAGS.sub("", title))
    # The same name in another script: "IU(아이유)".
    spoken = _BRACKETS.sub(lambda m: "" if is_foreign(m[1]) else m[0], title)
    title = spoken if any(c.isalnum() for c in spoken) else title
    artist = channel_artist(channel)
    if not artist or (_PARTED.search(title) and not topic):
        return title
    return f"{title} - {artist}"


def channel_artist(channel: str) -> str:
    """Name the artist a channel belongs to: "QueenVEVO", "Queen - Topic" and "Queen Official" are Queen's."""
    name = _TOPIC.sub("", channel).strip()
    if _VEVO.search(name):
        name = _VEVO.sub("", name)
        return name if " " in name else _CAMEL.sub(" ", name)
    bare = _CHANNEL_WORDS.sub("", name)
    return bare if any(c.isalnum() for c in bare) else name


def _without_question(text: str) -> str:
    asked = text.strip(_MARKS)
    polite = _LEAD.sub("", asked)
    for words in dict.fromkeys((polite, asked)):
        for frame in (*_FRAMES, *(_ASKING_FRAMES if text.rstrip().endswith(("?", "？")) else ())):
            found = frame.fullmatch(words)
            if found is not None and any(c.isalnum() for c in found["song"]):
                song = found["song"].strip(_MARKS)
                return _CALLED.sub("", song) or song
    return text


def _without_tails(text: str) -> str:
    kept = _HASHTAGS.sub("", text)
    before = None
    while before != kept:
        before = kept
        kept = _BRACKETED.sub(" ", kept).strip()
        shorter = _TAIL.sub("", kept).rstrip(" -–—|,")
        kept = shorter if any(c.isalnum() for c in shorter) else kept
    if kept != text and not any(c.isalnum() for c in kept):
        return text
    return _ALTERED.sub(lambda m: f" ({m['version']})", " ".join(kept.split()))


def _pair(first: str, second: str) -> Pair | None:
    sides = [side.strip(_MARKS) for side in (first, second)]
    return Pair(*sides) if all(any(c.isalnum() for c in side) for side in sides) else None
