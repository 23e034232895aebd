import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram.constants import InlineKeyboardButtonLimit

from bot.reply import Choice, Reply, ResultCode, token_of
from bot.telegram_bot.keyboards import Action, ButtonData, ButtonSigner, Keyboards
from core.domain import SongName

SIGNER = ButtonSigner("123:abc")
names = st.builds(SongName, st.text(), st.text())


@given(st.sampled_from(Action), names, st.none() | st.integers(1, 2**63 - 1), st.none() | names)
def test_what_is_packed_is_read_again_and_fits(
    action: Action, name: SongName, asker: int | None, other: SongName | None
) -> None:
    data = ButtonData(action, token_of(name), asker, None if other is None else token_of(other))
    packed = SIGNER.pack(data)
    assert len(packed.encode()) <= InlineKeyboardButtonLimit.MAX_CALLBACK_DATA
    assert ButtonSigner("123:abc").unpack(packed) == data


@given(st.text())
def test_anything_else_is_refused(text: str) -> None:
    assert SIGNER.unpack(text) is None


@pytest.mark.parametrize("place", range(22))
def test_one_changed_character_is_noticed(place: int) -> None:
    packed = SIGNER.pack(ButtonData(Action.WHY, token_of(SongName("a", "b"))))
    changed = packed[:place] + ("p" if packed[place] != "p" else "r") + packed[place + 1 :]
    assert SIGNER.unpack(changed) is None


def test_no_data_is_refused() -> None:
    assert SIGNER.unpack(None) is None


def test_a_guest_s_answer_in_doubt_has_the_other_songs_below() -> None:
    other = Choice("Hello — Lionel Richie", token_of(SongName("Hello", "Lionel Richie")))
    reply = Reply(code=ResultCode.PREDICTED, lines=(), token=token_of(SongName("Hello", "Adele")), choices=(other,))
    keyboard = Keyboards(SIGNER).under_guest(reply, 7, "hitmeter_bot")
    assert keyboard is not None
    assert [[button.text for button in row] for row in keyboard.inline_keyboard][-1] == [other.label]
