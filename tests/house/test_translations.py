"""Both languages say everything: what is extracted, what is translated and what is compiled agree."""

import gettext
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask_babel import force_locale
from jinja2 import Environment, nodes

from membership.web import filters

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
HOME = ROOT / "membership" / "translations" / "uk" / "LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
# Only numbers and marks between placeholders: the same in both languages.
# Nothing but marks around what is filled in.
NO_WORDS = {"%(day)s, %(time)s %(zone)s", "%(topic)s: %(hours)s", "%(topic)s — %(votes)s", "«%(title)s»"}
# The sandbox has its own words; the two articles are written once per language.
NO_MSGIDS = {"front/article_en.html", "front/article_uk.html"}
PAGES = sorted(
    path
    for path in (*TEMPLATES.rglob("*.html"), *TEMPLATES.rglob("*.txt"))
    if str(path.relative_to(TEMPLATES)) not in NO_MSGIDS and path.relative_to(TEMPLATES).parts[0] != "sandbox"
)
SPOKEN = re.compile(r"\b(?:aria-label|alt|title|placeholder|content)=\"([^\"]*)\"")
NAMES_OF_CLASSES = re.compile(r"{% block body_class %}[^{]*{% endblock %}")
# Names that are the same in every language.
EVERYWHERE = {"BIC", "IBAN", "PayPal"}
# Values that no reader sees, and one that is an example of what the payment company writes.
TECHNICAL = {"light dark", "noindex", "width=device-width, initial-scale=1", "0; url=\x00", "invoice."}


@pytest.fixture(scope="module")
def catalogue():
    with (HOME / "messages.po").open("rb") as file:
        return read_po(file, locale="uk")


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """What pybabel finds now, as `make translations` asks it."""
    target = tmp_path_factory.mktemp("texts") / "messages.pot"
    CommandLineInterface().run(
        ["pybabel", "--quiet", "extract", "--mapping-file", str(ROOT / "babel.cfg"), "-o", str(target), str(ROOT)]
    )
    with target.open("rb") as file:
        return read_po(file)


def messages_of(catalogue):
    return [message for message in catalogue if message.id]


def forms_of(message):
    return list(message.string) if message.pluralizable else [message.string]


def key_of(message):
    context = message.context.decode() if isinstance(message.context, bytes) else message.context
    return context, tuple(message.id) if message.pluralizable else message.id


def keys_of(catalogue):
    return {key_of(message) for message in messages_of(catalogue)}


def faults(catalogue, is_wrong):
    return [(message.id, form) for message in messages_of(catalogue) for form in forms_of(message) if is_wrong(form)]


def test_every_text_is_in_the_ukrainian_catalogue_and_none_is_left_over(catalogue, extracted):
    assert len(keys_of(extracted)) > 300
    assert keys_of(extracted) - keys_of(catalogue) == set(), "Run `make translations`, then translate what is empty."
    assert keys_of(catalogue) - keys_of(extracted) == set(), "Run `make translations` to drop these."
    assert catalogue.obsolete == {}


def test_every_text_is_translated_for_certain(catalogue):
    assert faults(catalogue, lambda form: not form.strip()) == []
    assert [message.id for message in messages_of(catalogue) if message.fuzzy] == []
    assert not catalogue.fuzzy


def test_every_plural_has_all_ukrainian_forms(catalogue):
    assert catalogue.num_plurals == 3
    plurals = [message for message in messages_of(catalogue) if message.pluralizable]
    assert plurals
    assert [message.id for message in plurals if len(message.string) != 3] == []


def test_placeholders_agree(catalogue):
    for message in messages_of(catalogue):
        original = message.id[1] if message.pluralizable else message.id
        names = set(PLACEHOLDER.findall(original))
        for form in forms_of(message):
            assert set(PLACEHOLDER.findall(form)) == names, message.id
            assert "%" not in PLACEHOLDER.sub("", form), f"A stray % in {form!r}."


def test_translations_are_ukrainian(catalogue):
    def is_foreign(form):
        return form not in NO_WORDS and not re.search("[А-ЩЬЮЯЄІЇҐа-щьюяєіїґ]", PLACEHOLDER.sub("", form))

    assert faults(catalogue, is_foreign) == []
    assert faults(catalogue, lambda form: re.search("[ЁЪЫЭёъыэ]", form)) == []


def test_translations_keep_ukrainian_typography(catalogue):
    """Apostrophe ’, quotation marks «», no code of a currency in running text."""
    assert faults(catalogue, lambda form: re.search("['\"]|\\bUAH\\b|\\bEUR\\b", form)) == []
    assert faults(catalogue, lambda form: form != form.strip() or "  " in form) == []


def test_the_compiled_catalogue_is_what_the_written_one_says(catalogue):
    with (HOME / "messages.mo").open("rb") as file:
        compiled = read_mo(file)
    written = {key_of(message): forms_of(message) for message in messages_of(catalogue)}
    assert {key_of(message): forms_of(message) for message in messages_of(compiled)} == written


@pytest.mark.parametrize(
    ("n", "cups", "hryvnias"),
    [
        (1, "1 чашка", "1 гривня"),
        (2, "2 чашки", "2 гривні"),
        (5, "5 чашок", "5 гривень"),
        (11, "11 чашок", "11 гривень"),
        (21, "21 чашка", "21 гривня"),
        (112, "112 чашок", "112 гривень"),
    ],
)
def test_numbers_bend_the_words_after_them(n, cups, hryvnias):
    with (HOME / "messages.mo").open("rb") as file:
        uk = gettext.GNUTranslations(file)
    assert uk.ngettext("%(num)s cup", "%(num)s cups", n) % {"num": n} == cups
    assert uk.ngettext("%(number)s hryvnia", "%(number)s hryvnias", n) % {"number": n} == hryvnias


def test_a_ukrainian_sentence_may_end_with_a_date(house):
    start, end = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2027, 1, 21, tzinfo=UTC)
    with house.test_request_context(), force_locale("uk"):
        assert filters.day(start) == "22 листопада 2026"
        assert filters.month_span(start, end).endswith("2027")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_words_of_a_template_miss_the_catalogue(page):
    """Everything that is read or spoken stands in _(…); what remains are marks, tags and values."""
    source = NAMES_OF_CLASSES.sub("", page.read_text(encoding="utf-8"))
    tree = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(source)
    bare = "".join(
        node.data if isinstance(node, nodes.TemplateData) else "\x00"
        for output in tree.find_all(nodes.Output)
        for node in output.nodes
    )
    spoken = [words for words in SPOKEN.findall(bare) if words not in TECHNICAL]
    # Commands and keys are the same in every language.
    read = re.sub(r"<(style|code|kbd)\b.*?</\1>|<!DOCTYPE[^>]*>|<[^>]*>|&[a-z]+;", " ", bare, flags=re.DOTALL)
    words = re.findall(r"[^\W\d_]{2,}", " ".join([read, *spoken]))
    assert [word for word in words if word not in EVERYWHERE] == []
