from __future__ import annotations

import pytest

from core.lookup.romanise import is_foreign, romanised


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("Группа крови", "Gruppa krovi"),
        ("Ψυχή μου", "Psychi mou"),
        ("사랑", "sarang"),
        ("시작", "sijak"),
        ("강남스타일", "gangnamseutail"),
        ("빨리", "ppalli"),
        ("볼 수 있나요", "bol su itnayo"),
        ("좋아", "joa"),
        ("ちょっと", "chotto"),
        ("ラブレター", "rabureta"),
        ("きゅうり", "kyuuri"),
        ("月亮", "Yue Liang"),
        ("Gangnam Style (강남스타일)", "Gangnam Style (gangnamseutail)"),
        ("Beyoncé", "Beyoncé"),
        ("", ""),
    ],
)
def test_other_letters_become_latin_ones(text: str, latin: str) -> None:
    assert romanised(text) == latin


@pytest.mark.parametrize(
    ("text", "foreign"), [("Björk", False), ("ｂｅｙｏｎｃｅ", False), ("÷", False), ("Ψ", True), ("IU 아이유", True)]
)
def test_letters_with_marks_are_latin(text: str, foreign: bool) -> None:
    assert is_foreign(text) is foreign
