"""What every use case on a running support shares: the row is locked, the action is offered in its state, and who
asked for it is written down, before the provider is asked. What came of it is heard from the provider (`hearing`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from membership.accounts import services as accounts
from membership.accounts.queries import public_id_of, timeline
from membership.audit.services import record
from membership.billing.port import ObjectKind
from membership.billing.services import sync
from membership.contributions.models import Contribution
from membership.contributions.queries import find_by_reference
from membership.contributions.rules import Action, State, actions_of, who_is
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, NotFound, ProviderFailed

MEMBER = "member"
ASKED = "support_asked"
# How far back an attempt is looked for; the second half of a double click comes within seconds.
RECENT = 20


def locked(reference: str) -> Contribution:
    """The row of that reference, with nobody else changing it until the end of the transaction; NotFound."""
    row = find_by_reference(reference)
    if row is None or row.person_id is None:
        raise NotFound("no_such_contribution", "There is no such contribution.")
    return db.session.get_one(Contribution, row.id, populate_existing=True, with_for_update=True)


def insist_on_offer(row: Contribution, action: Action, actor: str) -> str:
    """The id of the subscription that `actor` may do `action` to now; Conflict "not_offered" where they may not."""
    state = State(row.state)
    is_offered = action in actions_of(state, who_is(actor)) and row.way == "card"
    if not is_offered or row.subscription_id is None:
        raise Conflict("not_offered", "This cannot be done as it stands now; nothing was changed.", state=row.state)
    return row.subscription_id


def is_repeated(row: Contribution, attempt_key: str) -> bool:
    """Whether this very attempt was written down before: the other half of a double click, or a form sent again."""
    entries = timeline(row.person_id or 0, RECENT)
    return any(entry.kind == ASKED and entry.details.get("attempt") == attempt_key for entry in entries)


def note_ask(
    row: Contribution, action: Action, attempt_key: str, actor: str, reason: str | None, **details: str | int
) -> None:
    """Write down who asked for what, and why; the provider is asked after this is committed."""
    words: dict[str, Any] = {"action": action.value, "attempt": attempt_key, "reference": row.reference, **details}
    accounts.note(row.person_id or 0, ASKED, clock.now(), words | ({"reason": reason} if reason else {}), actor=actor)
    record(
        f"support.{action.value}",
        ("contribution", row.reference),
        actor=actor,
        about=public_id_of(row.person_id),
        reason=reason,
        before={"state": row.state, "minor": row.charge_minor, "currency": row.currency, "rhythm": row.rhythm},
        after=details or None,
    )


@contextmanager
def taken_back_where_refused(reference: str, take_back: Callable[[Contribution], None]) -> Iterator[None]:
    """Around the asking: where the provider certainly did nothing, `take_back` what was written down for it.

    Where nobody knows what it did, the wish stays: the same request is repeated until there is an answer.
    """
    try:
        yield
    except ProviderFailed as failed:
        if not is_unknown(failed):
            _take_back(reference, take_back)
        raise
    except Conflict:
        _take_back(reference, take_back)
        _read_again(reference)
        raise


def is_unknown(failed: ProviderFailed) -> bool:
    """Whether the provider may have done it all the same. A failure that it stored under the key is certain."""
    return failed.outcome_unknown and not failed.details.get("spent")


def _take_back(reference: str, take_back: Callable[[Contribution], None]) -> None:
    with transaction("contributions.take_back"):
        take_back(locked(reference))


def _read_again(reference: str) -> None:
    """It stands otherwise than we believed: learn how, if the provider answers."""
    row = find_by_reference(reference)
    if row is not None and row.subscription_id is not None:
        with suppress(ProviderFailed):
            sync(ObjectKind.SUBSCRIPTION, row.subscription_id)
