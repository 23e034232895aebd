from __future__ import annotations

import pytest

from core.text import age_years, percent, short_count


@pytest.mark.parametrize(
    ("years", "shown"),
    [
        (0.0, "today or later"), (1 / 365.25, "1 day ago"), (21 / 365.25, "3 weeks ago"), (0.5, "6 months ago"),
        (1.0, "1 year ago"), (12.7, "12 years ago"), (-1.0, "today or later"), (7 / 365.25, "1 week ago"),
        (45 / 365.25, "6 weeks ago"), (364 / 365.25, "11 months ago"), (100.0, "100 years ago"),
    ],
)  # fmt: skip
def test_ages_are_written_in_their_greatest_unit(years: float, shown: str) -> None:
    assert age_years(years) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"), (494, "494"), (999, "999"), (1_777, "1.8 k"), (23_021, "23 k"), (959_400, "959 k"),
        (999_600, "1.0 M"), (2_275_434, "2.3 M"), (13_000_000, "13.0 M"), (850_931_524, "851 M"), (1.2e9, "1.2 bn"),
    ],
)  # fmt: skip
def test_counts_are_written_short(count: float, shown: str) -> None:
    assert short_count(count) == shown


@pytest.mark.parametrize(
    ("probability", "shown"),
    [
        (0.923, "92.3 %"),
        (0.0, "< 0.1 %"),
        (0.00049, "< 0.1 %"),
        (0.0005, "0.1 %"),
        (0.9994, "99.9 %"),
        (0.9996, "> 99.9 %"),
        (1.0, "> 99.9 %"),
    ],
)
def test_nothing_is_called_certain(probability: float, shown: str) -> None:
    assert percent(probability) == shown
