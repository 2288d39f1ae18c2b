"""News of money: it came, it left again, it failed to come."""

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.billing.port import PaymentFailed, PaymentReceived, PaymentReversed
from membership.billing.queries import find_wholly_returned_at
from membership.contributions.models import Contribution
from membership.contributions.rules import LIVE, UNPAID, State, yearly_level
from membership.contributions.services.hearing import trouble
from membership.contributions.services.hearing.rows import get_row, move, open_grace, person_of
from membership.contributions.services.refunding import note_reversal
from membership.kernel.rhythm import Rhythm
from membership.mail import services as mail
from membership.newsroom.rules import whole_cups
from membership.patrons import services as patrons
from membership.patrons.rules import Cause, months_for_gift


def hear_payment(news: PaymentReceived) -> None:
    """Money arrived: cover, thank, and say so. Told once per payment.

    What was given for somebody else covers nobody here and welcomes nobody; the room of gifts hears of it next.
    """
    contribution = get_row(news.reference)
    person = person_of(contribution, news.paid_at)
    contribution.subscription_id = news.subscription_id or contribution.subscription_id
    is_first = State(contribution.state) in UNPAID
    accounts.note(
        person.id,
        "payment_received",
        news.paid_at,
        {"receipt": news.receipt_number, "minor": news.charged.minor, "currency": news.charged.currency},
    )
    is_own = contribution.purpose == "self"
    if is_own:
        _cover(contribution, person, news)
    if is_first:
        first_state = State.PAID if news.rhythm is Rhythm.ONCE else State.ACTIVE
        move(contribution, first_state, news.paid_at)
    if is_first and is_own:
        mail.send(
            "contributions/welcome",
            person.email,
            contribution.locale,
            {"contribution_id": contribution.id},
            once_key=f"welcome:{person.id}",
        )
    if is_first and news.rhythm is not Rhythm.ONCE:
        level = yearly_level(State.ACTIVE, contribution.charge, contribution.rhythm_word)
        patrons.move_to(person.id, contribution.reference, level, news.paid_at, milli_cups=contribution.milli_cups)
        trouble.note_second(contribution, person.id, news.paid_at)
    trouble.note_recovery(contribution, news)
    mail.send(
        "contributions/receipt",
        person.email,
        contribution.locale,
        {"contribution_id": contribution.id, "receipt": news.receipt_number},
        once_key=f"receipt:{news.payment_id}",
    )


def _cover(contribution: Contribution, person: Person, news: PaymentReceived) -> None:
    cause_ref = f"payment:{news.payment_id}"
    if news.period_start is not None and news.period_end is not None:
        patrons.grant_period(
            person.id,
            Cause.PAID,
            cause_ref,
            paid_at=news.paid_at,
            starts_at=news.period_start,
            ends_at=news.period_end,
        )
        return
    # What came counts, should it ever be less than what was promised.
    given = contribution.gift if news.charged == contribution.charge else news.charged
    n_cups = whole_cups(given, Rhythm.ONCE, contribution.cup) if given.currency == contribution.currency else 0
    n_months = months_for_gift(n_cups)
    if n_months:
        patrons.grant_months(person.id, Cause.PAID, cause_ref, paid_at=news.paid_at, n_months=n_months)


def hear_payment_reversed(news: PaymentReversed) -> None:
    """Money left again, or came back. A payment that is wholly returned covers nothing from then on; a part
    returned stays between the reader and the newsroom and changes no coverage.
    """
    contribution = get_row(news.reference)
    cause_ref = f"payment:{news.payment_id}"
    gone_at = find_wholly_returned_at(news.payment_id)
    patrons.restore(cause_ref)
    if gone_at is not None:  # not `news.at`: an earlier movement may be heard of last
        patrons.revoke(cause_ref, gone_at)
    if contribution.person_id is not None:
        details: dict[str, str | int] = {
            "minor": news.amount.minor,
            "currency": news.amount.currency,
            "reason": news.reason,
        }
        accounts.note(contribution.person_id, "payment_reversed", news.at, details)
    note_reversal(contribution, news)


def hear_payment_failed(news: PaymentFailed) -> None:
    """A charge failed: a renewal opens grace, counted from that moment; a one-time debit that bounced is over."""
    contribution = get_row(news.reference)
    if contribution.is_unpaid or contribution.person_id is None:
        if news.subscription_id is None or contribution.checkout_expires_at is None:
            trouble.note_first_debit_failed(contribution, news)
        return
    accounts.note(
        contribution.person_id,
        "payment_failed",
        news.failed_at,
        {"minor": news.amount.minor, "currency": news.amount.currency, "reason": news.reason},
    )
    if State(contribution.state) in LIVE:
        open_grace(contribution, news.failed_at, is_first=contribution.failed_at is None)
        trouble.note_failure(contribution, news)
