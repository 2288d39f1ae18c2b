"""The end of support, wished by its giver or by our staff for them, and taking that back."""

from membership.billing import asks
from membership.contributions.models import Contribution
from membership.contributions.rules import Action, State
from membership.contributions.services.acting import (
    MEMBER,
    insist_on_offer,
    is_repeated,
    locked,
    note_ask,
    taken_back_where_refused,
)
from membership.db import transaction

_OVER = frozenset({State.CANCELLING, State.ENDED})


def cancel(
    reference: str, attempt_key: str, *, words: str = "", actor: str = MEMBER, reason: str | None = None
) -> None:
    """Take nothing more: it ends with the time that is paid. Where a payment is open, nothing is paid ahead, so it
    ends at once and the open payment is dropped.

    `words`: why, as the giver says it (`rules.clean_cancel_reason`), kept until their erasure; `reason`: why, as our
    staff write it into the timeline. Raises as `changing.change` does.
    """
    with transaction("contributions.ask_cancel"):
        row = locked(reference)
        subscription_id, is_at_once = row.subscription_id, row.state == State.PAST_DUE
        if is_repeated(row, attempt_key):
            is_at_once = is_at_once or row.state == State.ENDED
        else:
            subscription_id = insist_on_offer(row, Action.CANCEL, actor)
            row.cancel_reason = words
            note_ask(row, Action.CANCEL, attempt_key, actor, reason)
    with taken_back_where_refused(reference, _take_back):
        (asks.cancel_now if is_at_once else asks.cancel)(subscription_id or "", attempt_key)


def cancel_now(reference: str, attempt_key: str, *, actor: str, reason: str | None = None) -> None:
    """End it at once, for staff; nothing is given back by that. Raises as `changing.change` does."""
    with transaction("contributions.ask_cancel_now"):
        row = locked(reference)
        subscription_id = row.subscription_id
        if not is_repeated(row, attempt_key):
            subscription_id = insist_on_offer(row, Action.CANCEL_NOW, actor)
            row.cancel_reason = row.cancel_reason or ""
            note_ask(row, Action.CANCEL_NOW, attempt_key, actor, reason)
    with taken_back_where_refused(reference, _take_back):
        asks.cancel_now(subscription_id or "", attempt_key)


def keep(reference: str, attempt_key: str, *, actor: str = MEMBER, reason: str | None = None) -> None:
    """Take back a cancellation whose end has not come: it goes on as it was. Raises as `changing.change` does."""
    with transaction("contributions.ask_keep"):
        row = locked(reference)
        subscription_id = row.subscription_id
        if not is_repeated(row, attempt_key):
            subscription_id = insist_on_offer(row, Action.KEEP, actor)
            note_ask(row, Action.KEEP, attempt_key, actor, reason)
    with taken_back_where_refused(reference, lambda _row: None):
        asks.keep(subscription_id or "", attempt_key)


def _take_back(row: Contribution) -> None:
    if State(row.state) not in _OVER:
        row.cancel_reason = None
