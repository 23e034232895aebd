"""Limits that several parts share, each with its meaning."""

from typing import Final

QUERY_MAX_CHARS: Final = 200
"""Longest question taken, in characters."""

CANDIDATES_MAX: Final = 5
"""Most songs offered when a question is ambiguous."""

LOOKUP_BUDGET_S: Final = 7.5
"""Longest that finding a song may take over all calls, so that people read an answer or a sentence within 8 s."""

ARTIST_SONGS_MAX: Final = 50
"""Most songs of an artist that are ranked; Last.fm lists as many at a time."""
