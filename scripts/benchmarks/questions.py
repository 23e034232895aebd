"""Measures how questions are decided: answered rightly or wrongly, answered with the others beside it, or asked back.

python scripts/benchmarks/questions.py --csv FILE                 the Spotify Tracks Dataset
python scripts/benchmarks/questions.py --csv FILE --catalogue F   a catalogue that was built of it
python scripts/benchmarks/questions.py --csv FILE --wrong         also list what was answered wrongly

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
from core.lookup.readings import Readings  # noqa: E402
from core.query import parse_query  # noqa: E402
from scripts.benchmarks.songs import data_set, mistyped, noisy_questions  # noqa: E402

QUESTIONS: Final = 627
LATIN_QUESTIONS: Final = 300
SEED: Final = 627
MIN_POPULARITY: Final = 40
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
class Asked:
    """A question, the song it means, and what was done to its name."""

    kind: str
    text: str
    song: Song


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question: the decision, and its first candidate if there is any."""

    asked: Asked
    decision: Decision
    best: Candidate | None

    @property
    def right(self) -> bool:
        """Whether the first candidate is the song asked for."""
        return self.best is not None and is_song(self.best, self.asked.song)


def all_questions(songs: Sequence[Song], seed: int) -> list[Asked]:
    """Ask for songs in every way; same seed, same questions."""
    noisy = [Asked(one.kinds[0].value, one.text, one.song) for one in noisy_questions(songs, QUESTIONS, seed)]
    foreign = [song for song in songs if any(ord(c) > 0x36F and c.isalpha() for c in song.title)]
    return [*noisy, *phrased_questions(songs, QUESTIONS, seed), *latin_questions(foreign, LATIN_QUESTIONS, seed)]


def phrased_questions(songs: Sequence[Song], count: int, seed: int) -> list[Asked]:
    """Ask for ``count`` songs, each kind of phrase in its turn."""
    rng = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    made = []
    for number, song in enumerate(rng.sample(songs, count)):
        name = f"{song.title}{rng.choice((' - ', ' by ', ' '))}{song.artist}"
        match number % 3:
            case 0:
                made.append(Asked("question", rng.choice(ASKED).format(name), song))
            case 1:
                made.append(Asked("video's words", f"{name} {rng.choice(BEHIND)}", song))
            case _:
                made.append(Asked("altered", f"{song.title} {rng.choice(ALTERED)} - {song.artist}", song))
    return made


def latin_questions(songs: Sequence[Song], count: int, seed: int) -> list[Asked]:
    """Ask for ``count`` songs of other scripts in Latin letters, spelt as the catalogue does, with a typo in each."""
    rng = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    readings = Readings.load()
    made = []
    for song in rng.sample(songs, min(len(songs), count)):
        spelt = readings.spellings(SongName(song.title, song.artist))
        if spelt:
            made.append(Asked("Latin letters", f"{mistyped(spelt[0].title, rng)} {spelt[0].artist}", song))
    return made


def decide(catalogue: Catalogue, asked: Asked, *, taken_out: bool) -> Outcome:
    """Ask one question; ``taken_out`` hides all records of the song."""
    query = parse_query(asked.text)
    found = catalogue.search(query)
    if taken_out:
        found = tuple(one for one in found if not is_song(one, asked.song))
    decided = match(query, found)
    return Outcome(asked, decided.decision, decided.candidates[0] if decided.candidates else None)


def is_song(candidate: Candidate, song: Song) -> bool:
    """Return whether a candidate is a recording of the song by one of its artists."""
    artists = {artist_key(artist) for artist in (song.artist, *song.credits)}
    credited = {artist_key(artist) for artist in (candidate.name.artist, *candidate.credits)}
    return bool(artists & credited) and base_title(candidate.name.title) == base_title(song.title)


def table(outcomes: Iterable[Outcome]) -> list[tuple[str, ...]]:
    """Sum outcomes up, a row a kind and one for all; shares in percent."""
    by_kind: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        for kind in (outcome.asked.kind, "all"):
            by_kind.setdefault(kind, []).append(outcome)
    counts: list[tuple[str, Callable[[Outcome], bool]]] = [
        ("first right", lambda one: one.right),
        ("sure, right", lambda one: one.decision is Decision.SURE and one.right),
        ("sure, wrong", lambda one: one.decision is Decision.SURE and not one.right),
        ("likely, right", lambda one: one.decision is Decision.LIKELY and one.right),
        ("likely, wrong", lambda one: one.decision is Decision.LIKELY and not one.right),
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
    known = [entry.song for entry in songs.entries if entry.popularity >= MIN_POPULARITY]
    questions = all_questions(known, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        path = options.catalogue or Path(folder) / "catalogue.sqlite"
        if options.catalogue is None:
            songs.build(path)
        catalogue = Catalogue.open(path)
        for taken_out in (False, True):
            outcomes = [decide(catalogue, asked, taken_out=taken_out) for asked in questions]
            print(f"\nthe song is {'not ' if taken_out else ''}in the catalogue")
            for row in table(outcomes):
                print("  ".join(f"{cell:>16}" for cell in row))
            for one in outcomes:
                answered = one.decision in (Decision.SURE, Decision.LIKELY)
                if options.wrong and answered and one.best is not None and not one.right:
                    asked, got = one.asked, f"{one.best.name} {one.best.score:.0f}"
                    print(f"{one.decision}: {asked.kind}: {asked.text!r} means {asked.song.name}, got {got}")
        catalogue.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
