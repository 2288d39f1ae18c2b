"""The words of an appeal: what may be typed, what is missing before it starts, what deserves a second look.

Pure functions of values. Words of a variant are language -> {"title", "body", "button"}; a draft may lack some.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from membership.kernel.errors import InvalidInput
from membership.kernel.words import one_line, paragraphs

KEYS = ("a", "b", "c", "d")
WEIGHTS = range(1, 10)
PARTS = ("title", "body", "button")
# Shortest and longest in characters, `{amount}` counted as it is typed.
LENGTHS: Mapping[str, range] = {"title": range(8, 81), "body": range(20, 601), "button": range(3, 41)}
# On a phone a longer title takes more than three lines, and of a longer text the button is out of sight.
LONG_TITLE = 60
LONG_BODY = 400
# The price of one cup takes its place, in each language as it is written there.
AMOUNT = "{amount}"
BRACE = re.compile(r"[{}]")

Words = Mapping[str, str]
Texts = Mapping[str, Words]


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording: its key, its share among all, its words per language."""

    key: str
    weight: int = 1
    texts: Texts = field(default_factory=dict)


class Fault(StrEnum):
    """Why an appeal cannot be started."""

    NO_VARIANT = "no_variant"
    NO_TEXT = "no_text"
    END_PAST = "end_past"


class Warn(StrEnum):
    """What staff should look at twice; it refuses nothing."""

    LONG_TITLE = "long_title"
    LONG_BODY = "long_body"
    NO_HOLDOUT = "no_holdout"
    SAME_WORDS = "same_words"
    ONE_LANGUAGE = "one_language"


@dataclass(frozen=True, slots=True)
class Remark:
    """A fault or warning, with the variant ("" for the whole appeal) and the language ("" for all) it is about."""

    what: Fault | Warn
    key: str = ""
    language: str = ""


def clean_part(part: str, text: str, name: str = "") -> str:
    """One of the three texts; "" where it is not written yet. InvalidInput about the field `name` otherwise."""
    said = _clean_body(text) if part == "body" else one_line(text)
    if not said:
        return ""
    if BRACE.search(said.replace(AMOUNT, "")):
        raise InvalidInput(
            "placeholder_unknown",
            "Of words in braces only {amount} is known: the price of one cup takes its place.",
            field=name or part,
        )
    if len(said) not in LENGTHS[part]:
        raise _wrong_length(part, name or part)
    return said


def _wrong_length(part: str, field: str) -> InvalidInput:
    if part == "title":
        return InvalidInput("title_length", "A heading has 8 to 80 characters.", field=field)
    if part == "body":
        return InvalidInput("body_length", "The text has 20 to 600 characters.", field=field)
    return InvalidInput("button_length", "The words on the button have 3 to 40 characters.", field=field)


def _clean_body(text: str) -> str:
    """Its paragraphs, each on one line, without empty ones."""
    return "\n".join(line for line in paragraphs(text).split("\n") if line)


def clean_variant(variant: Variant, languages: Collection[str]) -> Variant:
    """A variant as it is kept: languages without any word are left out. InvalidInput for what may not be so."""
    if variant.key not in KEYS or variant.weight not in WEIGHTS:
        raise InvalidInput("weight_out_of_reach", "A share is a number from 1 to 9.", field=f"{variant.key}_weight")
    cleaned = {
        language: {part: clean_part(part, words.get(part, ""), f"{variant.key}_{language}_{part}") for part in PARTS}
        for language, words in variant.texts.items()
        if language in languages
    }
    return Variant(variant.key, variant.weight, {code: words for code, words in cleaned.items() if any(words.values())})


def next_key(taken: Collection[str]) -> str | None:
    """The key of one more variant; None where there are four."""
    return next((key for key in KEYS if key not in taken), None)


def is_whole(words: Words | None) -> bool:
    """Whether all three texts are there."""
    return words is not None and all(words.get(part) for part in PARTS)


def languages_of(variants: Sequence[Variant], offered: Sequence[str]) -> list[str]:
    """Those of the `offered` languages in which every variant has all its words, in their order; [] for no variant."""
    if not variants:
        return []
    return [code for code in offered if all(is_whole(variant.texts.get(code)) for variant in variants)]


def faults_of(variants: Sequence[Variant], language: str, ends_at: datetime | None, at: datetime) -> list[Remark]:
    """Why it cannot be started at `at`; `language` is the newsroom's default, in which no word may be missing."""
    found = [] if variants else [Remark(Fault.NO_VARIANT)]
    found += [
        Remark(Fault.NO_TEXT, variant.key, language)
        for variant in variants
        if not is_whole(variant.texts.get(language))
    ]
    return [*found, Remark(Fault.END_PAST)] if ends_at is not None and ends_at <= at else found


def warnings_of(variants: Sequence[Variant], offered: Sequence[str], holdout_percent: int) -> list[Remark]:
    """What to look at twice, variant by variant, then of the whole appeal."""
    found = [remark for variant in variants for remark in _long(variant)]
    found += [
        Remark(Warn.SAME_WORDS, other.key)
        for number, other in enumerate(variants)
        if other.texts and any(other.texts == earlier.texts for earlier in variants[:number])
    ]
    spoken = languages_of(variants, offered)
    found += [Remark(Warn.ONE_LANGUAGE, "", code) for code in offered if spoken and code not in spoken]
    return [*found, Remark(Warn.NO_HOLDOUT)] if not holdout_percent else found


def _long(variant: Variant) -> Iterator[Remark]:
    for language, words in variant.texts.items():
        if len(words.get("title", "")) > LONG_TITLE:
            yield Remark(Warn.LONG_TITLE, variant.key, language)
        if len(words.get("body", "")) > LONG_BODY:
            yield Remark(Warn.LONG_BODY, variant.key, language)
