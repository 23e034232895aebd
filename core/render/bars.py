"""Rows of features: name, a bar filled to where the song stands among all, the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PIL import Image

from core.domain import Assessment, FeatureValue, Reason
from core.render.fonts import Weight
from core.render.shapes import rounded_mask, sign
from core.render.text import CAP_HEIGHT_EM, fit
from core.render.theme import FILL, QUIET, TEXT, TRACK, WHITE, Colour, Shape

ROWS_MAX: Final = 5

_TYPE_PX: Final = 24
_STANDING_TYPE_PX: Final = 22
_BAR_PX: Final = 10
_GAP_PX: Final = 16
_SIGN_PX: Final = 15
_SIGN_GAP_PX: Final = 9


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows lie on a picture, in pixels.

    Attributes:
        left: Left edge of the names.
        top: Upper edge of the first row.
        name_px: Room for a name.
        bar_px: Length of a full bar.
        value_px: Room for a value.
        standing_px: Room for "top 1 %"; 0 leaves it out.
        pitch_px: Height of a row.
    """

    left: int
    top: int
    name_px: int
    bar_px: int
    value_px: int
    standing_px: int
    pitch_px: int

    @property
    def bar_left(self) -> int:
        """Left edge of the bars."""
        return self.left + self.name_px + _GAP_PX

    @property
    def right(self) -> int:
        """Right edge of all."""
        standing = self.standing_px + _GAP_PX if self.standing_px else 0
        return self.bar_left + self.bar_px + _GAP_PX + self.value_px + standing

    def draw(
        self, picture: Image.Image, features: tuple[FeatureValue, ...], push: Reason | None, accent: Colour
    ) -> None:
        """Draw one row for each of ``features``, all of which have a percentile; ``push`` marks its own."""
        for place, feature in enumerate(features):
            marked = push if push is not None and push.key == feature.key else None
            self._row(picture, self.top + place * self.pitch_px, feature, marked, accent)

    def _row(self, picture: Image.Image, top: int, feature: FeatureValue, push: Reason | None, accent: Colour) -> None:
        middle = top + self.pitch_px // 2
        baseline = middle + round(_TYPE_PX * CAP_HEIGHT_EM / 2)
        bar_top = middle - _BAR_PX // 2
        if push is not None:
            arrow = sign(Shape.UP if push.push > 0 else Shape.DOWN, _SIGN_PX, accent)
            picture.paste(arrow, (self.left - _SIGN_PX - _SIGN_GAP_PX, middle - _SIGN_PX // 2), arrow)
        name = fit(feature.label, _TYPE_PX, self.name_px)
        name.lay(picture, self.left, baseline, TEXT if push is None else WHITE)

        picture.paste(tuple(TRACK), (self.bar_left, bar_top), rounded_mask(self.bar_px, _BAR_PX, _BAR_PX // 2))
        filled = round(self.bar_px * min(100.0, max(0.0, feature.percentile or 0.0)) / 100)
        if filled:
            length = max(filled, _BAR_PX)
            colour = FILL if push is None else accent
            picture.paste(tuple(colour), (self.bar_left, bar_top), rounded_mask(length, _BAR_PX, _BAR_PX // 2))

        value_right = self.bar_left + self.bar_px + _GAP_PX + self.value_px
        value = fit(feature.display, _TYPE_PX, self.value_px, Weight.BOLD)
        value.lay(picture, value_right, baseline, WHITE, right=True)
        if self.standing_px and feature.standing:
            standing = fit(feature.standing, _STANDING_TYPE_PX, self.standing_px)
            standing.lay(picture, self.right, baseline, QUIET, right=True)


def strongest_push(assessment: Assessment) -> Reason | None:
    """Return the reason that counts most, if there is any."""
    return assessment.reasons[0] if assessment.reasons else None


def chosen_features(assessment: Assessment, most: int = ROWS_MAX) -> tuple[FeatureValue, ...]:
    """Choose the features to show: those with a percentile, in their order, the strongest push always among them."""
    ranked = [feature for feature in assessment.features if feature.percentile is not None]
    push = strongest_push(assessment)
    chosen = ranked[:most]
    if push is not None and all(feature.key != push.key for feature in chosen):
        chosen = chosen[: most - 1] + [feature for feature in ranked[most:] if feature.key == push.key]
        chosen += [feature for feature in ranked if feature not in chosen][: most - len(chosen)]
    return tuple(chosen)
