"""What a report may say and how it ends; `anchors` are passages of articles (`kernel.places`). Pure functions."""

from membership.corrections.rules.anchors import Anchor, is_same_passage, split_context
from membership.corrections.rules.states import ANSWER_WITHIN, ANSWERED, NEXT, SHELVES, TARGETS, State, may_become
from membership.corrections.rules.words import (
    LONGEST_CONTEXT,
    LONGEST_HEADLINE,
    LONGEST_NOTE,
    LONGEST_QUOTE,
    LONGEST_REPLY,
    Fix,
    Report,
    clean_fix,
    clean_note,
    clean_quote,
    clean_reply,
    clean_report,
)
from membership.kernel.places import Article, clean_article, find_article, is_known_origin

__all__ = [
    "ANSWERED", "ANSWER_WITHIN", "LONGEST_CONTEXT", "LONGEST_HEADLINE", "LONGEST_NOTE", "LONGEST_QUOTE",
    "LONGEST_REPLY", "NEXT", "SHELVES", "TARGETS", "Anchor", "Article", "Fix", "Report", "State", "clean_article",
    "clean_fix", "clean_note", "clean_quote", "clean_reply", "clean_report", "find_article", "is_known_origin",
    "is_same_passage", "may_become", "split_context",
]  # fmt: skip
