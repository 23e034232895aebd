from datetime import UTC, datetime, timedelta

import pytest

from core.text import ago

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=2), "2 minutes ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=61), "2 months ago"),
        (timedelta(days=366), "1 year ago"),
    ],
)
def test_age_in_words(passed: timedelta, words: str) -> None:
    assert ago(NOW - passed, NOW) == words
