"""A pause until a day, and its early end."""

from datetime import datetime

from membership.billing import asks
from membership.contributions.models import Contribution
from membership.contributions.rules import LONGEST_PAUSE_MONTHS, Action, insist_on_effect, pause_ends
from membership.contributions.services.acting import (
    MEMBER,
    insist_on_offer,
    is_repeated,
    locked,
    note_ask,
    taken_back_where_refused,
)
from membership.db import transaction
from membership.kernel import clock
from membership.kernel.errors import InvalidInput


def pause(reference: str, until: datetime, attempt_key: str, *, actor: str = MEMBER, reason: str | None = None) -> None:
    """Take nothing before `until`, at most six months ahead; then it goes on by itself, on its usual day.

    Raises as `changing.change` does, and InvalidInput "pause_length" or "pause_too_short" (nothing would be taken
    before that day anyway).
    """
    with transaction("contributions.ask_pause"):
        row = locked(reference)
        subscription_id = row.subscription_id
        if not is_repeated(row, attempt_key):
            subscription_id = insist_on_offer(row, Action.PAUSE, actor)
            _insist_on_span(until)
            insist_on_effect(row.next_payment_at, until)
            note_ask(row, Action.PAUSE, attempt_key, actor, reason, until=until.isoformat())
    with taken_back_where_refused(reference, _nothing):
        asks.pause(subscription_id or "", until, attempt_key)


def resume(reference: str, attempt_key: str, *, actor: str = MEMBER, reason: str | None = None) -> None:
    """End a pause now: the next payment is taken on its usual day, and nothing today. Raises as `changing.change`."""
    with transaction("contributions.ask_resume"):
        row = locked(reference)
        subscription_id = row.subscription_id
        if not is_repeated(row, attempt_key):
            subscription_id = insist_on_offer(row, Action.RESUME, actor)
            note_ask(row, Action.RESUME, attempt_key, actor, reason)
    with taken_back_where_refused(reference, _nothing):
        asks.resume(subscription_id or "", attempt_key)


def _insist_on_span(until: datetime) -> None:
    now = clock.now()
    if not now < until <= pause_ends(now, LONGEST_PAUSE_MONTHS):
        raise InvalidInput(
            "pause_length",
            f"A pause lasts at most {LONGEST_PAUSE_MONTHS} months.",
            field="months",
            n_months=LONGEST_PAUSE_MONTHS,
        )


def _nothing(row: Contribution) -> None:
    """A pause is written nowhere before it is seen."""
