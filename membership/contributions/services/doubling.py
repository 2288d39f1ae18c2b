"""Two live supports of one person (decision 12): flagged when it happens, settled by one click of whose they are.

Only what was paid twice goes back: else a year could be had for nothing by beginning anew before it is over.

It arises where somebody gives without signing in. If nobody chooses, both go on, and staff see the flag.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from membership.accounts import services as accounts
from membership.billing.queries import PaymentRow, payments_of
from membership.contributions.models import Contribution, Refund
from membership.contributions.queries import find_by_reference
from membership.contributions.rules import LIVE, State
from membership.contributions.services import ending, refunding
from membership.contributions.services.hearing.rows import get_row
from membership.contributions.services.hearing.trouble import ask_to_stop
from membership.db import db, transaction
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.web.links import absolute
from membership.web.tokens import read_signed, signed

PURPOSE = "support.keep"
LINK_LIFE = timedelta(days=90)
# A payment of the earlier support this long before the first one of the later is still the same one twice.
DOUBLE_WITHIN = timedelta(days=7)
REASON = "Two supports of one person: the other one was kept."


@dataclass(frozen=True, slots=True)
class Choice:
    """Two supports of one person: the `newer` one was begun while the `older` one ran."""

    newer: Contribution
    older: Contribution

    @property
    def is_open(self) -> bool:
        """Whether both still run, so that there is something to choose."""
        return all(State(row.state) in LIVE and row.stop_asked_at is None for row in (self.newer, self.older))


def keep_url(reference: str) -> str:
    """The address on which one of two supports is chosen; `reference` is the newer one. Good for 90 days."""
    token = signed(PURPOSE, reference, int(LINK_LIFE.total_seconds()))
    return absolute("recovering.keep", token=token)


def read_choice(token: str) -> Choice:
    """What a link is about; NotFound `no_such_choice` for one that is not ours, too old, or about nothing."""
    try:
        reference = str(read_signed(PURPOSE, token))
    except InvalidInput as error:
        raise NotFound("no_such_choice", "This link does not lead to a choice any more.") from error
    choice = find_choice(reference)
    if choice is None:
        raise NotFound("no_such_choice", "This link does not lead to a choice any more.")
    return choice


def find_choice(reference: str) -> Choice | None:
    """The two supports of which `reference` is the newer one; None where it was begun alone."""
    newer = find_by_reference(reference)
    older = find_by_reference(newer.second_of) if newer is not None and newer.second_of else None
    return Choice(newer, older) if newer is not None and older is not None else None


def find_double(choice: Choice, lost: str) -> PaymentRow | None:
    """The payment that goes back where `lost` (a reference of the two) ends; None where none was made twice.

    Of the newer one it is the last; of the older one, too, unless it was made more than a week before the newer one's
    first: then the time that was paid stays covered.
    """
    payment = next(iter(payments_of([lost])), None)
    if payment is None or not refunding.left_of(payment).minor:
        return None
    if lost == choice.newer.reference:
        return payment
    begun = [row.paid_at for row in payments_of([choice.newer.reference])]
    return payment if begun and payment.paid_at >= min(begun) - DOUBLE_WITHIN else None


def find_paid_until(lost: str) -> datetime | None:
    """Until when what was paid for a support lasts; None where nothing was."""
    return max((row.period_end for row in payments_of([lost]) if row.period_end is not None), default=None)


def keep_one(choice: Choice, kept: str, at: datetime) -> None:
    """Go on with `kept` (a reference of the two) alone: the other one ends now; what was paid twice goes back.

    Raises InvalidInput `unknown_choice` for another reference, Conflict `already_settled` where one is over. What the
    provider does not do at once, the worker has done soon.
    """
    if kept not in {choice.newer.reference, choice.older.reference}:
        raise InvalidInput("unknown_choice", "Please choose one of the two.", field="keep")
    lost = choice.older.reference if kept == choice.newer.reference else choice.newer.reference
    with transaction("contributions.keep_one"):
        # Always in the same order, so that two clicks wait for each other.
        rows = {reference: get_row(reference) for reference in sorted((kept, lost))}
        if not Choice(rows[kept], rows[lost]).is_open:
            raise Conflict("already_settled", "One of the two is over already.")
        ask_to_stop(rows[lost], at)
        refund_id = _give_back(find_double(choice, lost), at)
        person_id, lost_id = rows[lost].person_id, rows[lost].id
        if person_id is not None:
            accounts.note(person_id, "support_kept", at, {"kept": kept, "ended": lost}, "member")
    ending.stop(lost_id)
    if refund_id is not None:
        refunding.send(refund_id)


def _give_back(payment: PaymentRow | None, at: datetime) -> int | None:
    """Write down that what was paid twice goes back; None where nothing was."""
    if payment is None:
        return None
    left = refunding.left_of(payment)
    row: Refund = refunding.write_down(payment, left, REASON, "member", at, token=f"second:{payment.payment_id}")
    db.session.flush()
    return row.id
