"""Our endpoint was dark for four days, and the sandbox forgot some of its events altogether (F12, W12, W13).

Meanwhile people's support was renewed, failed, was refunded, disputed, changed and ended there. After sweep and
reconcile our books are its books to the cent, and everybody is covered exactly for what they paid.
"""

from collections import defaultdict
from datetime import UTC, datetime

import pytest
import requests
from sqlalchemy import func, select

from membership.billing import books, inspections, jobs, reconcile
from membership.billing.models import Payment, PaymentReversal
from membership.contributions.models import Contribution
from membership.db import db
from membership.kernel import clock
from membership.kernel.rhythm import Rhythm
from membership.patrons.queries import spans_of
from tests.faults.dark import AUTH, Story, box, settings, story

KEPT = {"won", "prevented", "warning_closed"}
__all__ = ["box", "settings", "story"]


def live_through_dark_days(story: Story, share: float, n_readers: int, seed: int) -> None:
    """A month with our endpoint up, then four days in the dark, in which everything happens."""
    story.pay(n_readers, Rhythm.MONTHLY)
    story.pay(3, Rhythm.ONCE)
    story.pay(1, Rhythm.YEARLY)
    story.hear()
    assert books.check(clock.now()) == []
    story.control("advance", days=27)
    for sub in story.subscriptions()[:2]:
        story.control("fail_next", customer=sub["customer"])
    story.hear()
    story.go_dark()
    story.control("faults", deliveries={"seed": seed, "forget": share})
    for _ in range(4):
        story.control("advance", days=1)
    mess_about(story)
    story.pay(1, Rhythm.MONTHLY)
    story.pay(1, Rhythm.ONCE)


def mess_about(story: Story) -> None:
    """What staff and banks do at the provider, without a word to us."""
    paid = [row for row in story.books()["payments"] if row["charge"] and row["metadata"].get("reference")]
    renewals = [row for row in paid if row.get("billing_reason") == "subscription_cycle"]
    once = [row for row in paid if row["kind"] == "payment_intent"]
    assert len(renewals) >= 5
    story.control("refund", charge=renewals[0]["charge"])
    story.control("refund", charge=renewals[1]["charge"], amount=100)
    story.control("refund", charge=once[0]["charge"])
    for row, outcome in ((renewals[2], "lost"), (renewals[3], "won"), (once[1], None)):
        dispute = story.control("dispute", charge=row["charge"])
        if outcome:
            story.control("decide", dispute=dispute["id"], outcome=outcome)
    running = [sub["id"] for sub in story.subscriptions() if sub["status"] == "active" and sub["interval"] == "month"]
    story.control("cancel_subscription", subscription=running[0])
    story.control("cancel_subscription", subscription=running[1], at_period_end=True)
    story.control("edit_subscription", subscription=running[2], amount=1234)
    story.control("edit_subscription", subscription=running[3], pause_collection="void")


def expected_coverage(story: Story) -> dict[str, list[tuple[datetime, datetime]]]:
    """Worked out from the sandbox's books alone: the service period of every paid invoice, up to the moment in which
    all of its money went back.
    """
    statement = story.books()
    gone = {each["charge"]: each["created"] for each in statement["disputes"] if each["status"] not in KEPT}
    gone |= {each["charge"]: each["created"] for each in statement["refunds"]}
    found = defaultdict(list)
    for row in statement["payments"]:
        if row["kind"] != "invoice" or not row["amount"]:
            continue
        start, end = row["period"]["start"], row["period"]["end"]
        is_part = 0 < row["amount_refunded"] < row["amount"]
        end = end if is_part else min(end, gone.get(row["charge"], end))
        if start < end:
            found[row["metadata"]["reference"]].append((moment(start), moment(end)))
    return {reference: sorted(periods) for reference, periods in found.items()}


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def kept_coverage() -> dict[str, list[tuple[datetime, datetime]]]:
    """When our recurring supporters are and were covered."""
    found = {}
    query = select(Contribution).where(Contribution.rhythm != Rhythm.ONCE.value, Contribution.person_id.is_not(None))
    for row in db.session.scalars(query).all():
        found[row.reference] = sorted((span.starts_at, span.ends_at) for span in spans_of(row.person_id))
    return found


STATES = {"active": "active", "past_due": "past_due", "canceled": "ended"}


def expected_states(story: Story) -> dict[str, str]:
    found = {}
    listed = requests.get(f"{story.box.public_url}/v1/subscriptions?status=all&limit=100", auth=AUTH, timeout=20)
    for sub in listed.json()["data"]:
        state = STATES[sub["status"]]
        if state == "active" and sub["cancel_at_period_end"]:
            state = "cancelling"
        if state == "active" and sub["pause_collection"]:
            state = "paused"
        found[sub["metadata"]["reference"]] = state
    return found


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("share", "n_readers"), [(0.01, 40), (0.2, 12), (0.7, 12)])
def test_after_four_dark_days_and_forgotten_events_the_books_are_the_sandbox_s_to_the_cent(story, share, n_readers):
    live_through_dark_days(story, share, n_readers, seed=7)
    assert story.n_forgotten() >= 1
    jobs.sweep(clock.now())
    story.work_off()
    if share > 0.5:  # one thing often causes several events, and any of them is enough
        assert books.check(clock.now()) != []
    done = reconcile.go_on(reconcile.begin(clock.now(), clock.now() - reconcile.REACH))
    story.work_off()
    assert done.findings == ()
    assert books.check(clock.now()) == []
    if share > 0.5:
        assert len(done.repairs) >= 3
    totals = story.books()["totals"]["eur"]
    income = -sum(row.charged_minor for row in db.session.scalars(select(Payment)))
    back = db.session.scalar(select(func.sum(PaymentReversal.amount_minor)))
    assert (-income, back) == (totals["charges"], totals["refunds"] + totals["disputes"])
    assert kept_coverage() == expected_coverage(story)
    query = select(Contribution.reference, Contribution.state).where(Contribution.rhythm != Rhythm.ONCE.value)
    assert dict(db.session.execute(query).all()) == expected_states(story)
    again = reconcile.go_on(reconcile.begin(clock.now(), clock.now() - reconcile.REACH))
    assert (again.repairs, again.findings) == ((), ())
    assert inspections.find_last(inspections.RECONCILE).n_findings == 0
