import re
from html.parser import HTMLParser
from string import Template

import pytest

from bot import messages
from bot.web.pages import FOLDER, Pages, Preview, words
from core.language import LANGUAGES, speaking

HOSTILE = '"><script>alert(1)</script>&amp; {name} $title'


class Tags(HTMLParser):
    """Collects the tags of a page with their attributes, and fails on a stray end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_hostile_names_stay_values() -> None:
    preview = Preview(HOSTILE, f"http://x.example/{HOSTILE}", f"http://x.example/card/{HOSTILE}.png")
    tags = Tags(Pages.load().write(preview, fault=HOSTILE))
    assert [one["src"].partition("?")[0] for one in tags.named("script") if one["src"]] == ["/static/page.js"]
    shown = {one.get("property"): one["content"] for one in tags.named("meta") if "content" in one}
    assert shown["og:title"] == HOSTILE
    assert shown["og:image"] == preview.picture
    assert next(one["data-fault"] for one in tags.named("div") if "data-fault" in one) == HOSTILE


def test_nothing_on_the_page_is_inline_or_from_elsewhere() -> None:
    html = Pages.load().write()
    tags = Tags(html)
    assert tags.named("style") == []
    for name, attributes in tags.found:
        assert not any(key.startswith("on") or key == "style" for key in attributes), (name, attributes)
        for key in ("src", "href", "action"):
            address = attributes.get(key)
            assert address is None or address.startswith(("/", "#")), (name, address)
    for path in (FOLDER / "static").iterdir():
        text = path.read_text(encoding="utf-8")
        addresses = set(re.findall(r"https?://[^\"' )]+", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, path.name
        assert "@import" not in text
        assert "innerHTML" not in text


def test_every_word_of_the_template_is_given_and_no_other() -> None:
    template = Template((FOLDER / "page.html").read_text(encoding="utf-8"))
    names = {name for name in template.get_identifiers() if not name.startswith("tag_")}
    assert names - {"title", "preview", "menu", "fault"} == set(words())


def test_the_script_and_the_template_hold_no_words_of_their_own() -> None:
    """What stands between tags, or in a label, is written by the server."""
    html = (FOLDER / "page.html").read_text(encoding="utf-8")
    html = re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)
    between = re.sub(r"<[^>]*>|\$\w+", " ", html)
    assert between.split() == []
    labels = re.findall(r'(?:alt|title|aria-label|placeholder)="([^"$]+)"', html)
    assert labels == []
    script = (FOLDER / "static" / "page.js").read_text(encoding="utf-8")
    quoted = re.findall(r'text: "([^"]*[A-Za-z]{3}[^"]*)"', script)
    assert quoted == []


def test_a_page_without_a_link_previews_itself() -> None:
    html = Pages.load().write()
    assert f"<title>{messages.WEB_NAME}</title>" in html
    assert 'property="og:image"' not in html


def test_files_are_named_by_their_content() -> None:
    pages = Pages.load()
    html = pages.write()
    assert set(pages.files) == {"icon.svg", "page.css", "page.js"}
    for name, file in pages.files.items():
        assert f"/static/{name}?v={file.tag}" in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_which_language_it_is_in_and_leaves_the_script_its_blanks(language: str) -> None:
    with speaking(language):
        html = Pages.load().write()
        said = words()
    assert f'<html lang="{language.replace("_", "-")}">' in html
    blanks = {name: set(re.findall(r"\{\w*\}", text)) for name, text in said.items()}
    assert {name: found for name, found in blanks.items() if found} == {
        "suggested_one": {"{n}"},
        "suggested_many": {"{n}"},
        "compare_with": {"{name}"},
        "compared": {"{name}", "{other}"},
    }
