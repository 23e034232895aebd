"""Settings from the environment and a ``.env`` file, checked once at start."""

from __future__ import annotations

import logging
import os
import re
import stat
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self
from urllib.parse import parse_qs, urlsplit

from dotenv.parser import parse_stream
from pydantic import (
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from rapidfuzz import fuzz

from core.errors import SettingsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ROOT = Path(__file__).resolve().parents[1]

ENV_FILE = ROOT / ".env"

DATASET_ADDRESS = (
    "https://huggingface.co/datasets/maharshipandya/spotify-tracks-dataset/resolve/"
    "74c06031718aafcd9d96bf2cd770249d88e0c238/dataset.csv"
)
"""The catalogue's data set at a revision that never changes."""
ENV_ENCODING: Final = "utf-8-sig"
"""UTF-8, with the mark at its beginning that some editors leave or without."""

EVERY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - a hosting platform asks from outside
"""Where a bot listens that a platform gives a port to."""

MISSPELT_SIMILARITY: Final = 80
"""Similarity (0 to 100) from which an unknown name in ``.env`` is taken for a misspelt setting: DISCORD_BOT_TOKEN has
87, DISCORD_CLIENT_ID, which others keep there, 76."""


def _on(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() == "off" else value


Service = Annotated[HttpUrl | None, BeforeValidator(_on)]
"""Address of a service that the bot does without if it is "off"."""


class Settings(BaseSettings):
    """All settings of the bot; each name in upper case is its environment variable."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_file_encoding=ENV_ENCODING,
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    lastfm_api_key: SecretStr | None = Field(
        None, description="Key of last.fm/api; without it what was once recorded answers."
    )
    lastfm_api_url: HttpUrl = Field(HttpUrl("https://ws.audioscrobbler.com/2.0/"), description="Where Last.fm answers.")
    itunes_search_url: Service = Field(
        HttpUrl("https://itunes.apple.com/search"),
        description="Where iTunes tells a song's release and cover; off: nowhere.",
    )
    deezer_search_url: Service = Field(
        HttpUrl("https://api.deezer.com/search"), description="Where Deezer does, and names pasted links; off: nowhere."
    )
    youtube_oembed_url: Service = Field(
        HttpUrl("https://www.youtube.com/oembed"),
        description="Where YouTube tells the title of a pasted link; off: nowhere.",
    )
    spotify_oembed_url: Service = Field(
        HttpUrl("https://open.spotify.com/oembed"),
        description="Where Spotify tells the title of a link that the catalogue lacks; off: nowhere.",
    )
    musicbrainz_url: Service = Field(
        HttpUrl("https://musicbrainz.org/ws/2/"), description="Where MusicBrainz tells the release only; off: nowhere."
    )
    musicbrainz_contact: str = Field("", description="Mail or page of the operator, which MusicBrainz asks to be told.")
    art_downloads: bool = Field(True, description="Whether covers are fetched at all; off means drawn covers.")

    discord_token: SecretStr | None = Field(None, description="Token of the Discord bot; empty leaves Discord out.")
    telegram_token: SecretStr | None = Field(None, description="Token of the Telegram bot; empty leaves Telegram out.")

    discord_admin_ids: Annotated[tuple[int, ...], NoDecode] = Field(
        (), description="Discord ids of those who, besides the owner, may use /stats and /reload, separated by commas."
    )
    discord_animated: bool = Field(False, description="Whether the needle sweeps to its place on Discord.")
    discord_shard_count: int | None = Field(
        None, ge=1, description="Shards of the bot over all processes; empty lets Discord say."
    )
    discord_shard_ids: Annotated[tuple[int, ...], NoDecode] = Field(
        (), description="Shards served by this process, from 0, separated by commas; empty means all."
    )

    telegram_admin_ids: Annotated[tuple[int, ...], NoDecode] = Field(
        (), description="Telegram ids of those who may use /stats and /reload, separated by commas."
    )
    telegram_api_url: HttpUrl = Field(HttpUrl("https://api.telegram.org"), description="Where the Bot API answers.")
    telegram_animated: bool = Field(False, description="Whether the needle sweeps to its place on Telegram.")
    telegram_webhook_url: HttpUrl | None = Field(
        None, description="Public https address for updates; empty means long polling."
    )
    telegram_webhook_secret: SecretStr | None = Field(
        None, description="Secret of the webhook, A-Z a-z 0-9 _ -; empty means one made from the token."
    )
    telegram_webhook_host: str = Field("127.0.0.1", description="Address the webhook listens on.")
    telegram_webhook_port: int = Field(8443, ge=0, le=65535, description="Port the webhook listens on.")

    health_host: str = Field("127.0.0.1", description="Address of /healthz and /metrics.")
    health_port: int | None = Field(None, ge=0, le=65535, description="Port of /healthz and /metrics; empty: off.")

    web: bool | None = Field(
        None, description="Whether the page is served; empty: only where no other machine can reach it."
    )
    web_host: str = Field("127.0.0.1", description="Address of the page.")
    web_port: int = Field(8080, ge=0, le=65535, description="Port of the page; the next free one if it is taken.")
    web_url: HttpUrl | None = Field(
        None, description="Public address of the page, behind a proxy that writes X-Forwarded-For; empty: no proxy."
    )

    port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port where a hosting platform expects an answer: the webhook's, else the page's, else /healthz's.",
    )

    user_limit_count: int = Field(8, ge=0, description="Most questions of one person in a window; 0 for no limit.")
    user_limit_window_s: float = Field(
        60, gt=0, allow_inf_nan=False, description="Length of a person's window in seconds."
    )
    chat_limit_count: int = Field(40, ge=0, description="Most questions of one server or group in a window; 0: none.")
    chat_limit_window_s: float = Field(
        60, gt=0, allow_inf_nan=False, description="Length of a server's or group's window in seconds."
    )

    drawing_helpers: int | None = Field(
        None, ge=0, description="Most processes that help to draw for a crowd; empty: one core less, 3 at most."
    )
    cache_url: str = Field("mem://", description="mem://, disk://?directory=PATH or redis://HOST:PORT/DB.")
    catalogue: Service = Field(
        HttpUrl(DATASET_ADDRESS),
        description="Where the catalogue's data set is fetched from if there is no catalogue yet; off: nowhere.",
    )
    data_dir: Path = Field(ROOT / "data", description="Folder of the catalogue and the recorded figures.")
    models_dir: Path = Field(ROOT / "models", description="Folder of the trained model.")
    cards_dir: Path = Field(ROOT / "cards", description="Folder where the console saves cards.")
    card_display: Literal["auto", "inline", "window", "text"] = Field(
        "auto",
        description="How the console shows cards: inline in the terminal, in a window or as text; auto: as it can.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")

    @model_validator(mode="before")
    @classmethod
    def _blank_is_absent(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Take the white space around values away, and values that are nothing else for unset ones."""
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in stripped.items() if value != ""}

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("card_display", mode="before")
    @classmethod
    def _lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("cache_url")
    @classmethod
    def _usable(cls, value: str) -> str:
        if (fault := cache_url_fault(value)) is not None:
            raise ValueError(fault)
        return value

    @field_validator("data_dir", "models_dir", "cards_dir")
    @classmethod
    def _no_file(cls, value: Path) -> Path:
        value = value.expanduser()
        if value.exists() and not value.is_dir():
            raise ValueError(f"must be a folder, and {value} is a file")
        return value

    @field_validator("telegram_admin_ids", "discord_admin_ids", "discord_shard_ids", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part for part in value.replace(",", " ").split() if part] if isinstance(value, str) else value

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _acceptable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()) is None:
            raise ValueError("must be 1 to 256 of A-Z, a-z, 0-9, _ and -")
        return value

    @field_validator("musicbrainz_contact")
    @classmethod
    def _tellable(cls, value: str) -> str:
        if re.fullmatch(r"[!-'*-~]{0,200}", value) is None:
            raise ValueError("must be a mail address or the address of a page, at most 200 characters")
        return value

    @field_validator("web_url")
    @classmethod
    def _whole_host(cls, value: HttpUrl | None) -> HttpUrl | None:
        if value is not None and ((value.path or "/") != "/" or value.query or value.username):
            raise ValueError("must be the address of a whole host, like https://hits.example.org/")
        return value

    @field_validator("discord_shard_ids")
    @classmethod
    def _among_the_shards(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if "discord_shard_count" not in info.data:
            return value  # the count is at fault, which is said of it already
        count = info.data["discord_shard_count"] or 0
        if not all(0 <= shard < count for shard in value):
            raise ValueError("needs DISCORD_SHARD_COUNT, and every id must be below it")
        return value

    @model_validator(mode="after")
    def _listen_where_the_platform_says(self) -> Self:
        """Put ``PORT``, open to everybody, in the place of what is not set; /healthz answers at each of the three."""
        if self.port is None:
            return self
        given = self.model_fields_set.copy()
        name = "telegram_webhook" if self.telegram_webhook_url is not None else "web" if self.web else "health"
        if f"{name}_port" not in given:
            setattr(self, f"{name}_port", self.port)
            if f"{name}_host" not in given:
                setattr(self, f"{name}_host", EVERY_ADDRESS)
        return self

    @property
    def catalogue_path(self) -> Path:
        """The SQLite file that scripts/fetch_data.py builds."""
        return self.data_dir / "catalogue.sqlite"

    @property
    def demo_songs_path(self) -> Path:
        """The recorded figures used when there is no Last.fm key."""
        return self.data_dir / "demo_songs.csv"


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: Names each setting that cannot work and why, a line each, without its value.
    """
    # What it cannot read of .env is told by env_file_notes() in plainer words.
    logging.getLogger("dotenv.main").setLevel(logging.ERROR)
    try:
        return Settings()
    except ValidationError as error:
        faults: dict[str, str] = {}
        for fault in error.errors(include_input=False, include_url=False):
            name = str(fault["loc"][0]).upper()  # further parts number the entries of a list
            faults.setdefault(name, f"{name} {_in_words(fault)}.")
        raise SettingsError("; ".join(faults.values()), user_message="\n".join(faults.values())) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        sentence = f"{ENV_FILE.name} cannot be read: {reason}."
        raise SettingsError(sentence, user_message=sentence) from None


def _in_words(fault: ErrorDetails) -> str:
    """Say what a setting has to be, so that it reads on from its name."""
    context = fault.get("ctx", {})
    if len(fault["loc"]) > 1:
        return "must be whole numbers, separated by commas"
    match fault["type"]:
        case "int_parsing" | "int_from_float" | "int_parsing_size":
            return "must be a whole number"
        case "float_parsing":
            return "must be a number"
        case "finite_number":
            return "must be a finite number"
        case "greater_than":
            return f"must be more than {context['gt']:g}"
        case "greater_than_equal":
            return f"must be {context['ge']:g} or more"
        case "less_than_equal":
            return f"must be {context['le']:g} or less"
        case "bool_parsing":
            return "must be true or false"
        case "literal_error":
            return f"must be {context['expected'].replace(chr(39), '')}"
        case "value_error":
            return str(context["error"])
        case "url_parsing" | "url_scheme" | "url_syntax_violation" | "url_too_long":
            return "must be a web address like https://example.org/"
        case _:
            return f"cannot work: {fault['msg']}"


def cache_url_fault(url: str) -> str | None:
    """Say what is wrong with the address of a cache, so that it reads on from the name of its setting; None: nothing.

    What is said holds no part of the address, which may have a password in it.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in {"mem", "disk", "redis", "rediss"}:
        return "must start with mem://, disk:// or redis://"
    try:
        parts = urlsplit(url)
        port_works = parts.port is None or parts.port > 0
    except ValueError:
        port_works = False
    if scheme == "disk" and not (port_works and parse_qs(parts.query).get("directory")):
        return "needs a folder: disk://?directory=PATH"
    if scheme.startswith("redis") and not (port_works and re.fullmatch(r"(/\d*)?", parts.path)):
        return "must be like redis://HOST:PORT/DB, port and database being numbers"
    return None


def env_file_notes(path: Path | None = None) -> tuple[str, ...]:
    """Say, a sentence each, which lines of ``.env`` cannot be read and which names look like misspelt settings.

    Names that are like no setting are none of our business: others keep theirs in the same file.
    """
    path = path or ENV_FILE
    try:
        text = path.read_text(encoding=ENV_ENCODING) if path.is_file() else ""
    except (OSError, UnicodeDecodeError):
        return ()  # load_settings() says so
    known = [name.upper() for name in Settings.model_fields]
    notes: list[str] = []
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            notes.append(f"Line {binding.original.line} of {path.name} cannot be read; a line is NAME=value.")
            continue
        name = (binding.key or "").upper()
        if not name or name in known:
            continue
        likely = max(known, key=lambda setting: _similarity(name, setting))
        if _similarity(name, likely) >= MISSPELT_SIMILARITY:
            notes.append(f"{path.name} names {binding.key}, which is no setting. Is {likely} meant?")
    return tuple(dict.fromkeys(notes))


def _similarity(name: str, setting: str) -> float:
    """Compare two names letter by letter, also with their words in another order; 0 to 100."""
    words, wanted = name.replace("_", " "), setting.replace("_", " ")
    return max(fuzz.ratio(words, wanted), fuzz.token_sort_ratio(words, wanted))


def env_file_warning(path: Path | None = None) -> str | None:
    """Say in one sentence that others can read the file of keys and tokens; None if they cannot or there is none.

    Where files have no owners, as on Windows, there is nothing to say.
    """
    path = path or ENV_FILE
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if not hasattr(os, "geteuid") or not mode & (stat.S_IRGRP | stat.S_IROTH):
        return None
    return f"Others on this machine can read the keys in {path.name}. To fix that: chmod 600 {path.name}"
