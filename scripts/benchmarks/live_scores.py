"""What people were answered, scored against labels, and the tables that show it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Final

from rich.console import Console
from sklearn.metrics import roc_auc_score

from core.domain import Verdict
from core.lookup.normalise import song_key
from scripts.benchmarks.live_tables import SPOTIFY, Label, Labelled, Split
from scripts.benchmarks.measurement import print_table

MIN_SOURCE_SONGS: Final = 150
"""Fewest answered songs of a source for a figure of its own."""

HEARD: Final = 10_000
"""Listeners from which a song is one that people ask for."""

MAX_MISSED_SHOWN: Final = 30
"""Most missed songs printed; the file holds all."""

Scores = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What one question brought.

    Attributes:
        question: As typed.
        outcome: "answered", "ambiguous", "not found" or "failed".
        title: Of the song answered with, as are its artist and figures; "" and None if there is none.
        artist_listeners: None also where the artist's figures came too late.
        released: Its day of release, YYYY-MM-DD, where a look-up tells.
        error: Class of what went wrong.
    """

    question: str
    outcome: str
    title: str = ""
    artist: str = ""
    listeners: int | None = None
    playcount: int | None = None
    artist_listeners: int | None = None
    probability: float | None = None
    verdict: str = ""
    released: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """An answer beside one label of its song."""

    reply: Reply
    label: Label


def score_joined(songs: Sequence[Labelled], replies: Sequence[Reply], greatest: Mapping[str, int]) -> Scores:
    """Score answers to labelled songs, pooled by each song's latest label, by table, and by source.

    Args:
        songs: The songs asked.
        replies: What was answered, in the same order.
        greatest: Listeners of each song's greatest record.
    """
    pairs = list(zip(songs, replies, strict=True))
    pooled = [Scored(reply, song.latest) for song, reply in pairs]
    each = [Scored(reply, label) for song, reply in pairs for label in song.labels]
    sources = _by(each, lambda one: one.label.source)
    within = {
        source: scores
        for source, scored in sorted(sources.items())
        if (scores := score(scored))["answered"] >= MIN_SOURCE_SONGS and scores["auc_probability"] is not None
    }
    answered = [(song, reply) for song, reply in pairs if reply.outcome == "answered"]
    wrong = [(song, reply) for song, reply in answered if song_key(reply.title, reply.artist) != song.key]
    return {
        "pooled": score(pooled)
        | {
            "wrong_song": _share(len(wrong), len(answered)),
            "from_greatest_record": _share(
                sum(reply.listeners == greatest[song.key] for song, reply in answered), len(answered)
            ),
            "artist_known": _share(sum(reply.artist_listeners is not None for _, reply in answered), len(answered)),
            "released_known": _share(sum(bool(reply.released) for _, reply in answered), len(answered)),
        },
        "within": {
            name: fmean(scores[name] for scores in within.values()) if within else None
            for name in ("auc_probability", "auc_plays", "auc_listeners")
        }
        | {"sources": len(within)},
        "by_table": {name: score(scored) for name, scored in sorted(_by(each, _table_of).items())},
        "by_source": within,
        "failed": dict(Counter(reply.error for reply in replies if reply.error)),
        "wrong_songs": [
            {"question": reply.question, "answer": f"{reply.title} - {reply.artist}"} for _, reply in wrong
        ],
    }


def score(scored: Sequence[Scored]) -> Scores:
    """Count outcomes and verdicts, and measure how well probability, plays and listeners rank the answered songs."""
    outcomes = Counter(one.reply.outcome for one in scored)
    answered = [one for one in scored if one.reply.outcome == "answered"]
    popular = [one.label.popular for one in answered]
    verdicts = Counter(judged(one) for one in answered)
    decided = verdicts["right"] + verdicts["wrong"]
    said = [one for one in answered if one.reply.verdict == Verdict.POPULAR]
    denied = [one for one in answered if one.reply.verdict == Verdict.NOT_POPULAR]
    return {
        "asked": len(scored),
        **{outcome: outcomes[outcome] for outcome in ("answered", "ambiguous", "not found", "failed")},
        "popular": _share(sum(popular), len(answered)),
        "mean_probability": fmean(one.reply.probability or 0.0 for one in answered) if answered else None,
        "right": _share(verdicts["right"], len(answered)),
        "wrong": _share(verdicts["wrong"], len(answered)),
        "medium": _share(verdicts["medium"], len(answered)),
        "right_of_decided": _share(verdicts["right"], decided),
        "right_of_popular": _share(sum(one.label.popular for one in said), len(said)),
        "right_of_not_popular": _share(sum(not one.label.popular for one in denied), len(denied)),
        "auc_probability": ranking(popular, [one.reply.probability for one in answered]),
        "auc_plays": ranking(popular, [one.reply.playcount for one in answered]),
        "auc_listeners": ranking(popular, [one.reply.listeners for one in answered]),
    }


def judged(one: Scored) -> str:
    """Return whether the verdict came true: "right", "wrong", or "medium" where it takes no side."""
    if one.reply.verdict == Verdict.MEDIUM:
        return "medium"
    return "right" if (one.reply.verdict == Verdict.POPULAR) == one.label.popular else "wrong"


def ranking(popular: Sequence[bool], values: Sequence[float | None]) -> float | None:
    """Return the ROC-AUC of ``values``, unknown ones below all others; None if all songs are alike."""
    if len(set(popular)) < 2:
        return None
    return float(roc_auc_score(popular, [-1.0 if value is None else value for value in values]))


