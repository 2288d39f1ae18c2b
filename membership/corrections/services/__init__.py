"""Use cases of corrections: readers report, staff sort and answer, and everybody is told once."""

from membership.corrections.services.answering import decline, fix, mark_duplicate, mark_spam, reopen
from membership.corrections.services.reporting import report
from membership.corrections.services.sorting import assign, take_apart

__all__ = ["assign", "decline", "fix", "mark_duplicate", "mark_spam", "reopen", "report", "take_apart"]
