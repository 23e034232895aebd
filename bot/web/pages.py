"""The page's HTML with its words, the preview of a shared link, and the files beside it, all served from memory."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from bot import messages
from bot.messages import Surface, commands_on
from core.errors import QueryTooLong
from core.language import language, say, say_plural

FOLDER: Final = Path(__file__).parent

CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Written down, since a machine's own table of types may say otherwise, and browsers are told not to guess."""

PREVIEW_SIZE_PX: Final = (1200, 630)
"""Width and height of the cards."""


def language_tag() -> str:
    """Name the language spoken here as browsers do, "pt-BR" (BCP 47)."""
    return language().replace("_", "-")


def words() -> dict[str, str]:
    """Say every word of the page, by its name in the template: the one place where they come from.

    The script fills {n} and {name} itself; of its counts, never nought, each of our languages has two forms at most.
    """
    return {
        "language": language_tag(),
        "name": messages.WEB_NAME,
        "skip": say(messages.WEB_SKIP),
        "home": say(messages.WEB_HOME),
        "commands": say(messages.WEB_COMMANDS),
        "welcome": say(messages.HELP_TITLE),
        "begin": say(messages.HELP_BEGIN),
        "examples": say(messages.WEB_EXAMPLES),
        "conversation": say(messages.WEB_CONVERSATION),
        "question": say(messages.WEB_QUESTION),
        "placeholder": say(messages.WEB_PLACEHOLDER),
        "ask": say(messages.WEB_ASK),
        "suggestions": say(messages.WEB_SUGGESTIONS),
        "suggested_one": say_plural(*messages.WEB_SUGGESTED, 1, n="{n}"),
        "suggested_many": say_plural(*messages.WEB_SUGGESTED, 2, n="{n}"),
        "asked": say(messages.WEB_ASKED),
        "waiting": say(messages.CHOSEN),
        "figures": say(messages.WEB_FIGURES),
        "figure": say(messages.WEB_FIGURE),
        "value": say(messages.WEB_VALUE),
        "standing": say(messages.WEB_STANDING),
        "reasons": say(messages.WEB_REASONS),
        "speaks_for": say(messages.WEB_FOR),
        "speaks_against": say(messages.WEB_AGAINST),
        "likelier": say(messages.WEB_LIKELIER),
        "why": say(messages.BUTTON_WHY),
        "compare": say(messages.BUTTON_COMPARE),
        "refresh": say(messages.BUTTON_REFRESH),
        "link": say(messages.WEB_LINK),
        "link_copied": say(messages.WEB_LINK_COPIED),
        "card": say(messages.WEB_CARD),
        "compare_with": say(messages.WEB_COMPARE_WITH),
        "compared": say(messages.WEB_COMPARED),
        "cancel": say(messages.WEB_CANCEL),
        "unreachable": say(messages.WEB_UNREACHABLE),
        "too_long": QueryTooLong().sentence,
        "scriptless": say(messages.WEB_SCRIPTLESS),
    }


@dataclass(frozen=True, slots=True)
class Preview:
    """What other programs show of a shared link: a title and the whole addresses of the page and of its picture."""

    title: str
    address: str
    picture: str


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the page, and a name for this very content."""

    body: bytes
    content_type: str
    tag: str


class Pages:
    """Writes the page; the template is read once."""

    def __init__(self, template: Template, files: dict[str, StaticFile]) -> None:
        """Take what is served."""
        self._template = template
        self.files = files

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Pages:
        """Read the template and the files beside it; blocks for a moment."""
        template = Template((folder / "page.html").read_text(encoding="utf-8"))
        files = {path.name: _static(path) for path in sorted((folder / "static").iterdir())}
        return cls(template, files)

    def write(self, preview: Preview | None = None, fault: str | None = None) -> str:
        """Write the page, with the preview of what it links to, or with the sentence that says why there is nothing."""
        said = words()
        title = said["name"] if preview is None else messages.WEB_TITLE.format(title=preview.title)
        texts = {name: escape(text) for name, text in said.items()}
        return self._template.substitute(
            texts,
            title=escape(title),
            preview=_preview_tags(preview, said),
            menu="".join(_menu_items()),
            fault=escape(fault or ""),
            **{f"tag_{name.replace('.', '_')}": file.tag for name, file in self.files.items()},
        )


def _menu_items() -> list[str]:
    """Write a button for each command that is whole without anything typed after it."""
    return [
        f'<li><button type="button" data-text="/{escape(command.name)}" title="{escape(say(command.description))}">'
        f"/{escape(command.name)}</button></li>"
        for command in commands_on(Surface.WEB, administrators=False)
        if not command.usage
    ]


def _preview_tags(preview: Preview | None, said: dict[str, str]) -> str:
    """Write the tags of the Open Graph protocol (https://ogp.me), which chats and feeds read."""
    tags = {"og:site_name": said["name"], "og:type": "website", "og:description": said["begin"]}
    if preview is None:
        tags["og:title"] = said["welcome"]
    else:
        width, height = PREVIEW_SIZE_PX
        tags |= {
            "og:title": preview.title,
            "og:url": preview.address,
            "og:image": preview.picture,
            "og:image:type": "image/png",
            "og:image:width": str(width),
            "og:image:height": str(height),
            "og:image:alt": say(messages.WEB_PREVIEW_ALT, name=preview.title),
        }
    written = [f'<meta property="{name}" content="{escape(value)}">' for name, value in tags.items()]
    if preview is not None:
        written.append('<meta name="twitter:card" content="summary_large_image">')
    return "\n".join(written)


def _static(path: Path) -> StaticFile:
    body = path.read_bytes()
    return StaticFile(body, CONTENT_TYPES[path.suffix], blake2b(body, digest_size=8).hexdigest())