def score_split(splits: Sequence[Split], replies: Sequence[Reply], known: Iterable[str]) -> Scores:
    """Count how many songs of several records were answered from the greatest; ``known`` are the catalogue's songs."""
    catalogue = set(known)
    pairs = list(zip(splits, replies, strict=True))
    missed = [(split, reply) for split, reply in pairs if reply.listeners != split.records[0].listeners]
    subsets = {
        "in_catalogue": [(s, r) for s, r in pairs if song_key(s.records[0].title, s.records[0].artist) in catalogue],
        "heard": [(s, r) for s, r in pairs if s.records[0].listeners >= HEARD],
    }
    return {
        "asked": len(pairs),
        **{name: sum(reply.outcome == name for reply in replies) for name in ("answered", "ambiguous", "not found")},
        "from_greatest": _share(len(pairs) - len(missed), len(pairs)),
        **{
            name: {
                "asked": len(subset),
                "from_greatest": _share(sum(r.listeners == s.records[0].listeners for s, r in subset), len(subset)),
            }
            for name, subset in subsets.items()
        },
        "missed": [
            {
                "question": reply.question,
                "outcome": reply.outcome,
                "answer": f"{reply.title} - {reply.artist}" if reply.title else "",
                "listeners": reply.listeners,
                "records": [[one.title, one.artist, one.listeners] for one in split.records],
            }
            for split, reply in sorted(missed, key=lambda pair: -pair[0].records[0].listeners)
        ],
    }


def score_named(replies: Sequence[Reply], labels: Mapping[str, Sequence[Label]], keys: Sequence[str]) -> Scores:
    """List the answers to songs known by name, beside what is known of their popularity."""
    return {
        "songs": [
            {**asdict(reply), "labels": {label.source: label.popularity for label in labels.get(key, ())}}
            for reply, key in zip(replies, keys, strict=True)
        ]
    }


def show(results: Mapping[str, Any], console: Console) -> None:
    """Print every stage's scores."""
    for stage, print_scores in {"joined": _show_joined, "named": _show_named, "split": _show_split}.items():
        if scores := results.get(stage):
            print_scores(scores, console)


def _show_joined(joined: Scores, console: Console) -> None:
    counts = ("asked", "answered", "ambiguous", "not found", "failed")
    shares = {
        "popular": "popular",
        "mean p": "mean_probability",
        "right": "right",
        "medium": "medium",
        "right of decided": "right_of_decided",
        "of Popular": "right_of_popular",
        "of Not popular": "right_of_not_popular",
    }
    aucs = {"AUC": "auc_probability", "by plays": "auc_plays", "by listeners": "auc_listeners"}
    tables = joined["by_table"] if len(joined["by_table"]) > 1 else {}
    within = joined["within"]
    rows = [
        (
            name,
            *(f"{scores[key]:,}" for key in counts),
            *(_pct(scores[key]) for key in shares.values()),
            *(_three(scores[key]) for key in aucs.values()),
        )
        for name, scores in ({"pooled": joined["pooled"]} | tables | joined["by_source"]).items()
    ]
    blank = [""] * (len(counts) + len(shares))
    rows.append((f"within {within['sources']} sources", *blank, *(_three(within[key]) for key in aucs.values())))
    print_table(console, "Songs of known popularity", ("songs", *counts, *shares, *aucs), rows, left=("songs",))
    pooled = joined["pooled"]
    facts = {
        "another song": pooled["wrong_song"],
        "from the greatest record": pooled["from_greatest_record"],
        "artist's figures known": pooled["artist_known"],
        "day of release known": pooled["released_known"],
    }
    said = [f"{name} {_pct(share)}" for name, share in facts.items()]
    said.append(f"{joined['lastfm_requests_per_question']:.2f} Last.fm requests a question")
    said.append(f"{joined['questions_per_s']:.0f} questions a second")
    console.print(", ".join(said), highlight=False)


def _show_named(named: Scores, console: Console) -> None:
    left = ("question", "outcome", "answered with", "verdict", "released", "labels")
    rows = [
        (
            song["question"],
            song["outcome"],
            song["title"] and f"{song['title']} - {song['artist']}",
            "" if song["listeners"] is None else f"{song['listeners']:,}",
            _three(song["probability"]),
            song["verdict"],
            song["released"],
            ", ".join(f"{popularity} {source}" for source, popularity in song["labels"].items()),
        )
        for song in named["songs"]
    ]
    print_table(console, "Songs known by name", (*left[:3], "listeners", "probability", *left[3:]), rows, left=left)


def _show_split(split: Scores, console: Console) -> None:
    inside, heard = split["in_catalogue"], split["heard"]
    title = (
        f"{split['asked']} songs in several records: {_pct(split['from_greatest'])} from the greatest; "
        f"of {inside['asked']} in the catalogue {_pct(inside['from_greatest'])}, "
        f"of {heard['asked']} with {HEARD:,} listeners {_pct(heard['from_greatest'])}; {len(split['missed'])} missed"
    )
    rows = []
    for one in split["missed"][:MAX_MISSED_SHOWN]:
        record, artist, listeners = one["records"][0]
        used = "" if one["listeners"] is None else f"{one['listeners']:,}"
        rows.append((one["question"], one["outcome"], one["answer"], used, f"{record} - {artist}", f"{listeners:,}"))
    left = ("missed", "outcome", "answered with", "greatest record")
    print_table(console, title, (*left[:3], "listeners", left[3], "listeners"), rows, left=left)


def _table_of(one: Scored) -> str:
    return SPOTIFY if one.label.source == SPOTIFY else "dated_popularity"


def _by(scored: Iterable[Scored], key: Callable[[Scored], str]) -> dict[str, list[Scored]]:
    groups: dict[str, list[Scored]] = defaultdict(list)
    for one in scored:
        groups[key(one)].append(one)
    return groups


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _pct(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _three(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
