"""Five thousand scripted tries with stolen cards, and one ordinary reader in the middle of them (stripe.md 1.7).

In a file of its own, since its sandbox lives an hour ahead of the others when it is over.
"""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from membership.contributions import jobs
from membership.contributions.models import Contribution, StanceChange
from membership.contributions.rules import State
from membership.db import db
from membership.kernel import clock
from membership.mail.models import OutboxMail
from membership.wiring import JOBS
from tests.factories.checkout import pay
from tests.faults.test_card_testing import Provider, Reader, n_pages, settings, visit

__all__ = ["settings"]
N_ATTEMPTS = 5_000


@pytest.mark.timeout(900)
def test_five_thousand_tries_open_few_pages_and_an_ordinary_reader_gets_through(app, client, sandbox):
    provider, reader, waited = Provider(sandbox, client), None, None
    with time_machine.travel(datetime.now(UTC), tick=True) as now:
        for n in range(N_ATTEMPTS):
            now.shift(timedelta(milliseconds=250))
            a_tester_tries(app, provider, n)
            if n == N_ATTEMPTS // 5:
                reader, asked_at = Reader(app), clock.real_now()
            if n % 240 == 0:
                jobs.guard(clock.now())
                if reader and waited is None and reader.opens_the_mail():
                    waited = clock.real_now() - asked_at
        provider.tells()
        JOBS["billing.drain"].function(clock.now())
        assert n_pages() <= 50
        now.shift(timedelta(hours=1, minutes=5))
        jobs.guard(clock.now())
        _, answer = visit(app, "192.0.2.77", "later@example.org")
        assert "/contribute/confirm" not in answer.location
    paid = db.session.scalars(select(Contribution.email).where(Contribution.state == State.PAID)).all()
    assert paid == ["olena@example.org"]
    assert waited is not None
    assert waited < timedelta(minutes=20)
    n_mails = db.session.scalar(select(func.count()).where(OutboxMail.kind == "contributions/confirm"))
    assert n_mails <= 300 + 20 * 22
    stances = list(db.session.scalars(select(StanceChange.stance).order_by(StanceChange.id)))
    assert stances[0] in {"careful", "closed"}
    assert stances[-1] == "normal"


def a_tester_tries(app, provider, n):
    """One attempt out of 420 networks and 40 mail domains; whoever gets a page tries four stolen cards there."""
    _, answer = visit(app, f"10.{n % 60}.{n % 7}.{n % 5 + 1}", f"t{n}@mail{n % 40}.example")
    if answer.status_code == 303 and "/contribute/confirm" not in answer.location:
        for _ in range(4):
            pay(answer.location, "4000 0000 0000 0002", email=f"t{n}@example.org")
        provider.tells()
