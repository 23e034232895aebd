import ast
from datetime import date
from pathlib import Path

import pytest

from core import text as released
from core.text import parse_release_date

TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1975-10-31", date(1975, 10, 31)),
        ("1975-10-31T07:00:00Z", date(1975, 10, 31)),
        ("1975-10-31 23:59:59.5+02:00", date(1975, 10, 31)),
        (" 1975-10-31\n", date(1975, 10, 31)),
        ("1975-10", date(1975, 10, 1)),
        ("1975", date(1975, 7, 1)),
        ("1860", date(1860, 7, 1)),
        ("2028-02-29", date(2028, 2, 29)),
        ("2028-11-25", date(2028, 11, 25)),
    ],
)
def test_reads_days_months_and_years(text, day):
    assert parse_release_date(text, today=TODAY) == day


@pytest.mark.parametrize(
    "text",
    [
        None, "", " ", "0000-00-00", "0000", "1859", "1859-12-31", "2021-02-30", "2021-13-01", "2021-00-00", "2021-1-1",
        "2028-11-26", "2029", "9999-12-31", "75", "19750", "1975-", "1975-10-31x", "31.10.1975", "soon", "-1975",
        "１９７５", "1975-10-31T\n07:00", "1975-10-3110",
    ],
)  # fmt: skip
def test_days_that_cannot_be_are_unknown(text):
    assert parse_release_date(text, today=TODAY) is None


def test_a_bare_year_is_not_ahead_of_today():
    assert parse_release_date("2026", today=date(2026, 2, 1)) == date(2026, 2, 1)
    assert parse_release_date("2027", today=date(2026, 2, 1)) == date(2027, 7, 1)


def test_today_is_the_day_it_is():
    assert parse_release_date(f"{date.today().year + 1}-01-01") is not None  # noqa: DTZ011
    assert parse_release_date(f"{date.today().year + 4}-01-01") is None  # noqa: DTZ011


def test_training_reads_dates_without_the_network_library():
    tree = ast.parse(Path(released.__file__).read_text("utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module for module in modules if module and module.startswith(("core", "aiohttp"))} == {"core.language"}
