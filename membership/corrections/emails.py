"""The one mail about a report: what became of it. Who reports twice is told twice, once about each."""

from datetime import datetime
from typing import Any

from membership.corrections import queries
from membership.corrections.models import CorrectionReport
from membership.corrections.rules import State
from membership.corrections.services.answering import note_told
from membership.db import db
from membership.mail.catalogue import mail
from membership.newsroom.queries import newsroom
from membership.web.links import absolute


@mail(
    "corrections/answered",
    example={
        "newsroom_name": "The Harbour Post",
        "is_fixed": True,
        "article_url": "https://www.example.org/dredging",
        "headline": "Ten years of dredging, one bidder",
        "before": "The port pays 1.2 million a year for dredging.",
        "after": "The port pays 2.1 million a year for dredging.",
        "reply": "Two figures were swapped. Thank you for reading so closely.",
        "log_url": "https://join.example.org/corrections#fix_0123456789abcdefghjkmnpqrs",
    },
)
def answered(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To whoever reported a mistake and left an address: thanks for a correction, or why the article stays as it is."""
    del at
    report = db.session.get(CorrectionReport, int(args["report_id"]), populate_existing=True)
    if report is None or report.email is None:
        return None
    passage = queries.get(report.passage_id)
    answer = queries.find_answer(passage)
    if answer is None or answer.id != int(args["event_id"]):
        return None  # taken up again, or decided otherwise, before this mail left
    root = queries.get(answer.passage_id)
    if not note_told(report.id, answer.id):
        return None
    return {
        "newsroom_name": newsroom().name,
        "is_fixed": root.state == State.FIXED,
        "article_url": root.article,
        "headline": root.headline,
        "before": root.before_words,
        "after": root.after_words,
        "reply": root.reply,
        "log_url": absolute("corrections.log") + f"#{root.public_id}",
    }
