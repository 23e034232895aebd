"""Builds a predictor from settings and says what is missing."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.concurrency import SerialExecutor
from core.errors import CatalogueOutdated, SettingsError
from core.figure_log import FILE_NAME, FigureLog, FigureTable, FileTable, RedisTable
from core.history import History
from core.lookup.artist import ArtistLookup
from core.lookup.catalogue import Catalogue
from core.lookup.cover import Artwork
from core.lookup.lastfm import LastFm
from core.lookup.link_follower import LinkFollower
from core.lookup.recorded import CatalogueSource, RecordedFigures
from core.lookup.release import ReleaseLookup
from core.lookup.resolver import SongResolver
from core.lookup.store import SHARED_SCHEMES
from core.model.hit_model import load_checked
from core.predictor import Predictor
from core.render.renderer import CardRenderer, RenderPool, load_drawing

if TYPE_CHECKING:
    from core.lookup.cache import OnLookup
    from core.lookup.lastfm_client import OnRequest
    from core.settings import Settings

KEY_HINT = (
    "No LASTFM_API_KEY: answers use what was once recorded of {songs}. A free key: "
    "https://www.last.fm/api/account/create"
)
CATALOGUE_HINT = (
    "No song catalogue: spelling is corrected by Last.fm alone and audio features are unknown. "
    "To build it: make catalogue"
)
"""Said where the start does not see to the catalogue; where it does, it says what came of it."""

CATALOGUE_OUTDATED_HINT = "The song catalogue is of another version and is left aside. To build it anew: make catalogue"

HISTORY_HINT = "history.sqlite in DATA_DIR cannot be used ({error}): buttons will be forgotten at the next start."

FIGURES_HINT = f"{FILE_NAME} in DATA_DIR cannot be used ({{error}}): what changed since earlier answers is not told."


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
    model = load_checked(settings.models_dir)
    live = settings.lastfm_api_key is not None
    recorded = _recorded_figures(settings)
    catalogue, missing = _open_catalogue(settings)
    # What is open is closed again should a later part fail.
    with ExitStack() as opened:
        if catalogue is not None:
            opened.callback(catalogue.close)
        try:
            history = History(settings.data_dir / "history.sqlite")
        except (OSError, sqlite3.Error) as error:
            history = History(None)
            missing.append(HISTORY_HINT.format(error=error))
        opened.callback(history.close)
        table, fault = figure_table(settings)
        missing += [] if fault is None else [fault]
        if isinstance(table, FileTable):  # the one in Redis connects when it is first asked
            opened.callback(table.close)
        worker = SerialExecutor("lookup")
        opened.callback(worker.close)
        recorded_source = CatalogueSource(recorded, catalogue, worker)
        source: LastFm | CatalogueSource = recorded_source
        fallback: CatalogueSource | None = None
        if live:
            source = LastFm.from_settings(settings, on_request=on_request, on_lookup=on_lookup)
            fallback = recorded_source
        else:
            songs = len(recorded) if catalogue is None else len(catalogue)
            missing.insert(0, KEY_HINT.format(songs=f"{songs:,} songs"))
        releases = ReleaseLookup.from_settings(settings, on_lookup=on_lookup)
        predictor = Predictor(
            resolver=SongResolver(
                source=source, fallback=fallback, catalogue=catalogue, releases=releases, live=live, worker=worker
            ),
            artists=ArtistLookup(
                source=source,
                fallback=fallback,
                artists=recorded.artists if catalogue is None else catalogue.artists,
                catalogue=catalogue,
                live=live,
                worker=worker,
            ),
            model=model,
            artwork=Artwork.from_settings(settings, releases),
            renderer=CardRenderer(RenderPool(load_drawing, helpers=settings.drawing_helpers)),
            history=history,
            figures=FigureLog(table),
            complete=recorded.complete if catalogue is None else catalogue.complete,
            links=LinkFollower.from_settings(settings, catalogue),
            models_dir=settings.models_dir,
        )
        opened.pop_all()
    return Assembled(predictor, tuple(missing))


def figure_table(settings: Settings) -> tuple[FigureTable, str | None]:
    """Open the table of dated figures: in Redis where processes share one, else a file, else memory and a sentence."""
    if settings.cache_url.partition(":")[0] in SHARED_SCHEMES:
        return RedisTable(settings.cache_url), None
    try:
        return FileTable(settings.data_dir / FILE_NAME), None
    except (OSError, sqlite3.Error) as error:
        return FileTable(None), FIGURES_HINT.format(error=error)


def _open_catalogue(settings: Settings) -> tuple[Catalogue | None, list[str]]:
    """Open the catalogue, if there is one that this version reads; else say in a sentence what is missing."""
    hint = CATALOGUE_HINT
    try:
        if (catalogue := Catalogue.open_if_present(settings.catalogue_path)) is not None:
            return catalogue, []
    except CatalogueOutdated:
        hint = CATALOGUE_OUTDATED_HINT
    return None, [hint] if settings.catalogue is None else []


def _recorded_figures(settings: Settings) -> RecordedFigures:
    """Load the recorded figures; without a key they are needed, with one they only stand in.

    Raises:
        SettingsError: There is no such file, and no key: ``DATA_DIR`` is at fault.
        DataError: It is damaged.
    """
    path = settings.demo_songs_path
    if path.exists():
        return RecordedFigures.load(path)
    if settings.lastfm_api_key is not None:
        return RecordedFigures(())
    fault = f"DATA_DIR has no {path.name}, from which songs are answered without LASTFM_API_KEY: {path.parent}"
    raise SettingsError(fault, user_message=fault)
