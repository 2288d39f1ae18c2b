"""What every template keeps to, read from its source: the policy allows nothing inline and nothing from elsewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "membership" / "static"
# Mails have their styles inside, as mail programs want them.
PAGES = sorted(path for path in (ROOT / "templates").rglob("*.html") if "emails" not in path.parts)
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT / "templates")))

INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=\"|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE)
ELSEWHERE = re.compile(r"(?:src|srcset|action)=\"(?:https?:)?//|<link[^>]*href=\"(?:https?:)?//", re.IGNORECASE)


@EVERY_PAGE
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(page):
    source = page.read_text()
    assert INLINE.findall(source) + ELSEWHERE.findall(source) == []


@EVERY_PAGE
def test_nothing_escapes_from_autoescape(page):
    assert re.findall(r"\|\s*safe\b|autoescape\s+false", page.read_text()) == []


@EVERY_PAGE
def test_every_static_file_that_a_template_names_exists(page):
    named = re.findall(r"url_for\('static', filename='([^']+)'", page.read_text())
    assert [name for name in named if not (STATIC / name).is_file()] == []


@pytest.mark.parametrize("script", sorted((STATIC / "js").glob("*.js")), ids=lambda path: path.name)
def test_scripts_never_write_html(script):
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|DOMParser", script.read_text()) == []
    )
