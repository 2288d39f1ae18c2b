"""What may be typed about a mistake, by readers and by staff. Pure functions of values."""

from dataclasses import dataclass

from membership.corrections.rules.anchors import Anchor
from membership.kernel.errors import InvalidInput
from membership.kernel.words import one_line, paragraphs

LONGEST_QUOTE = 1000
LONGEST_CONTEXT = 300
LONGEST_NOTE = 2000
LONGEST_REPLY = 2000
LONGEST_PASSAGE = 1000
LONGEST_HEADLINE = 200


@dataclass(frozen=True, slots=True)
class Report:
    """What a reader says, cleaned: where it stands, and what is wrong there. One of the two may be empty."""

    anchor: Anchor
    note: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A correction as the public log has it, and what the newsroom writes to those who reported it ("" for nothing)."""

    before: str
    after: str
    headline: str
    reply: str


def clean_quote(text: str) -> str:
    """The words that somebody marked, on one line; "" for none; InvalidInput where they are too many."""
    quote = _visible(text)
    if len(quote) > LONGEST_QUOTE:
        raise InvalidInput(
            "quote_too_long", "Please mark only the sentence with the mistake: 1,000 characters at most.", field="quote"
        )
    return quote


def clean_note(text: str) -> str:
    """What a reader says about it; "" for nothing; InvalidInput where it is too long."""
    note = paragraphs(text)
    if len(note) > LONGEST_NOTE:
        raise InvalidInput("note_too_long", "Please say it shorter: 2,000 characters at most.", field="note")
    return note


def clean_report(quote: str, prefix: str, suffix: str, note: str) -> Report:
    """A report; InvalidInput for one that says nothing at all or too much. Of the words around the quote those that
    stand next to it are kept.
    """
    anchor = Anchor(clean_quote(quote), _visible(prefix)[-LONGEST_CONTEXT:], _visible(suffix)[:LONGEST_CONTEXT])
    report = Report(anchor, clean_note(note))
    if not report.anchor.quote and not report.note:
        raise InvalidInput(
            "nothing_said", "Please copy the words with the mistake, or say what is wrong.", field="quote"
        )
    return report


def clean_reply(text: str) -> str:
    """What the newsroom answers; InvalidInput for nothing or too much."""
    reply = paragraphs(text)
    if not reply:
        raise InvalidInput("reply_missing", "Please write a sentence or two to the reader.", field="reply")
    return _short_reply(reply)


def clean_fix(before: str, after: str, headline: str, reply: str) -> Fix:
    """A correction: words before and after, of which one may be empty where something was put in or taken out."""
    was, now = paragraphs(before) or before.strip(), paragraphs(after) or after.strip()
    if not was and not now:
        raise InvalidInput("fix_missing", "Please copy the words as they were and as they are now.", field="before")
    if was == now:
        raise InvalidInput("fix_changes_nothing", "These are the same words as before.", field="after")
    for field, text in (("before", was), ("after", now)):
        if len(text) > LONGEST_PASSAGE:
            raise InvalidInput("fix_too_long", "Please quote only what changed: 1,000 characters at most.", field=field)
    title = one_line(headline)
    if len(title) > LONGEST_HEADLINE:
        raise InvalidInput("headline_too_long", "A headline has 200 characters at most.", field="headline")
    return Fix(was, now, title, _short_reply(paragraphs(reply)))


def _short_reply(reply: str) -> str:
    if len(reply) > LONGEST_REPLY:
        raise InvalidInput("reply_too_long", "Please say it shorter: 2,000 characters at most.", field="reply")
    return reply


def _visible(text: str) -> str:
    """On one line, what can be seen of it; also a lone comma, which may well be the mistake."""
    return one_line(text) or one_line(text + "a")[:-1].strip()
