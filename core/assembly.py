"""Builds a predictor from settings and says what is missing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import SettingsError
from core.history import History
from core.lookup.artwork import Artwork
from core.lookup.catalog import Catalogue
from core.lookup.demo import RecordedFigures
from core.lookup.lastfm import LastFm
from core.lookup.release import ReleaseLookup
from core.lookup.resolve import SongResolver
from core.model.proof import load_proved
from core.predictor import Completer, Predictor
from core.render.card import CardRenderer, load_drawing
from core.render.crew import Crew

if TYPE_CHECKING:
    from core.domain import SongName
    from core.lookup.cache import OnLookup
    from core.lookup.source import SongSource
    from core.lookup.transport import OnRequest
    from core.settings import Settings

KEY_HINT = (
    "No LASTFM_API_KEY: answers use the recorded figures of some hundred songs. A free key: "
    "https://www.last.fm/api/account/create"
)
CATALOGUE_HINT = (
    "No song catalogue: spelling is corrected by Last.fm alone and audio features are unknown. "
    "To build it: make catalogue"
)

HISTORY_HINT = "history.sqlite in DATA_DIR cannot be used ({error}): buttons will be forgotten at the next start."

RECENT_SONGS = 200
"""Recently asked songs looked through for a completion."""

RECENT_SHOWN = 5
"""Most recently asked songs shown before those of the catalogue."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """A predictor ready to use, and one sentence for each thing it has to do without."""

    predictor: Predictor
    missing: tuple[str, ...]


def build_predictor(
    settings: Settings, *, on_request: OnRequest | None = None, on_lookup: OnLookup | None = None
) -> Assembled:
    """Open model, catalogue, sources and renderer; needs a running event loop for the HTTP sessions.

    Args:
        settings: What to open.
        on_request: Told method, outcome and seconds of every request to Last.fm.
        on_lookup: Told kind and result of every look into the cache.

    Raises:
        ModelError: The stored model is missing or refused.
        CatalogueError: There is a catalogue, but it is damaged.
        DataError: The recorded figures are damaged.
        SettingsError: ``DATA_DIR`` has no recorded figures, and there is no key.
    """
    model = load_proved(settings.models_dir)
    live = settings.lastfm_api_key is not None
    recorded = None if live else _recorded_figures(settings)
    catalogue = Catalogue.open_if_present(settings.catalogue_path)
    missing = [] if catalogue is not None else [CATALOGUE_HINT]
    try:
        history = History(settings.data_dir / "history.sqlite")
    except (OSError, sqlite3.Error) as error:
        history = History(None)
        missing.append(HISTORY_HINT.format(error=error))
    source: SongSource
    complete: Completer | None
    if recorded is not None:
        source, complete = recorded, recorded.complete
        missing.insert(0, KEY_HINT)
    else:
        source = LastFm.from_settings(settings, on_request=on_request, on_lookup=on_lookup)
        complete = None if catalogue is None else catalogue.complete
    releases = ReleaseLookup.from_settings(settings, on_lookup=on_lookup)
    predictor = Predictor(
        resolver=SongResolver(source=source, catalogue=catalogue, releases=releases, live=live),
        model=model,
        artwork=Artwork.from_settings(settings, releases),
        renderer=CardRenderer(Crew(load_drawing, helpers=settings.drawing_helpers)),
        history=history,
        complete=_with_recent(history, complete),
        models_dir=settings.models_dir,
    )
    return Assembled(predictor, tuple(missing))


def _recorded_figures(settings: Settings) -> RecordedFigures:
    """Load the recorded figures; where there are none, ``DATA_DIR`` is at fault.

    Raises:
        SettingsError: There is no such file.
        DataError: It is damaged.
    """
    path = settings.demo_songs_path
    if not path.exists():
        fault = f"DATA_DIR has no {path.name}, from which songs are answered without LASTFM_API_KEY: {path.parent}"
        raise SettingsError(fault, user_message=fault)
    return RecordedFigures.load(path)


def _with_recent(history: History, complete: Completer | None) -> Completer:
    """List recently asked songs that begin like the typed text, then what ``complete`` knows."""

    def both(prefix: str, limit: int) -> tuple[SongName, ...]:
        typed = prefix.casefold().strip()
        recent = [name for name in history.recent(RECENT_SONGS) if typed in f"{name.title} - {name.artist}".casefold()]
        known = complete(prefix, limit) if complete is not None else ()
        return tuple(dict.fromkeys([*recent[:RECENT_SHOWN], *known]))[:limit]

    return both
