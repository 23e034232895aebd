from __future__ import annotations

import pytest

from core.language import speaking
from core.text import age_years, change, count, figure, percent, short_count


@pytest.mark.parametrize(
    ("years", "shown"),
    [
        (0.0, "today or later"), (1 / 365.25, "1 day ago"), (21 / 365.25, "3 weeks ago"), (0.5, "6 months ago"),
        (1.0, "1 year ago"), (12.7, "12 years ago"), (-1.0, "today or later"), (7 / 365.25, "1 week ago"),
        (45 / 365.25, "1 month ago"), (364 / 365.25, "11 months ago"), (100.0, "100 years ago"),
    ],
)  # fmt: skip
def test_ages_are_written_in_their_greatest_unit(years: float, shown: str) -> None:
    assert age_years(years) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"), (494, "494"), (999, "999"), (1_777, "1.8K"), (23_021, "23K"), (959_400, "959K"),
        (999_600, "1M"), (2_275_434, "2.3M"), (13_000_000, "13M"), (850_931_524, "851M"), (1.2e9, "1.2B"),
    ],
)  # fmt: skip
def test_counts_are_written_short(value: float, shown: str) -> None:
    assert short_count(value) == shown


# Babel parts numbers from their units by narrow or unbreakable spaces.
@pytest.mark.parametrize(
    ("language", "short", "full", "percentage"),
    [
        ("es", "2,3\xa0M", "2.275.434", "92,3\xa0%"),
        ("pt_BR", "2,3\xa0mi", "2.275.434", "92,3%"),
        ("de", "2,3\xa0Mio.", "2.275.434", "92,3\xa0%"),
        ("fr", "2,3\xa0M", "2\u202f275\u202f434", "92,3\xa0%"),
        ("hi", "22.8\xa0लाख", "22,75,434", "92.3%"),
        ("ja", "228万", "2,275,434", "92.3%"),
    ],
)
def test_numbers_follow_the_language(language: str, short: str, full: str, percentage: str) -> None:
    with speaking(language):
        assert (short_count(2_275_434), count(2_275_434), percent(0.923)) == (short, full, percentage)


@pytest.mark.parametrize(
    ("language", "value", "shown"),
    [("ja", 149e6, "1.5億"), ("ja", 234_000, "23.4万"), ("ja", 23.4e6, "2340万"), ("hi", 149_000, "1.5\xa0लाख")],
)
def test_short_counts_keep_a_decimal_where_numbers_are_grouped_by_four_or_two(
    language: str, value: float, shown: str
) -> None:
    with speaking(language):
        assert short_count(value) == shown


def test_a_language_without_a_short_way_writes_counts_in_full() -> None:
    with speaking("de"):
        assert short_count(959_432) == "959.432"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.514, "", "51 %"),
        (2_275_434, "listeners", "2,275,434"),
        (16.37, "plays per listener", "16.4"),
        (200_040, "ms", "3:20"),
        (3_725_000, "ms", "1:02:05"),
        (-5.934, "dB", "-5.9 dB"),
        (171.005, "BPM", "171 BPM"),
        (1975, "year", "1975"),
    ],
)
def test_each_unit_is_written_in_its_own_way(value: float, unit: str, shown: str) -> None:
    assert figure(value, unit) == shown


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


@pytest.mark.parametrize(
    ("share", "written"),
    [(0.118, "+12 %"), (0.004, "+0.4 %"), (0.0996, "+10 %"), (-0.03, "−3.0 %"), (0.0004, "±0 %"), (4.0, "+400 %"),
     (12.345, "+1,234 %")],
)  # fmt: skip
def test_changes_have_a_sign_and_few_digits(share: float, written: str) -> None:
    assert change(share) == written
