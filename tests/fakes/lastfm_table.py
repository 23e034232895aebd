"""Songs and artists of the loopback Last.fm, and its answers about them in Last.fm's own shapes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

Query = dict[str, str]

STAR = "https://lastfm.freetls.fastly.net/i/u/{}/2a96cbd8b46e442fc41c2b86b821562f.png"
ART = "https://lastfm.freetls.fastly.net/i/u/{}/{}.png"
SIZES = (("34s", "small"), ("64s", "medium"), ("174s", "large"), ("300x300", "extralarge"))


@dataclass(frozen=True)
class FakeSong:
    """A song of the table; an album of "" and a duration of 0 stand for unknown, as at Last.fm."""

    title: str
    artist: str
    listeners: int = 1000
    playcount: int = 5000
    album: str = "Some Album"
    duration_ms: int = 200_000
    tags: tuple[str, ...] = ("pop",)
    art: str = "1f922f8eb093037a30faa1c666a84c78"


@dataclass(frozen=True)
class FakeArtist:
    """An artist's own figures; artists without an entry get the sums of their songs."""

    name: str
    listeners: int
    playcount: int
    tags: tuple[str, ...] = ("rock",)


class LastFmTable:
    """What the server knows, and what it answers: a JSON body and an HTTP status for each method."""

    def __init__(
        self, songs: Iterable[FakeSong], artists: Iterable[FakeArtist], corrections: dict[str, str], *, ghosts: bool
    ) -> None:
        """Take the table; see :class:`tests.fakes.lastfm_server.FakeLastFm`."""
        self._songs: dict[tuple[str, str], FakeSong] = {}
        self._artists = {_fold(artist.name): artist for artist in artists}
        self._words: dict[str, set[tuple[str, str]]] = {}
        self._corrections = {_fold(wrong): right for wrong, right in corrections.items()}
        self._ghosts = ghosts
        for song in songs:
            self.put(song)

    def put(self, song: FakeSong) -> None:
        """Add a song or change its figures."""
        key = (_fold(song.artist), _fold(song.title))
        self._songs[key] = song
        self._artists.setdefault(key[0], FakeArtist(song.artist, song.listeners * 2, song.playcount * 3))
        for word in _search_words(f"{song.artist} {song.title}"):
            self._words.setdefault(word, set()).add(key)

    def answer(self, query: Query) -> tuple[dict[str, Any], int]:
        """Answer one request, its parameters without the key."""
        method = query.get("method", "")
        if method == "track.getInfo":
            return self._track(query)
        if method == "artist.getInfo":
            return self._artist(query)
        if method == "artist.getTopTags":
            return self._top_tags(query)
        if method == "track.search":
            return self._search(query), 200
        if method == "artist.getTopTracks":
            return self._artist_tracks(query)
        if method in ("chart.getTopTracks", "tag.getTopTracks", "geo.getTopTracks"):
            return self._chart(method, query)
        return {"error": 3, "message": "Invalid Method - No method with that name in this package"}, 400

    def _correct(self, artist: str, query: Query) -> str:
        return self._corrections.get(_fold(artist), artist) if query.get("autocorrect") == "1" else artist

    def _track(self, query: Query) -> tuple[dict[str, Any], int]:
        title, artist = query.get("track", ""), self._correct(query.get("artist", ""), query)
        if not title or not artist:
            return {"error": 6, "message": "Invalid parameters", "links": []}, 400
        song = self._songs.get((_fold(artist), _fold(title)))
        if song is None and not self._ghosts:
            return {"error": 6, "message": "Track not found", "links": []}, 404
        if song is None:
            song = FakeSong(title, artist, listeners=2, playcount=4, album="", duration_ms=0, tags=())
        track: dict[str, Any] = {
            "name": song.title,
            "url": _page(song.artist, "_", song.title),
            "duration": str(song.duration_ms),
            "streamable": {"#text": "0", "fulltrack": "0"},
            "listeners": str(song.listeners),
            "playcount": str(song.playcount),
            "artist": {"name": song.artist, "url": _page(song.artist)},
            "toptags": {"tag": _tags(song.tags)},
        }
        if song.album:
            images = [{"#text": ART.format(px, song.art) if song.art else "", "size": name} for px, name in SIZES]
            track["album"] = {
                "artist": song.artist,
                "title": song.album,
                "url": _page(song.artist, song.album),
                "image": images,
            }
        return {"track": track}, 200

    def _artist(self, query: Query) -> tuple[dict[str, Any], int]:
        artist = self._artists.get(_fold(self._correct(query.get("artist", ""), query)))
        if artist is None:
            return {"error": 6, "message": "The artist you supplied could not be found", "links": []}, 404
        record = {
            "name": artist.name,
            "url": _page(artist.name),
            "image": [{"#text": STAR.format(px), "size": name} for px, name in SIZES],
            "streamable": "0",
            "ontour": "0",
            "stats": {"listeners": str(artist.listeners), "playcount": str(artist.playcount)},
            "similar": {"artist": []},
            "tags": {"tag": _tags(artist.tags[:5])},
            "bio": {"published": "01 Jan 2010, 00:00", "summary": "", "content": ""},
        }
        return {"artist": record}, 200

    def _top_tags(self, query: Query) -> tuple[dict[str, Any], int]:
        artist = self._artists.get(_fold(self._correct(query.get("artist", ""), query)))
        if artist is None:
            return {"error": 6, "message": "The artist you supplied could not be found", "links": []}, 404
        tags = [{"count": max(1, 100 - 7 * i), **tag} for i, tag in enumerate(_list(_tags(artist.tags)))]
        return {"toptags": {"tag": tags, "@attr": {"artist": artist.name}}}, 200

    def _artist_tracks(self, query: Query) -> tuple[dict[str, Any], int]:
        """List an artist's records as Last.fm does: without lengths, and a name without songs as an empty list."""
        name = self._correct(query.get("artist", ""), query)
        songs = [song for song in self._songs.values() if _fold(song.artist) == _fold(name)]
        if not songs and _fold(name) not in self._artists:
            return {"error": 6, "message": "The artist you supplied could not be found", "links": []}, 404
        songs.sort(key=lambda song: -song.playcount)
        limit = int(query.get("limit", "50"))
        tracks = [
            {
                "name": song.title,
                "playcount": str(song.playcount),
                "listeners": str(song.listeners),
                "url": _page(song.artist, "_", song.title),
                "streamable": "0",
                "artist": {"name": song.artist, "url": _page(song.artist)},
                "image": [{"#text": STAR.format(px), "size": size} for px, size in SIZES],
                "@attr": {"rank": str(rank)},
            }
            for rank, song in enumerate(songs[:limit], start=1)
        ]
        attr = {
            "artist": songs[0].artist if songs else name,
            "page": "1",
            "perPage": str(limit),
            "totalPages": str(-(-len(songs) // limit)),
            "total": str(len(songs)),
        }
        return {"toptracks": {"track": tracks[0] if len(tracks) == 1 else tracks, "@attr": attr}}, 200

    def _search(self, query: Query) -> dict[str, Any]:
        """Match as Last.fm does: all words but one must be there, whole or as the start of a word; popular first.

        A record is listed under its own name only, however many there are of one song; accents and apostrophes make
        no difference here, though they make records of their own.
        """
        words = _search_words(query.get("track", ""))
        artist_words = set(_search_words(query.get("artist", "")))
        hits: dict[tuple[str, str], int] = {}
        for word in words:
            for key in self._matching(word):
                hits[key] = hits.get(key, 0) + 1
        needed = max(1, len(words) - 1)
        keys = [
            key
            for key, n in hits.items()
            if n >= needed and artist_words <= set(_search_words(self._songs[key].artist))
        ]
        keys.sort(key=lambda key: (-hits[key], -self._songs[key].listeners))
        limit = int(query.get("limit", "30"))
        matches = [
            {
                "name": song.title,
                "artist": song.artist,
                "url": _page(song.artist, "_", song.title),
                "streamable": "FIXME",
                "listeners": str(song.listeners),
                "image": [{"#text": STAR.format(px), "size": name} for px, name in SIZES],
                "mbid": "",
            }
            for song in (self._songs[key] for key in keys[:limit])
        ]
        return {
            "results": {
                "opensearch:Query": {"#text": "", "role": "request", "startPage": "1"},
                "opensearch:totalResults": str(len(keys)),
                "opensearch:startIndex": "0",
                "opensearch:itemsPerPage": str(limit),
                "trackmatches": {"track": matches},
                "@attr": {},
            }
        }

    def _matching(self, word: str) -> set[tuple[str, str]]:
        found = set(self._words.get(word, ()))
        if len(word) >= 4:
            for other, keys in self._words.items():
                if other.startswith(word) or (
                    len(other) >= 4 and word.startswith(other) and len(word) - len(other) <= 2
                ):
                    found |= keys
        return found

    def _chart(self, method: str, query: Query) -> tuple[dict[str, Any], int]:
        if method == "geo.getTopTracks" and not query.get("country"):
            return {"error": 6, "message": "country param required", "links": []}, 400
        tag = query.get("tag", "").casefold()
        songs = [
            s for s in self._songs.values() if method != "tag.getTopTracks" or tag in (t.casefold() for t in s.tags)
        ]
        songs.sort(key=lambda song: -song.listeners)
        page, limit = int(query.get("page", "1")), int(query.get("limit", "50"))
        tracks = []
        for rank, song in enumerate(songs[(page - 1) * limit : page * limit], start=(page - 1) * limit + 1):
            item: dict[str, Any] = {
                "name": song.title,
                "duration": "0" if method == "chart.getTopTracks" else str(song.duration_ms // 1000),
                "mbid": "",
                "url": _page(song.artist, "_", song.title),
                "streamable": {"#text": "0", "fulltrack": "0"},
                "artist": {"name": song.artist, "mbid": "", "url": _page(song.artist)},
                "image": [{"#text": STAR.format(px), "size": name} for px, name in SIZES],
            }
            if method == "chart.getTopTracks":
                item |= {"playcount": str(song.playcount), "listeners": str(song.listeners)}
            else:
                item["@attr"] = {"rank": str(rank)}
            tracks.append(item)
        attr = {
            "page": str(page),
            "perPage": str(limit),
            "totalPages": str(-(-len(songs) // limit)),
            "total": str(len(songs)),
        }
        return {"tracks": {"track": tracks, "@attr": attr}}, 200


def _fold(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold().replace("'", "")).split()) or text


def _search_words(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _fold(plain.replace("’", "")).split()


def _page(*parts: str) -> str:
    return "https://www.last.fm/music/" + "/".join(part if part == "_" else quote_plus(part) for part in parts)


def _tags(names: tuple[str, ...]) -> Any:
    """Give the tags as Last.fm does: one comes as an object, several as a list, none as an empty list."""
    tags = [{"name": name, "url": f"https://www.last.fm/tag/{name.replace(' ', '+')}"} for name in names]
    return tags[0] if len(tags) == 1 else tags


def _list(tags: Any) -> list[dict[str, Any]]:
    return tags if isinstance(tags, list) else [tags]
