"""The words that people put around a song: a question, a comparison, what videos and shops write behind a title.

"is blinding lights a hit?" asks for "blinding lights", "wie beliebt ist hello von adele?" for "hello" of "adele", and
"blinding lights official video hd" for "blinding lights" again. Titles hold such words too ("Is It Love?", "Hit or
Miss"): which is meant is for the look-up to say, which knows songs.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from core.lookup.normalise import normalize, speaks
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
    r"^(?:(?:hey|hi|hello|yo|ok|okay|so|well|um+|pls|plz|please|guys|bot|dear\s+bot|@\w+|hola|oye|oi|olá|hallo|salut|bonjour"
    r"|नमस्ते)[\s,!.]+"
    r"|(?:can|could|would|will)\s+(?:you|u)\s+(?:please\s+|pls\s+)?(?=predict|rate|check|tell)"
    r"|(?:tell|show)\s+me\s+(?=how|if|whether|what|the\s+pop)|(?:i\s+(?:want\s+to\s+know|wonder)|do\s+you\s+know)\s+(?=how|if|whether)"
    r"|check\s+(?=if|whether))+",
    re.IGNORECASE,
)
"""Politeness before a question; dropped only where a question follows."""

_TRAIL: Final = re.compile(
    r"(?:[\s,.!?]+(?:lol|lmao|haha+|xd|pls|plz|please|thanks|thx|bro|dude|guys|tho|though|btw|por\s+favor|bitte"
    r"|s['’]il\s+(?:te|vous)\s+pla[iî]t|@\w+))+$",
    re.IGNORECASE,
)
"""The same behind a question."""

_FRAMES: Final = (
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
_ASKING_FRAMES: Final = (rf"{_SONG}\s+(?:popular|famous|(?:a|going\s+to\s+be\s+a|still\s+a)\s+(?:big\s+)?hit)",)
"""Frames that count only before a question mark: "Hello popular?"."""

_CALLED: Final = (
    r"(?:(?:(?:the|this|that)\s+(?:new\s+)?|new\s+)(?:song|track|single)(?!\s+by\s)"
    r"|(?:song|track|single)(?=\s+(?:called|named|titled|by\s+name)\s))\s+(?:(?:called|named|titled|by\s+name)\s+)?"
)


@dataclass(frozen=True, slots=True)
class _Language:
    """How a language asks about a song.

    Attributes:
        frames: Questions around a song.
        asking: Those that are questions only before a question mark.
        called: What stands before the name of a song, "the song".
        pointing: What points at a song instead of naming it, "this one".
        by: What stands between title and artist.
        artist_first: Whether the artist stands before that.
    """

    frames: tuple[re.Pattern[str], ...]
    asking: tuple[re.Pattern[str], ...]
    called: re.Pattern[str]
    pointing: re.Pattern[str]
    by: re.Pattern[str] | None
    artist_first: bool


def _language(
    frames: tuple[str, ...],
    asking: tuple[str, ...],
    called: str,
    pointing: str,
    by: str | None = None,
    *,
    artist_first: bool = False,
) -> _Language:
    def compiled(pattern: str) -> re.Pattern[str]:
        return re.compile(pattern, re.IGNORECASE)

    return _Language(
        tuple(map(compiled, frames)),
        tuple(map(compiled, asking)),
        compiled(rf"^(?:{called})(?=\S)"),
        compiled(pointing),
        None if by is None else compiled(by),
        artist_first,
    )


_ENGLISH: Final = _language(
    _FRAMES,
    _ASKING_FRAMES,
    _CALLED,
    r"(?:this|that|it|these|those)(?:\s+(?:new\s+)?(?:song|one|track|single|tune|music))?",
)

_ES_HIT: Final = (
    r"(?:(?:tan|muy|ya|todavía|realmente)\s+)*(?:(?:un|una|el|la)\s+)?(?:(?:gran|verdadero|nuevo|próximo)\s+)*"
    r"(?:éxito|exito|hit|popular|famos[oa]|conocid[oa]|exitos[oa]|viral|temazo|tendencia|fracaso)"
    r"(?:\s+(?:mundial|o\s+no|ahora|hoy|en\s+spotify))*"
)
_ES_IS: Final = (
    r"(?:es|será|sera|fue|era|sería|seguirá\s+siendo|sigue\s+siendo|va\s+a\s+ser|puede\s+ser|llegará\s+a\s+ser)"
)
_SPANISH: Final = _language(
    (
        rf"(?:crees\s+que\s+)?{_ES_IS}\s+{_SONG}\s+{_ES_HIT}",
        rf"crees\s+que\s+{_SONG}\s+{_ES_IS}\s+{_ES_HIT}",
        rf"(?:qué|que|cuán|cuan)\s+(?:tan\s+)?(?:popular|famos[oa]|conocid[oa]|exitos[oa])\s+{_ES_IS}\s+{_SONG}",
        rf"c[oó]mo\s+de\s+(?:popular|famos[oa]|conocid[oa])\s+{_ES_IS}\s+{_SONG}",
        rf"(?:cuál\s+es\s+|dime\s+)?(?:la\s+)?popularidad\s+de\s+{_SONG}",
    ),
    (rf"{_SONG}\s+{_ES_IS}\s+{_ES_HIT}",),
    r"(?:la|esta|esa)\s+(?:canción|cancion|rola|pista)\s+(?:llamada\s+)?",
    r"(?:esto|eso|ésta|ésa|(?:esta|esa|la)\s+(?:canción|cancion|rola))",
    r"\s+(?:de|por)\s+",
)

_PT_HIT: Final = (
    r"(?:(?:tão|muito|já|ainda|realmente)\s+)*(?:(?:um|uma|o|a)\s+)?(?:(?:grande|verdadeiro|novo|próximo)\s+)*"
    r"(?:sucesso|hit|popular|famos[oa]|conhecid[oa]|viral|hino|fracasso)(?:\s+(?:mundial|ou\s+não|agora|hoje|no\s+spotify))*"
)
_PT_IS: Final = r"(?:é|será|foi|era|seria|vai\s+ser|pode\s+ser|vai\s+virar|ainda\s+é|continua\s+sendo|está)"
_PORTUGUESE: Final = _language(
    (
        rf"(?:será\s+que\s+|você\s+acha\s+que\s+|vc\s+acha\s+que\s+){_SONG}\s+{_PT_IS}\s+{_PT_HIT}",
        rf"{_PT_IS}\s+{_SONG}\s+{_PT_HIT}",
        rf"(?:quão|quao|qu[ãa]o)\s+(?:popular|famos[oa]|conhecid[oa])\s+{_PT_IS}\s+{_SONG}",
        rf"(?:qual\s+(?:é\s+)?)?(?:a\s+)?popularidade\s+d[eoa]s?\s+{_SONG}",
    ),
    (rf"{_SONG}\s+{_PT_IS}\s+{_PT_HIT}",),
    r"(?:a|essa|esta)\s+(?:música|musica|canção|faixa)\s+(?:chamada\s+)?",
    r"(?:isso|isto|(?:a|essa|esta)\s+(?:música|musica|canção|faixa))",
    r"\s+(?:de|do|da|dos|das|por)\s+",
)

_DE_HIT: Final = (
    r"(?:(?:so|sehr|noch|immer|schon|wirklich|eigentlich|echt|denn|mal)\s+)*(?:(?:ein|eine|der|die)\s+)?"
    r"(?:(?:großer|riesiger|echter|riesen|neuer|nächster|richtiger)[\s-]+)*"
    r"(?:hit|welthit|sommerhit|erfolg|ohrwurm|beliebt|bekannt|berühmt|populär|erfolgreich|flop)"
    r"(?:\s+(?:werden|sein|bleiben|oder\s+(?:nicht|(?:ein\s+)?flop)|heute|auf\s+spotify))*"
)
_GERMAN: Final = _language(
    (
        rf"(?:ist|war|wird|wäre|bleibt|kann)\s+{_SONG}\s+{_DE_HIT}",
        r"wie\s+(?:beliebt|bekannt|populär|erfolgreich|berühmt|groß)\s+(?:ist|war|wird|wäre)"
        rf"\s+{_SONG}(?:\s+(?:werden|sein|heute|auf\s+spotify))?",
        rf"(?:glaubst\s+du,?|meinst\s+du,?|denkst\s+du,?)\s+(?:dass\s+)?{_SONG}\s+{_DE_HIT}(?:\s+(?:ist|wird))?",
        rf"(?:was\s+ist\s+)?(?:die\s+)?(?:beliebtheit|popularität)\s+von\s+{_SONG}",
    ),
    (rf"{_SONG}\s+(?:ist|war|wird)\s+{_DE_HIT}",),
    r"(?:das|dieses|der|dieser)\s+(?:neue\s+)?(?:lied|song|stück|titel|single)\s+(?:namens\s+)?",
    r"(?:das|dies|es|(?:das|dieses|der|dieser)\s+(?:lied|song|stück|titel))(?:\s+hier)?",
    r"\s+von\s+",
)

_FR_HIT: Final = (
    r"(?:(?:si|très|aussi|déjà|encore|vraiment|toujours)\s+)*(?:(?:un|une|le|la)\s+)?(?:(?:gros|grand|énorme|vrai|futur)\s+)*"
    r"(?:tube|hit|succès|succes|carton|populaire|célèbre|connue?|viral|flop)(?:\s+(?:ou\s+pas|mondial|aujourd['’]hui|sur\s+spotify))*"
)
_FR_IS: Final = r"(?:est|sera|était|serait|va\s+être|va\s+devenir|deviendra|reste)(?:[\s-]+(?:il|elle|ce))?"
_FRENCH: Final = _language(
    (
        rf"est[\s-]ce\s+qu(?:e\s+|['’]\s*){_SONG}\s+{_FR_IS}\s+{_FR_HIT}",
        rf"(?:est|sera|était)\s+{_SONG}\s+{_FR_HIT}",
        rf"(?:tu\s+penses|vous\s+pensez|penses[\s-]tu)\s+qu(?:e\s+|['’]\s*){_SONG}\s+{_FR_IS}\s+{_FR_HIT}",
        rf"(?:à|a)\s+quel\s+point\s+{_SONG}\s+{_FR_IS}\s+{_FR_HIT}",
        rf"(?:quelle\s+est\s+)?(?:la\s+)?popularité\s+(?:de\s+|d['’]\s*){_SONG}",
    ),
    (rf"{_SONG}\s+{_FR_IS}\s+{_FR_HIT}",),
    r"(?:la|cette)\s+(?:nouvelle\s+)?chanson\s+|le\s+(?:titre|morceau)\s+",
    r"(?:ça|ca|ceci|cela|ce|c['’]|(?:la|cette)\s+chanson|ce\s+(?:titre|morceau))",
    r"\s+(?:de\s+|par\s+|d['’]\s*)",
)

_HI_HIT: Final = (
    r"(?:एक\s+|ek\s+)?(?:बड़ा\s+|बहुत\s+|bada\s+|bahut\s+)?(?:सुपर)?"
    r"(?:हिट|लोकप्रिय|मशहूर|प्रसिद्ध|पॉपुलर|वायरल|(?:super\s*)?hit|popular|famous|mashhoor|viral)(?:\s+(?:गाना|gaana|gana|song))?"
)
_HI_IS: Final = r"(?:है|हैं|था|थी|होगा|होगी|होंगे|बनेगा|बनेगी|हो\s+जाएगा|हो\s+जाएगी|hai|hain|tha|thi|hoga|hogi|banega)"
_HINDI: Final = _language(
    (
        rf"(?:क्या|kya)\s+{_SONG}\s+{_HI_HIT}\s+{_HI_IS}",
        rf"{_SONG}\s+(?:कितना|कितनी|kitna|kitni)\s+(?:लोकप्रिय|मशहूर|प्रसिद्ध|पॉपुलर|हिट|popular|famous|hit|mashhoor)\s+{_HI_IS}",
        rf"{_SONG}\s+{_HI_HIT}\s+{_HI_IS}\s+(?:क्या|kya)",
        rf"{_SONG}\s+की\s+लोकप्रियता(?:\s+.*)?",
    ),
    (rf"{_SONG}\s+{_HI_HIT}\s+{_HI_IS}",),
    r"(?:यह|ये|yeh|ye)\s+(?:गाना|गीत|gaana|gana)\s+|(?:गाना|गीत|gaana|gana)\s+",
    r"(?:यह|ये|वह|yeh|ye|woh)(?:\s+(?:गाना|गीत|gaana|gana|song))?",
)

_JA_HIT: Final = r"(?:人気|大?ヒット|有名|流行|売れ|バズ|話題|いい曲)"
_JAPANESE: Final = _language(
    (
        rf"{_SONG}\s*(?:は|って|という曲は)\s*(?:今|本当に|まだ|どれくらい|どのくらい|どれだけ)?\s*{_JA_HIT}[ぁ-んァ-ヶー曲作度ある]{{0,14}}",
        rf"{_SONG}\s*の\s*人気(?:度)?(?:は|を|って)?[ぁ-んァ-ヶー教]{{0,10}}",
    ),
    (rf"{_SONG}\s*{_JA_HIT}[ぁ-んァ-ヶー曲作]{{0,6}}",),
    r"(?:この|その)?曲(?:名)?\s*[「『]?",
    r"(?:これ|それ|この(?:曲|歌)|その(?:曲|歌))",
    r"\s*の\s*",
    artist_first=True,
)

# "será que" is Portuguese, and "es popular?" would be English if that came first.
_LANGUAGES: Final = (_ENGLISH, _PORTUGUESE, _SPANISH, _GERMAN, _FRENCH, _HINDI, _JAPANESE)
_QUESTIONS: Final = tuple((language, frame) for language in _LANGUAGES for frame in language.frames)
_ASKED: Final = tuple((language, frame) for language in reversed(_LANGUAGES) for frame in language.asking)
QUESTION_MARKS: Final = ("?", "？")
_MARKS: Final = " \t?!.,;:¿¡？！。…"

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


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a text says of a song, without the phrases around it.

    Attributes:
        song: The song; the text itself if nothing would be left.
        whole: The same with what may be the beginning of its title: "the song remains the same".
        parted: Title and artist, where the language of the question has a word between them: "Hello von Adele".
        asked: Whether a question stood around it.
        pointing: Whether the question only points at a song: "is this a hit?", "das ist ein hit?".
    """

    song: str
    whole: str
    parted: tuple[str, str] | None = None
    asked: bool = False
    pointing: bool = False


