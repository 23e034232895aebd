"""Rows of features: name, a bar filled to where the song stands among all, the value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from PIL import Image

from core.domain import Assessment, Block, FeatureValue, Reason
from core.render.fonts import Weight
from core.render.shapes import rounded_mask, sign
from core.render.text import CAP_HEIGHT_EM, fit, ink, room_for
from core.render.theme import FILL, QUIET, TEXT, TRACK, WHITE, Colour, Shape

ROWS_MAX: Final = 5

_OF_A_BLOCK: Final = 2
_TYPE_PX: Final = 24
_STANDING_TYPE_PX: Final = 22
_BAR_PX: Final = 10
_GAP_PX: Final = 16
_WIDE_GAP_PX: Final = 28
_NAME_MIN_PX: Final = 150
_VALUE_MAX_PX: Final = 210
_BAR_MIN_PX: Final = 96
_SIGN_PX: Final = 15
_SIGN_GAP_PX: Final = 9


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the parts of the rows lie, in pixels; values and standings end at their right edges."""

    name_px: int
    bar_left: int
    bar_px: int
    value_px: int
    value_right: int
    standing_px: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows lie on a picture.

    Attributes:
        left: Left edge of the names, in pixels.
        top: Upper edge of the first row, in pixels.
        width_px: Width of a row.
        pitch_px: Height of a row.
        standings: Whether "top 1 %" is written at the end of each row.
    """

    left: int
    top: int
    width_px: int
    pitch_px: int
    standings: bool = True

    @property
    def right(self) -> int:
        """Right edge of all."""
        return self.left + self.width_px

    def columns(self, features: tuple[FeatureValue, ...]) -> Columns:
        """Give values and standings the room they need, names what leaves the bars theirs, and the bars the rest."""

        def needed(texts: Iterable[str], type_px: int, weight: Weight) -> int:
            return max((room_for(text, type_px, weight) for text in texts), default=0)

        value_px = min(_VALUE_MAX_PX, needed((f.display for f in features), _TYPE_PX, Weight.BOLD))
        standings = (f.standing for f in features if self.standings and f.standing)
        standing_px = needed(standings, _STANDING_TYPE_PX, Weight.REGULAR)
        behind_bar = _GAP_PX + value_px + (_WIDE_GAP_PX + standing_px if standing_px else 0)
        name_max_px = self.width_px - behind_bar - _GAP_PX - _BAR_MIN_PX
        names_px = needed((f.label for f in features), _TYPE_PX, Weight.REGULAR)
        name_px = min(name_max_px, max(_NAME_MIN_PX, names_px))
        bar_left = self.left + name_px + _GAP_PX
        bar_px = self.right - behind_bar - bar_left
        return Columns(name_px, bar_left, bar_px, value_px, bar_left + bar_px + _GAP_PX + value_px, standing_px)

    def draw(
        self, picture: Image.Image, features: tuple[FeatureValue, ...], push: Reason | None, accent: Colour
    ) -> None:
        """Draw one row for each of ``features``, all of which have a percentile; ``push`` marks its own."""
        columns = self.columns(features)
        for place, feature in enumerate(features):
            marked = push if push is not None and push.key == feature.key else None
            self._row(picture, columns, self.top + place * self.pitch_px, feature, marked, accent)

    def _row(
        self,
        picture: Image.Image,
        columns: Columns,
        top: int,
        feature: FeatureValue,
        push: Reason | None,
        accent: Colour,
    ) -> None:
        middle = top + self.pitch_px // 2
        baseline = middle + round(_TYPE_PX * CAP_HEIGHT_EM / 2)
        if push is not None:
            arrow = sign(Shape.UP if push.push > 0 else Shape.DOWN, _SIGN_PX, accent)
            picture.paste(arrow, (self.left - _SIGN_PX - _SIGN_GAP_PX, middle - _SIGN_PX // 2), arrow)
        name = fit(feature.label, _TYPE_PX, columns.name_px)
        name.lay(picture, self.left, baseline, TEXT if push is None else WHITE)

        corner = (columns.bar_left, middle - _BAR_PX // 2)
        picture.paste(tuple(TRACK), corner, rounded_mask(columns.bar_px, _BAR_PX, _BAR_PX // 2))
        filled = round(columns.bar_px * min(100.0, max(0.0, feature.percentile or 0.0)) / 100)
        if filled:
            colour = FILL if push is None else accent
            picture.paste(tuple(colour), corner, rounded_mask(max(filled, _BAR_PX), _BAR_PX, _BAR_PX // 2))

        value = fit(feature.display, _TYPE_PX, columns.value_px, Weight.BOLD)
        value.lay(picture, columns.value_right, baseline, WHITE, right=True)
        if columns.standing_px and feature.standing:
            ink(feature.standing, _STANDING_TYPE_PX).lay(picture, self.right, baseline, QUIET, right=True)


def strongest_push(assessment: Assessment) -> Reason | None:
    """Return the reason that counts most, if there is any."""
    return assessment.reasons[0] if assessment.reasons else None


def chosen_features(assessment: Assessment, most: int = ROWS_MAX) -> tuple[FeatureValue, ...]:
    """Choose the features to show, in their order: those with a percentile, the strongest push always among them.

    A card says more when it shows some of each block than all of one, so the third of a block gives way to others.
    """
    ranked = [feature for feature in assessment.features if feature.percentile is not None]
    push = strongest_push(assessment)
    seen: Counter[Block | None] = Counter()
    preference: dict[str, int] = {}
    for feature in ranked:
        seen[feature.block] += 1
        if push is not None and feature.key == push.key:
            preference[feature.key] = 0
        else:
            preference[feature.key] = 1 if feature.block is None or seen[feature.block] <= _OF_A_BLOCK else 2
    preferred = sorted(ranked, key=lambda feature: preference[feature.key])[:most]
    return tuple(feature for feature in ranked if feature in preferred)
