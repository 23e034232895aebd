from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.plain_text import plain, shortened, utf16_length


def test_controls_and_reordering_are_dropped() -> None:
    assert plain("a\x00b\x1b[31m\u202ec\u2066d\te\nf\ud83d") == "ab[31mcd e f"
    assert plain("a\nb\r\nc", keep_breaks=True) == "a\nb \nc"


def test_lengths_are_counted_in_utf16() -> None:
    assert utf16_length("a🎵東") == 4


def test_a_cut_never_splits_a_character() -> None:
    assert shortened("🎵🎵", 3) == "🎵…"
    assert shortened("ab  cd", 4) == "ab…"


@given(st.text(alphabet=st.characters(codec=None)), st.integers(0, 50))
def test_any_text_becomes_plain_and_short(text: str, length: int) -> None:
    kept = plain(text)
    kept.encode()
    assert "\n" not in kept
    assert utf16_length(shortened(kept, length)) <= length + 1