def without_phrases(text: str) -> Spoken:
    """Take away the question around a song's name and what videos are called.

    An altered recording named without brackets is put into them: "Halo sped up" gives "Halo (sped up)".
    """
    language, found = _question(text)
    whole = _without_tails(text if found is None else found)
    if not speaks(whole):
        return Spoken(text, text)
    if language is None:
        return Spoken(whole, whole)
    song = language.called.sub("", whole)
    song = song if speaks(song) else whole
    return Spoken(song, whole, _parted(song, language), asked=True, pointing=bool(language.pointing.fullmatch(whole)))


def _parted(song: str, language: _Language) -> tuple[str, str] | None:
    """Part title and artist by the word that the language has between them; None if it is not there."""
    parts = [] if language.by is None else language.by.split(song, maxsplit=1)
    if len(parts) != 2 or not all(map(speaks, parts)):
        return None
    title, artist = reversed(parts) if language.artist_first else parts
    return title, artist


def pair_of(text: str) -> Pair | None:
    """Read two songs that are to be compared; None if the text names one."""
    asked = text.strip(_MARKS)
    sides = _VERSUS.split(_question(text)[1] or asked)
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
    title = spoken if speaks(spoken) else title
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
    return bare if speaks(bare) else name


def _question(text: str) -> tuple[_Language, str] | tuple[None, None]:
    """Find the question around a song: the language that asks it, and the song."""
    asking = text.rstrip().endswith(QUESTION_MARKS)
    asked = without_pictures(text).strip(_MARKS)
    polite = _TRAIL.sub("", _LEAD.sub("", asked)).strip(_MARKS)
    for words in dict.fromkeys((polite, asked)):
        for language, frame in (*_QUESTIONS, *(_ASKED if asking else ())):
            found = frame.fullmatch(words)
            if found is not None and speaks(song := found["song"].strip(_MARKS)):
                return language, song
    return None, None


def without_pictures(text: str) -> str:
    """Drop emoji and other pictures; signs that names are made of ("÷", "+", "$") stay."""
    kept = "".join(
        " " if unicodedata.category(c) == "So" or "\U0001f3fb" <= c <= "\U0001f3ff" else c
        for c in text
        if c not in "\ufe0e\ufe0f\u20e3"
    )
    return " ".join(kept.split())


def _without_tails(text: str) -> str:
    kept = _HASHTAGS.sub("", text)
    before = None
    while before != kept:
        before = kept
        kept = _BRACKETED.sub(" ", kept).strip()
        shorter = _TAIL.sub("", kept).rstrip(" -–—|,")
        kept = shorter if speaks(shorter) else kept
    if kept != text and not speaks(kept):
        return text
    return _ALTERED.sub(lambda m: f" ({m['version']})", " ".join(kept.split()))


def _pair(first: str, second: str) -> Pair | None:
    sides = [side.strip(_MARKS) for side in (first, second)]
    told_apart = normalize(sides[0]) != normalize(sides[1])
    return Pair(*sides) if told_apart and all(map(speaks, sides)) else None
