"""Measures how questions are decided: answered rightly or wrongly, answered with the others beside it, or asked back.

python scripts/benchmarks/asking.py --csv FILE                 the Spotify Tracks Dataset
python scripts/benchmarks/asking.py --csv FILE --catalogue F   a catalogue that was built of it

Songs of some fame are asked for with typos, swapped names, missing words and accents, inside questions, with the words
of videos behind them and in Latin letters; once with the song in the catalogue and once without, when no answer is
right.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.domain import Candidate, Song, SongName  # noqa: E402
from core.lookup.catalogue import Catalogue  # noqa: E402
from core.lookup.matching import Decision, match  # noqa: E402
from core.lookup.normalise import artist_key, base_title  # noqa: E402
from core.query import parse_query  # noqa: E402
from scripts.benchmarks.noise import NoisyQuestion, noisy_questions  # noqa: E402
from scripts.benchmarks.songs import data_set  # noqa: E402

QUESTIONS: Final = 627
SEED: Final = 627
POPULARITY_LEAST: Final = 40
"""Songs that people may ask for."""

ASKED: Final = (
    *("is {} a hit?", "Is {} popular?", "how popular is {}", "predict {}", "will {} be popular", "what about {}?"),
    *("how big is {} now?", "hey, will {} become a hit?", "do you think {} will be a hit", "rate {}"),
)
BEHIND: Final = (
    *("official video hd", "lyrics", "8d audio", "1 hour", "M/V", "official audio", "(Official Music Video)"),
    *("with lyrics", "official mv", "music video", "remastered 2011", "[4K]"),
)
ALTERED: Final = ("sped up", "slowed + reverb", "nightcore")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question.

    Attributes:
        kind: What was done to it.
        decision: Of the match.
        right: Whether the first candidate is the song asked for.
        offered: Whether it is among those shown.
    """

    kind: str
    decision: Decision
    right: bool
    offered: bool


def phrased_questions(songs: Sequence[Song], count: int, seed: int) -> tuple[tuple[str, str, Song], ...]:
    """Ask for ``count`` songs, each kind of phrase in its turn: kind, text, song; same seed, same questions."""
    rng = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    made = []
    for number, song in enumerate(rng.sample(songs, count)):
        name = f"{song.title}{rng.choice((' - ', ' by ', ' '))}{song.artist}"
        match number % 3:
            case 0:
                made.append(("question", rng.choice(ASKED).format(name), song))
            case 1:
                made.append(("video's words", f"{name} {rng.choice(BEHIND)}", song))
            case _:
                made.append(("altered", f"{song.title} {rng.choice(ALTERED)} - {song.artist}", song))
    return tuple(made)


def decide(catalogue: Catalogue, kind: str, text: str, song: Song, *, taken_out: bool) -> Outcome:
    """Ask one question; ``taken_out`` hides all records of the song."""
    query = parse_query(text)
    found = catalogue.search(query)
    if taken_out:
        found = tuple(one for one in found if not is_song(one, song))
    decided = match(query, found)
    places = [is_song(one, song) for one in decided.candidates]
    return Outcome(kind, decided.decision, bool(places and places[0]), any(places))


def is_song(candidate: Candidate, song: Song) -> bool:
    """Tell whether a candidate is a recording of the song by one of its artists."""
    artists = {artist_key(artist) for artist in (song.artist, *song.credits)}
    credited = {artist_key(artist) for artist in (candidate.name.artist, *candidate.credits)}
    return bool(artists & credited) and base_title(candidate.name.title) == base_title(song.title)


