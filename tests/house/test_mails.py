"""Every mail of the catalogue: three parts, two languages, one button, small, and nothing loaded from anywhere."""

import re

import pytest

from membership.mail import letters
from membership.mail.catalogue import all_mails
from membership.wiring import MAILS

PARTS = ("subject.txt", "body.txt", "body.html")
LARGEST = 60 * 1024
assert MAILS  # loading the wiring loads every room that writes mails


def kinds():
    return [entry for entry in all_mails() if not entry.kind.startswith("tests/")]


@pytest.fixture(params=kinds(), ids=lambda entry: entry.kind)
def entry(request):
    return request.param


@pytest.fixture(params=["en", "uk"])
def locale(request):
    return request.param


@pytest.fixture
def letter(house, entry, locale):
    with house.app_context():
        return letters.write(entry, entry.example, locale)


def test_the_catalogue_knows_the_mails_of_every_room():
    assert {"accounts/sign_in", "contributions/receipt", "contributions/welcome"} <= {entry.kind for entry in kinds()}


def test_a_mail_has_three_parts_an_example_and_a_purpose(house, entry):
    for part in PARTS:
        house.jinja_env.get_template(entry.template(part))
    assert entry.example
    assert entry.purpose.endswith((".", "…")) or len(entry.purpose) > 20


def test_a_mail_can_be_written(letter):
    assert 5 < len(letter.subject) <= 100
    assert "\n" not in letter.subject
    assert len(letter.text) > 100
    assert "</html>" in letter.html


def test_a_mail_is_in_the_language_of_its_reader(letter, entry, locale):
    words = re.sub(r"https?://\S+|The Harbour Post", "", letter.text)
    for said in (value for value in entry.example.values() if isinstance(value, str)):
        words = words.replace(said, "")  # what people wrote stays in the language that they wrote it in
    n_cyrillic, n_latin = (len(re.findall(pattern, words)) for pattern in ("[а-яіїєґ]", "[a-z]"))
    assert f'lang="{locale}"' in letter.html
    if locale == "uk":
        assert n_cyrillic > 10 * n_latin
        assert re.search("[а-яіїєґ]", letter.subject)
    else:
        assert n_cyrillic == 0


def test_text_and_html_lead_to_the_same_places(letter):
    linked = {url.replace("&amp;", "&") for url in re.findall(r'href="(https?://[^"]+)"', letter.html)}
    written = set(re.findall(r"https?://\S+", letter.text))
    assert {url.rstrip("/") for url in linked} == {url.rstrip("/") for url in written}


def test_a_mail_has_at_most_one_button(letter):
    assert letter.html.count('class="button"') <= 1


def test_a_mail_is_small_dark_mode_safe_and_loads_nothing(letter):
    assert len(letter.html.encode()) + len(letter.text.encode()) < LARGEST
    assert "prefers-color-scheme: dark" in letter.html
    assert re.findall(r"<(?:img|script|link|iframe|object|form)\b|url\(|@import|var\(--", letter.html) == []


def test_no_place_holder_is_left(letter):
    words = (
        letter.subject + letter.text + re.sub(r"<style>.*?</style>|style=\"[^\"]*\"", "", letter.html, flags=re.DOTALL)
    )
    assert re.findall(r"%\(\w+\)s|\{\{|\}\}|\bNone\b|\bUndefined\b|Money\(|Rhythm\.|datetime\.", words) == []
