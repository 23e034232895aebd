"""The picture of how stated probabilities were kept."""

import io
from dataclasses import replace
from typing import Final

import pytest
from PIL import Image

from core.domain import CalibrationPoint, ModelReport, Verdict, VerdictBands
from core.render.calibration import draw_calibration
from core.render.text import Ink
from core.render.theme import ACCENTS, HEIGHT_PX, WIDTH_PX
from tests.fakes.predictions import NOW

REPORT: Final = ModelReport(
    trained_at=NOW,
    n_songs=21_912,
    base_rate=0.78,
    rows=(),
    bands=(),
    verdict_bands=VerdictBands(),
    calibration=tuple(CalibrationPoint(n / 10, n / 10 + 0.012, 400) for n in range(10)),
    limits=(),
)


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect every text that is laid."""
    laid: list[str] = []
    lay = Ink.lay
    monkeypatch.setattr(Ink, "lay", lambda self, *place, **how: (laid.append(self.text), lay(self, *place, **how))[1])
    return laid


def test_seventy_percent_are_told_first_and_the_songs_counted(texts: list[str]) -> None:
    with Image.open(io.BytesIO(draw_calibration(REPORT))) as picture:
        assert picture.size == (WIDTH_PX, HEIGHT_PX)
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    assert {tuple(ACCENTS[verdict]) for verdict in Verdict} <= colours
    told = [text for text in texts if " of 100" in text and "%" in text]
    assert told == ["Said 70 %: 71 of 100 were popular", "90 %: 91 of 100", "50 %: 51 of 100", "30 %: 31 of 100"]
    assert "Measured on 21,912 songs by artists it had never seen" in texts


def test_a_place_that_is_nearest_to_several_is_told_once(texts: list[str]) -> None:
    draw_calibration(replace(REPORT, calibration=REPORT.calibration[7:8]))
    assert [text for text in texts if "%: " in text] == ["Said 70 %: 71 of 100 were popular"]
