"""Whose contributions they are, when that changes: two people turn out to be one, or somebody leaves for good."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, Select, and_, delete, or_, select, update
from sqlalchemy.orm import aliased

from membership.accounts.models import Erasure
from membership.accounts.queries import addresses_of
from membership.billing import asks, forgetting, intents
from membership.billing.models import ProviderIntent
from membership.contributions.models import Card, Confirmation, Contribution, Refund
from membership.contributions.rules import UNPAID, State
from membership.contributions.services import flagging
from membership.db import db, transaction
from membership.kernel.errors import Conflict, MembershipError
from membership.mail import wishes

log = structlog.get_logger(__name__)


def merge(from_id: int, into_id: int, at: datetime) -> None:
    """Give everything of one person to another, also what was begun under the address and is not paid yet.

    The rows of both are locked first: a payment that comes at the same time is either in before it, or waits and
    finds the new owner. Where two supports run now, the newer one is flagged and its giver asked (decision 12).
    """
    with transaction("contributions.merge"):
        for row in _lock_all(from_id, into_id):
            if row.person_id != into_id:
                row.person_id = into_id
        wishes.rename_once(f"welcome:{from_id}", f"welcome:{into_id}")
        db.session.flush()
        flagging.flag(into_id, at)


def _lock_all(from_id: int, into_id: int) -> Sequence[Contribution]:
    """All that are theirs, bound or under an address of the first, in one order for everybody."""
    mine = or_(Contribution.person_id.in_((from_id, into_id)), _is_unbound(from_id))
    query = select(Contribution).where(mine).order_by(Contribution.id).with_for_update()
    return db.session.scalars(query, execution_options={"populate_existing": True}).all()


def _is_unbound(person_id: int) -> ColumnElement[bool]:
    """Nobody's yet, under an address that is this person's own; what they merely typed may be a stranger's."""
    return and_(Contribution.person_id.is_(None), Contribution.email.in_(addresses_of(person_id)))


def rename(person_id: int, email: str, attempt_key: str) -> None:
    """The provider's customers of this person get their new address. Not inside a transaction."""
    for customer_id in _own_customers(person_id):
        asks.rename_customer(customer_id, email, f"{attempt_key}:{customer_id}")


def leave(person_id: int, attempt_key: str) -> None:
    """Before somebody is forgotten: pages are closed, support ends now, the provider forgets who they were.

    Not inside a transaction; asked again it does nothing twice. Raises ProviderFailed where no answer came.
    """
    rows = _all_of(person_id)
    pages = [row.checkout_id for row in rows if row.checkout_id and row.state == State.STARTED]
    running = [row.subscription_id for row in rows if row.subscription_id and row.state not in UNPAID]
    running = [subscription_id for subscription_id in running if subscription_id]
    for checkout_id in pages:
        intents.close_checkout(checkout_id)
    for subscription_id in running:
        try:
            asks.cancel_now(subscription_id, f"{attempt_key}:{subscription_id}")
        except Conflict:  # it is over already
            continue
    for customer_id in _own_customers(person_id):
        asks.forget_customer(customer_id, f"{attempt_key}:{customer_id}")


def _all_of(person_id: int) -> Sequence[Contribution]:
    mine = or_(Contribution.person_id == person_id, _is_unbound(person_id))
    return db.session.scalars(select(Contribution).where(mine).order_by(Contribution.id)).all()


def _own_customers(person_id: int) -> list[str]:
    """Customers at the provider that are this person's alone."""
    mine = {row.customer_id for row in _all_of(person_id) if row.customer_id}
    others = select(Contribution.customer_id).where(
        Contribution.customer_id.in_(mine), Contribution.person_id.is_not(None), Contribution.person_id != person_id
    )
    return sorted(mine - set(db.session.scalars(others)))


def erase(person_id: int, at: datetime) -> None:
    """Empty what was typed and what names the giver; amounts, states and moments stay for the books.

    What was begun under the address and is not paid is bound to the pseudonym, so that money of it, should it come
    after all, brings no address back.
    """
    with transaction("contributions.erase"):
        rows = _lock_all(person_id, person_id)
        _forget_names(rows, set(addresses_of(person_id)), at)
        for row in rows:
            row.person_id, row.email, row.public_name = person_id, "", None
            row.form_token, row.form_try, row.attribution = f"erased-{row.id}", 1, {}
            row.checkout_url, row.cancel_reason = None, None
            if row.state == State.STARTED:
                row.state, row.state_at, row.pending_at = State.ABANDONED.value, at, None
        ids = [row.id for row in rows]
        wishes.forget_about("contribution_id", ids, at)
        references = [row.reference for row in rows]
        for model in (Card, Confirmation):
            db.session.execute(delete(model).where(model.contribution_id.in_(ids)))
        db.session.execute(update(Refund).where(Refund.reference.in_(references)).values(reason=""))


def _forget_names(rows: Sequence[Contribution], addresses: set[str], at: datetime) -> None:
    """What the provider calls them: its notices about them are emptied, now and whenever one comes."""
    names = {
        name for row in rows for name in (row.reference, row.customer_id, row.subscription_id, row.checkout_id) if name
    }
    forgetting.forget(names, addresses, at)


def forget_late(now: datetime) -> int:
    """Money that came for somebody after they were forgotten stays in the books; who paid it is forgotten as well, and
    nothing more is taken. So is support that began while they were being forgotten. How many contributions were looked
    at. Not inside a transaction.
    """
    rows = [(row.customer_id or "", row.subscription_id) for row in db.session.execute(_late())]
    for customer_id, subscription_id in rows:
        try:
            _forget_there(customer_id, subscription_id)
        except MembershipError as failed:  # asked again at the next sweep; meanwhile the others have their turn
            log.warning("late_payer_waits", customer_id=customer_id, code=failed.code)
            continue
        forgetting.forget({customer_id, subscription_id or customer_id}, set(), now)
    return len(rows)


def _late() -> Select[str | None, str | None]:
    """Customers whose person was emptied here, and whom the provider was never told to forget. Not those of others."""
    other = aliased(Contribution)
    is_told = select(ProviderIntent.id).where(
        ProviderIntent.subject == Contribution.customer_id,
        ProviderIntent.kind == "forget_customer",
        ProviderIntent.state == "done",
    )
    is_shared = select(other.id).where(
        other.customer_id == Contribution.customer_id,
        other.person_id.is_not(None),
        other.person_id != Contribution.person_id,
    )
    return (
        select(Contribution.customer_id, Contribution.subscription_id)
        .join(Erasure, Erasure.person_id == Contribution.person_id)
        .where(Erasure.emptied_at.is_not(None), Contribution.customer_id.is_not(None))
        .where(~is_told.exists(), ~is_shared.exists())
        .order_by(Contribution.id)
    )


def _forget_there(customer_id: str, subscription_id: str | None) -> None:
    if subscription_id:
        try:
            asks.cancel_now(subscription_id, f"late:{subscription_id}")
        except Conflict as error:  # it is over already, or gone there
            log.info("late_support_is_over", code=error.code)
    asks.forget_customer(customer_id, f"late:{customer_id}")
