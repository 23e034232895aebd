from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import messages
from bot.reply import Reply, ResultCode, SongToken
from bot.service import ChatSongs, SongService
from core.domain import Prediction, SongName
from core.errors import RenderError
from core.predictor import Comparison
from tests.fakes.predictor import FakePredictor

HELLO = SongName("Hello", "Adele")
HALO = SongName("Halo", "Beyoncé")
KEEP = SongName("Hey Jude", "The Beatles")


def test_a_chats_songs_are_listed_there_the_latest_first_and_nowhere_else() -> None:
    songs = ChatSongs()
    songs.note("here", [HELLO, HALO])
    songs.note("there", [KEEP])
    songs.note("here", [HELLO])
    assert songs.complete("here", "") == (HELLO, HALO)
    assert songs.complete("there", "h") == (KEEP,)
    assert songs.complete("elsewhere", "") == ()


def test_what_is_typed_may_stand_anywhere_and_be_spelt_plainly() -> None:
    songs = ChatSongs()
    songs.note("here", [HELLO, HALO])
    assert songs.complete("here", "  BEYONCE") == (HALO,)
    assert songs.complete("here", "halo bey") == (HALO,)
    assert songs.complete("here", "\u200b") == ()


def test_the_chats_and_songs_of_longest_ago_are_forgotten() -> None:
    songs = ChatSongs(chats=2, songs=2)
    for chat in (1, 2, 1, 3):
        songs.note(chat, [HELLO, HALO, KEEP])
    assert [len(songs.complete(chat, "")) for chat in (1, 2, 3)] == [2, 0, 2]
    assert songs.complete(1, "") == (KEEP, HALO)
    assert songs.complete(1, "", limit=1) == (KEEP,)


@given(st.dictionaries(st.integers(0, 5), st.lists(st.builds(SongName, st.text(), st.text()))), st.text())
def test_no_chat_ever_sees_a_song_of_another(asked: dict[int, list[SongName]], typed: str) -> None:
    songs = ChatSongs()
    for chat, names in asked.items():
        songs.note(chat, names)
    for chat in range(6):
        assert set(songs.complete(chat, typed)) <= set(asked.get(chat, []))


class Drawing(FakePredictor):
    """Draws a word instead of a picture, or fails to if told so."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: Exception | None = None

    async def card(self, _: Prediction) -> bytes:
        return self._draw("still")

    async def animation(self, _: Prediction) -> bytes:
        return self._draw("moving")

    async def comparison_card(self, _: Comparison) -> bytes:
        return self._draw("compared")

    def _draw(self, kind: str) -> bytes:
        self.drawn.append(kind)
        if self.fault is not None:
            raise self.fault
        return kind.encode()


@pytest.fixture
def drawing() -> Iterator[Drawing]:
    predictor = Drawing()
    yield predictor
    predictor.history.close()


def serving(predictor: Drawing) -> SongService:
    return SongService(predictor)  # type: ignore[arg-type]


async def test_a_card_is_drawn_when_somebody_awaits_it_still_or_moving(drawing: Drawing) -> None:
    reply = await serving(drawing).predict("Hello - Adele")
    assert reply.card is not None
    assert drawing.drawn == []
    still, moving = await reply.card(), await reply.card(animated=True)
    assert drawing.drawn == ["still", "moving"]
    assert still is not None
    assert moving is not None
    assert (still.data, still.filename, still.media_type) == (b"still", "hitmeter-card.png", "image/png")
    assert (moving.data, moving.filename, moving.media_type) == (b"moving", "hitmeter-card.gif", "image/gif")
    assert reply.text in still.alt


async def test_a_comparison_has_one_card_that_never_moves(drawing: Drawing) -> None:
    reply = await serving(drawing).compare("Hello - Adele", "Blinding Lights - The Weeknd")
    assert reply.card is not None
    picture = await reply.card(animated=True)
    assert picture is not None
    assert (picture.data, picture.media_type) == (b"compared", "image/png")


@pytest.mark.parametrize("fault", [RenderError("no fonts"), ZeroDivisionError("a bug")])
async def test_an_answer_whose_card_cannot_be_drawn_is_good_without_it(
    drawing: Drawing, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    drawing.fault = fault
    reply = await serving(drawing).predict("Hello - Adele")
    assert reply.code is ResultCode.PREDICTED
    assert reply.card is not None
    assert await reply.card() is None
    (record,) = [record for record in caplog.records if "event=card_failed" in record.getMessage()]
    assert record.exc_info is not None
    assert record.exc_info[1] is fault


async def test_a_question_is_text_or_the_token_of_a_song(drawing: Drawing) -> None:
    service = serving(drawing)
    adele = (await service.predict("Hello - Adele")).token
    assert adele is not None
    assert (await service.why("Hello - Adele")).lines == (await service.why(adele)).lines
    for first, second in ((adele, "Blinding Lights"), ("Hello - Adele", "Blinding Lights")):
        assert "92.3 % against 71.2 %" in (await service.compare(first, second)).text
    for text in ("Hello - Adele | Blinding Lights", "Hello - Adele vs Blinding Lights"):
        assert "92.3 % against 71.2 %" in (await service.compare(text)).text
    assert await service.song_name(adele) == SongName("Hello", "Adele")


async def test_of_a_forgotten_token_the_same_is_said_whatever_is_asked(drawing: Drawing) -> None:
    service, unknown = serving(drawing), SongToken("A" * 12)
    replies = [
        await service.predict(unknown),
        await service.why(unknown),
        await service.compare(unknown, "Hello"),
        await service.compare("Hello", unknown),
        await service.song_name(unknown),
    ]
    assert {(one.code, one.text) for one in replies if isinstance(one, Reply)} == {
        (ResultCode.FORGOTTEN, messages.FORGOTTEN)
    }
    assert all(isinstance(one, Reply) for one in replies)
    assert drawing.asked == []


@pytest.mark.parametrize("text", ["", "Hello", "Hello |", "| Hello"])
async def test_a_comparison_of_fewer_than_two_songs_says_how(drawing: Drawing, text: str) -> None:
    reply = await serving(drawing).compare(text)
    assert (reply.code, reply.text) == (ResultCode.BAD_QUESTION, messages.COMPARE_HOW)
