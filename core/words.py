"""Words for what the domain holds as values, said in the language spoken here; the card and the replies share them."""

from __future__ import annotations

from typing import Final

from core import text
from core.domain import FeatureValue, Reason, Verdict
from core.language import mark, mark_plural, say, say_plural

_VERDICTS: Final = {
    # Translators: the verdict on a song. At most 12 letters, on the card in large type.
    Verdict.POPULAR: mark("Popular"),
    # Translators: the verdict on a song, between "Popular" and "Not popular". At most 12 letters.
    Verdict.MEDIUM: mark("Medium"),
    # Translators: the verdict on a song. At most 14 letters, on the card in large type.
    Verdict.NOT_POPULAR: mark("Not popular"),
}
# Translators: where a figure stands among all songs, the highest ones. At most 10 letters.
_TOP: Final = mark("top {share}")
# Translators: where a figure stands among all songs, the lowest ones. At most 12 letters.
_BOTTOM: Final = mark("bottom {share}")
_LISTENERS: Final = mark_plural("{n} listener", "{n} listeners")
# Translators: a reason and its figure, "few listeners (494)".
_REASON: Final = mark("{reason} ({figure})")


def verdict_name(verdict: Verdict) -> str:
    """Name a verdict, "Not popular"."""
    return say(_VERDICTS[verdict])


def figure(feature: FeatureValue) -> str:
    """Write a figure in full, "2,275,434"."""
    return text.figure(feature.value, feature.unit)


def short_figure(feature: FeatureValue) -> str:
    """Write a figure, counts in a few characters, "2.3M"."""
    return text.short_count(feature.value) if feature.unit in ("listeners", "plays") else figure(feature)


def standing(feature: FeatureValue) -> str:
    """Say where a figure stands among all songs, "top 1 %" or "bottom 20 %"; "" if it has no rank."""
    if feature.percentile is None:
        return ""
    from_top = feature.percentile >= 50
    rest = 100 - feature.percentile if from_top else feature.percentile
    return say(_TOP if from_top else _BOTTOM, share=text.share(max(1, round(rest)) / 100))


def reason_words(reason: Reason) -> str:
    """Say a reason, "many listeners" or "released 3 weeks ago"."""
    written = "" if reason.value is None else text.figure(reason.value, reason.unit)
    return say(reason.label, names=", ".join(reason.names), ago=written, year=written)


def reason_with_figure(reason: Reason) -> str:
    """Say a reason and the figure it speaks of, "many listeners (959K)"."""
    if reason.value is None or "{" in reason.label:
        return reason_words(reason)
    if reason.unit in ("listeners", "plays"):
        written = text.short_count(reason.value)
        if reason.key == "artist_listeners":  # the label does not say what is counted
            written = say_plural(*_LISTENERS, reason.value, n=written)
    else:
        written = text.figure(reason.value, reason.unit)
    return say(_REASON, reason=reason_words(reason), figure=written)
