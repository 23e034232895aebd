from __future__ import annotations

import pytest

from core.domain import SongName
from core.lookup.readings import TABLE, Readings, Word, read_table


@pytest.fixture(scope="module")
def readings() -> Readings:
    return Readings.load()


@pytest.mark.parametrize(
    ("title", "spelt"),
    [
        ("夜に駆ける", ["yoru ni kakeru"]),
        ("僕は君を", ["boku wa kimi o"]),
        ("待つ", ["matsu"]),
        ("群青", ["gunjou", "Qun Qing"]),
        ("Тоска", ["Toska"]),
        ("Hello", []),
        ("", []),
    ],
)
def test_kanji_are_read_as_words_and_as_chinese_where_no_kana_tell(
    readings: Readings, title: str, spelt: list[str]
) -> None:
    assert [name.title for name in readings.spellings(SongName(title, "Somebody"))] == spelt


def test_words_that_no_song_had_fall_back_to_their_characters(readings: Readings) -> None:
    assert readings.read("鑢と夜") == "Lu to yoru"
    assert readings.read("夜のちょっぴり") == "yoru no choppiri"


def test_the_commonest_words_together_are_chosen() -> None:
    words = {"今": Word("イマ", 50), "日": Word("ヒ", 50), "今日": Word("キョウ", 20), "は": Word("わ", 90)}
    assert Readings(words).words("今日は") == ["キョウ", "わ"]
    words["今日"] = Word("キョウ", 1)
    words["日は"] = Word("ヒ わ", 200)
    assert Readings(words).words("今日は") == ["イマ", "ヒ わ"]


def test_a_long_name_of_unknown_characters_is_read_in_steps_that_grow_with_its_length(readings: Readings) -> None:
    assert len(readings.words("鑢" * 512)) == 512


def test_the_shipped_table_holds_words_and_no_titles() -> None:
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    words = read_table(lines)
    assert len(words) == len(lines), "each once"
    assert all(word.count > 0 for word in words.values())
    assert max(map(len, words)) <= 24
