"""From typed text to the ways it can be read as a song.

Forms: ``song - artist`` and ``artist - song`` with any dash, ``song by artist``, ``song | artist``, ``"song" artist``,
a song alone, a pasted link, each also inside a question or with a video's words. "is blinding lights a hit?" asks for
"blinding lights", "blinding lights official video hd" as well, and "hello vs halo" for two songs. Titles hold such
words too ("Is It Love?", "Hit or Miss"), so the look-up tries the text as it was typed as well, and the very song wins:
the parser knows no songs.
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
    version_words,
    visible,
)
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
# Possessive and atomic: "videoclip" can be read in two ways, and a row of them in as many as two to their number.
_BRACKETED: Final = re.compile(rf"\s*+[(\[【]\s*+(?:(?>{_TAIL_WORDS})[\s,/|+&-]*+)++[)\]】]\s*+", re.IGNORECASE)
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
    # Two lines are a title above an artist, as players copy them.
    joined = (" - " if len(lines) == 2 and not any(_SPACED_DASH.search(line) for line in lines) else " ").join(lines)
    typed = _COMMAND.sub("", joined)
    links, rest = split_links(typed)
    return links, rest.strip(_EDGES) if links else typed


def _read_links(links: list[str], rest: str) -> Question:
    news = [read_link(link) for link in links]
    for told in news:
        if told.search is not None:
            return _read_text(_composed(told.search))
        if told.reading is not None:
            return query_of(told.reading.title, told.reading.artist)
    said = not (not _speaks(rest) or _SMALL_TALK.fullmatch(normalize(rest)))
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
    meant = without_phrases(literal.text)
    if meant == literal.text:
        return literal
    query = _read_plain(meant)
    if set(query.readings) == set(literal.readings):
        return literal
    named = query.readings
    if _SPACED_DASH.split(meant)[-1] != _SPACED_DASH.split(literal.text)[-1] and len(_SPACED_DASH.split(meant)) == 2:
        # What was taken away stood behind the last part, as it does behind titles.
        named = (*reversed(named[:2]), *named[2:])
    readings = tuple(dict.fromkeys((*named, *literal.readings)))[:READINGS_MAX]
    return SongQuery(query.text, readings, literal)


def _read_plain(text: str) -> SongQuery:
    text = text.strip()
    _check(text)
    bare = _without_pictures(text).strip(_EDGES)
    if not _speaks(bare):
        raise EmptyQuery("no letter or digit")
    return _query(text, [*_from_quotes(text), *_readings(_without_pictures(text))])


def _check(text: str) -> None:
    if not _speaks(text):
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
    if not any(map(_speaks, around)):
        return [] if _SPACED_DASH.search(title) or _BY.search(title) else [_reading(title, None)]
    sides = [side for side in map(_side, around) if _speaks(side)]
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
    long = [part for part in _LONG_DASH.split(text) if _speaks(part)]
    if len(long) == 2:
        both, words = _from_parts(long), _words_of(*long)
        return [*both, words] if any(" " in part for part in long) else [words, *both]
    slashed = [part for part in _SLASH.split(text) if _speaks(part)]
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
    if not title or not _speaks(title + (artist or "")):
        return None
    return Reading(title, artist or None)


def _part(text: str) -> str:
    """Strip a title or artist of quotes, marks and dashes around it; "'Cause" and "Rock 'n'" keep theirs."""
    text = text.translate(_DOUBLE_QUOTES).strip(_EDGES)
    if len(text) > 2 and text[0] in _LOOSE_QUOTES and text[-1] in _LOOSE_QUOTES:
        text = text[1:-1].strip(_EDGES)
    return text


def _without_pictures(text: str) -> str:
    """Drop emoji and other pictures; signs that names are made of ("÷", "+", "$") stay."""
    kept = "".join(
        " " if unicodedata.category(c) == "So" or "\U0001f3fb" <= c <= "\U0001f3ff" else c
        for c in text
        if c not in "\ufe0e\ufe0f\u20e3"
    )
    return " ".join(kept.split())


def _speaks(text: str) -> bool:
    return any(c.isalnum() for c in text)
