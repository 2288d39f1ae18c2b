"""Sentences that are said in English here and may be said in another language elsewhere.

A command prints them as they are; a page takes them apart and says them in the language of its reader. Their English is
found for translation like every other text (`said` is a keyword in babel.cfg).
"""

from datetime import datetime
from typing import Any

Value = str | int | datetime
MOMENT = "%d %B %H:%M UTC"


class Said(str):
    """An English sentence that remembers its words (with %(named)s places) and what was filled in."""

    __slots__ = ("values", "words")

    words: str
    values: dict[str, Value]


def said(words: str, **values: Value) -> Said:
    """`words` with `values` filled in; moments are written in UTC, other sentences are said within this one."""
    shown = {name: f"{value:{MOMENT}}" if isinstance(value, datetime) else value for name, value in values.items()}
    sentence = Said(words % shown if values else words)
    sentence.words, sentence.values = words, values
    return sentence


def packed(text: str) -> dict[str, Any]:
    """A sentence as JSON values, for `web.filters.in_words`; a plain text is its own words."""
    if not isinstance(text, Said):
        return {"words": str(text), "values": {}}
    return {"words": text.words, "values": {name: _pack(value) for name, value in text.values.items()}}


def _pack(value: Value) -> Any:
    if isinstance(value, Said):
        return packed(value)
    return {"at": value.isoformat()} if isinstance(value, datetime) else value
