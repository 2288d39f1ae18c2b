"""Who is told of a poll: sources of `wiring.AUDIENCES`. They know who voted, and nobody's choice."""

from collections.abc import Callable, Iterable
from datetime import datetime

from flask import current_app
from sqlalchemy import ColumnElement, or_, select, true

from membership.accounts.models import Person
from membership.db import db
from membership.mail.audiences import Recipient
from membership.mail.catalogue import Args
from membership.patrons.models import CoverageSpan
from membership.polls.models import RollEntry
from membership.topics.models import TopicEvent
from membership.topics.rules import Stage


def roll_after(args: Args, after_person_id: int, limit: int) -> list[Recipient]:
    """Everybody on the roll of `args["poll_id"]`."""
    return _on_roll(int(args["poll_id"]), true(), after_person_id, limit)


def not_voted_after(args: Args, after_person_id: int, limit: int) -> list[Recipient]:
    """Who is on the roll and has not voted, if they want to hear of it."""
    waiting = ~RollEntry.has_voted & ~RollEntry.is_closed & RollEntry.wants_news.is_(True)
    return _on_roll(int(args["poll_id"]), waiting, after_person_id, limit)


def news_after(args: Args, after_person_id: int, limit: int) -> list[Recipient]:
    """Who is on the roll and wants to hear what becomes of the poll."""
    return _on_roll(int(args["poll_id"]), RollEntry.wants_news.is_(True), after_person_id, limit)


def voters_of_chosen_topic_after(args: Args, after_person_id: int, limit: int) -> list[Recipient]:
    """Everybody who voted in the poll that chose `args["topic_id"]` last, whatever they chose (decision 16)."""
    poll_id = chosen_last_by(int(args["topic_id"]))
    if poll_id is None:
        return []
    # Closed: their vote was cast under another address of theirs.
    wanted = or_(RollEntry.has_voted, RollEntry.is_closed) & RollEntry.wants_news
    return _on_roll(poll_id, wanted, after_person_id, limit)


def chosen_last_by(topic_id: int) -> int | None:
    """The poll that chose a topic last; None where none did."""
    events = select(TopicEvent).where(TopicEvent.topic_id == topic_id, TopicEvent.kind == Stage.CHOSEN.value)
    chosen = db.session.scalar(events.order_by(TopicEvent.id.desc()).limit(1))
    return int(chosen.details["poll_id"]) if chosen is not None and "poll_id" in chosen.details else None


def _on_roll(poll_id: int, which: ColumnElement[bool], after_person_id: int, limit: int) -> list[Recipient]:
    rows = db.session.execute(
        select(Person.id, Person.email, Person.locale)
        .join(RollEntry, RollEntry.person_id == Person.id)
        .where(RollEntry.poll_id == poll_id, RollEntry.person_id > after_person_id, which)
        .where(Person.disabled_at.is_(None), Person.email != "")
        .order_by(RollEntry.person_id)
        .limit(limit)
    )
    return [Recipient(row.id, row.email, row.locale) for row in rows]


def list_shared_payers(at: datetime) -> list[list[int]]:
    """Groups of two or more people who are covered at `at` and seem to pay from one account, by their ids.

    For staff to look at before they open a poll (decision 17); it never changes a count. Who pays is known to the
    rooms named in `wiring.SHARED_PAYERS`.
    """
    sources: Iterable[Callable[[], list[list[int]]]] = current_app.extensions["membership.shared_payers"]
    groups = [group for source in sources for group in source()]
    everybody = {person_id for group in groups for person_id in group}
    covered = set(
        db.session.scalars(
            select(CoverageSpan.person_id).where(
                CoverageSpan.starts_at <= at, CoverageSpan.ends_at > at, CoverageSpan.person_id.in_(everybody)
            )
        )
    )
    return [sorted(both) for group in groups if len(both := covered.intersection(group)) > 1]
