"""Other terms: more or fewer cups, another rhythm, with or without the covered fee."""

from membership.billing import asks
from membership.contributions.models import Contribution
from membership.contributions.rules import Action, Terms
from membership.contributions.services.acting import (
    MEMBER,
    insist_on_offer,
    is_repeated,
    locked,
    note_ask,
    taken_back_where_refused,
)
from membership.db import transaction
from membership.kernel.errors import InvalidInput


def change(reference: str, terms: Terms, attempt_key: str, *, actor: str = MEMBER, reason: str | None = None) -> None:
    """Give by `terms` from the next payment on; nothing is charged or given back now.

    The wish is written on the row first; it counts from when the provider is seen to charge by it. `attempt_key`
    names one press of a button: pressed twice it is done once. Raises Conflict "not_offered" or "not_possible_now",
    InvalidInput "no_change", ProviderFailed; after each of them nothing has changed, or it is still being asked for
    (`outcome_unknown`).
    """
    with transaction("contributions.ask_change"):
        row = locked(reference)
        subscription_id = _write_down(row, terms, attempt_key, actor, reason)
    if subscription_id is None:
        return

    def take_back(row: Contribution) -> None:
        if row.next_terms == terms:
            row.next_terms = None

    with taken_back_where_refused(reference, take_back):
        asks.change(subscription_id, terms.charge, terms.rhythm, attempt_key)


def _write_down(row: Contribution, terms: Terms, attempt_key: str, actor: str, reason: str | None) -> str | None:
    """The subscription to ask for; None where only the split of gift and fee is new, which is ours alone."""
    if is_repeated(row, attempt_key):
        if row.next_terms is None and not terms.is_charged_like(row.terms):
            row.next_terms = terms  # it was refused the first time
        return row.subscription_id
    subscription_id = insist_on_offer(row, Action.CHANGE, actor)
    if terms.charge.currency != row.currency:
        raise InvalidInput("unknown_currency", "The currency of running support cannot change.", field="currency")
    if row.next_terms is None and terms == row.terms:
        raise InvalidInput("no_change", "This is what is given already.", field="cups")
    note_ask(
        row,
        Action.CHANGE,
        attempt_key,
        actor,
        reason,
        minor=terms.charge.minor,
        currency=terms.charge.currency,
        rhythm=terms.rhythm.value,
    )
    if row.next_terms is None and terms.is_charged_like(row.terms):
        row.terms = terms
        return None
    row.next_terms = terms
    return subscription_id
