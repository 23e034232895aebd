import pytest

from core.lookup.readings import Readings, read_table
from core.training.kanji_readings import make_table, table_lines

TITLES = ("夜に駆ける", "僕は君を", "ちょっと待って", "群青", "人間", "二人の人", "あの人", "Hello")


def test_a_table_reads_what_it_was_made_of_as_the_dictionary_does() -> None:
    words, report = make_table(TITLES)
    assert (report.names, report.differing) == (7, ())
    assert report.words == len(words)
    again = read_table("".join(table_lines(words)).splitlines())
    assert again == words
    assert Readings(again).read("人間は夜に") == "ningen wa yoru ni"


@pytest.mark.parametrize("title", ["你", "鑢鑢"])
def test_a_word_that_the_dictionary_lacks_stays_as_it_is(title: str) -> None:
    words, report = make_table([title])
    assert report.differing == ()
    assert Readings(words).read(title).isascii()
