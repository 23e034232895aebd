from datetime import UTC, datetime, timedelta

import pytest

from core.language import speaking
from core.text import ago, day, duration, listing, month, short_month

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=2), "2 minutes ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=29), "4 weeks ago"),
        (timedelta(days=61), "2 months ago"),
        (timedelta(days=366), "1 year ago"),
    ],
)
def test_age_in_words(passed: timedelta, words: str) -> None:
    assert ago(NOW - passed, NOW) == words


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("es", "hace 3 semanas"),
        ("pt_BR", "há 3 semanas"),
        ("de", "vor 3 Wochen"),
        ("fr", "il y a 3 semaines"),
        ("hi", "3 सप्ताह पहले"),
        ("ja", "3 週間前"),
    ],
)
def test_age_in_each_language(language: str, words: str) -> None:
    with speaking(language):
        assert ago(NOW - timedelta(days=22), NOW) == words


def test_dates_and_lists_follow_the_language() -> None:
    assert (day(NOW), month(NOW), short_month(NOW)) == ("22 Nov 2026", "November 2026", "Nov 2026")
    assert listing(["a", "b", "c"]) == "a, b and c"
    with speaking("es"):
        assert (day(NOW), month(NOW), short_month(NOW)) == ("22 nov 2026", "noviembre de 2026", "nov 2026")
        assert listing(["a", "b", "c"]) == "a, b y c"


def test_a_length_of_time_is_told_in_its_largest_unit() -> None:
    assert duration(timedelta(hours=3, minutes=59)) == "3 hours"
    assert duration(timedelta(seconds=59)) == "less than a minute"