def table(outcomes: Iterable[Outcome]) -> list[tuple[str, ...]]:
    """Sum outcomes up, a row a kind and one for all; shares in percent."""
    by_kind: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        for kind in (outcome.kind, "all"):
            by_kind.setdefault(kind, []).append(outcome)
    counts: list[tuple[str, Callable[[Outcome], bool]]] = [
        ("first right", lambda one: one.right),
        ("sure, right", lambda one: one.decision is Decision.SURE and one.right),
        ("sure, wrong", lambda one: one.decision is Decision.SURE and not one.right),
        ("likely, right", lambda one: one.decision.value == "likely" and one.right),
        ("likely, wrong", lambda one: one.decision.value == "likely" and not one.right),
        ("asked back", lambda one: one.decision is Decision.NEARLY),
        ("not found", lambda one: one.decision is Decision.NOTHING),
    ]
    rows = [("kind", "questions", *(name for name, _ in counts))]
    for kind in sorted(by_kind, key=lambda kind: kind == "all"):
        of_kind = by_kind[kind]
        cells = (
            f"{sum(map(test, of_kind))} ({100 * sum(map(test, of_kind)) / len(of_kind):.1f} %)" for _, test in counts
        )
        rows.append((kind, str(len(of_kind)), *cells))
    return rows


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 0 if all was measured."""
    parser = argparse.ArgumentParser(description="Measure how questions are decided.")
    parser.add_argument("--csv", type=Path, required=True, help="the Spotify Tracks Dataset")
    parser.add_argument("--catalogue", type=Path, help="a catalogue built of it; built anew without")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--wrong", action="store_true", help="list the questions that were answered wrongly")
    options = parser.parse_args(argv)
    songs = data_set(options.csv)
    known = [entry.song for entry in songs.entries if entry.popularity >= POPULARITY_LEAST]
    foreign = [song for song in known if any(ord(c) > 0x36F and c.isalpha() for c in song.title)]
    with tempfile.TemporaryDirectory() as folder:
        path = options.catalogue or Path(folder) / "catalogue.sqlite"
        if options.catalogue is None:
            songs.build(path)
        catalogue = Catalogue.open(path)
        noisy: tuple[NoisyQuestion, ...] = noisy_questions(known, QUESTIONS, options.seed)
        asked = [(one.kinds[0].value, one.text, one.song) for one in noisy]
        asked += phrased_questions(known, QUESTIONS, options.seed)
        asked += in_latin_letters(foreign, options.seed)
        for taken_out in (False, True):
            outcomes = [decide(catalogue, *one, taken_out=taken_out) for one in asked]
            sys.stdout.write(
                f"\n{'the song is not in the catalogue' if taken_out else 'the song is in the catalogue'}\n"
            )
            for row in table(outcomes):
                sys.stdout.write("  ".join(f"{cell:>16}" for cell in row) + "\n")
            wrong = [
                (one, outcome)
                for one, outcome in zip(asked, outcomes, strict=True)
                if not outcome.right and outcome.decision.value in ("sure", "likely")
            ]
            if options.wrong:
                for (kind, text, song), outcome in wrong:
                    best = match(
                        parse_query(text),
                        tuple(o for o in catalogue.search(parse_query(text)) if not (taken_out and is_song(o, song))),
                    ).candidates[0]
                    sys.stdout.write(
                        f"{outcome.decision}: {kind}: {text!r} means {song.name}, got {best.name} {best.score:.0f}\n"
                    )
        catalogue.close()
    return 0


def in_latin_letters(songs: Sequence[Song], seed: int) -> list[tuple[str, str, Song]]:
    """Ask for all songs of other scripts in Latin letters, as the catalogue's own spelling with a typo in each."""
    try:
        from core.lookup.catalogue_build import Readings
    except ImportError:
        return []
    from scripts.benchmarks.noise import mistyped

    rng = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    readings = Readings()
    made = []
    for song in rng.sample(songs, min(len(songs), 300)):
        spelt = readings.spellings(SongName(song.title, song.artist))
        if spelt:
            made.append(("Latin letters", f"{mistyped(spelt[0].title, rng)} {spelt[0].artist}", song))
    return made


if __name__ == "__main__":
    sys.exit(main())
