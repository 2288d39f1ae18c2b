"""The page about the installation: what the worker found, with its moment, and nothing asked of anybody outside."""

import re
from datetime import timedelta

import pytest

from membership.billing import inspections
from membership.billing.books import Finding as BooksFinding
from membership.db import db
from membership.kernel import clock
from membership.kernel.said import packed, said
from membership.mail.models import OutboxMail
from membership.operations import jobs
from membership.operations.examining import outside
from membership.operations.examining.finding import fine, note, problem
from membership.operations.models import Examination
from membership.operations.services import examining
from membership.web import heartbeat
from tests.conftest import make_settings
from tests.factories.people import make_staff, sign_in
from tests.factories.smtp import MailServer, free_port, running
from tests.operations.test_health import stamp_head


@pytest.fixture
def viewer(app):
    browser = app.test_client()
    make_staff("viewer@example.org", "viewer")
    sign_in(browser, "viewer@example.org")
    return browser


def page_of(browser, language="en") -> str:
    return browser.get("/staff/health", headers={"Accept-Language": language}).get_data(as_text=True)


def keep(*findings, at=None) -> None:
    since = (at or clock.real_now()).isoformat()
    kept = [
        {"code": each.code, "weight": each.weight.value, "since": since}
        | {name: packed(getattr(each, name)) for name in ("what", "why", "mend")}
        for each in findings
    ]
    db.session.add(Examination(examined_at=at or clock.real_now(), took_ms=1, findings=kept))
    db.session.commit()


def test_what_was_found_is_said_with_why_it_matters_and_how_to_mend_it(app, viewer):
    heartbeat.beat("worker", clock.real_now())
    keep(
        fine("database", said("The database answers.")),
        note("mails_dead", said("Mails that were given up: %(n)s.", n=3), said("Somebody did not get a mail."), "See."),
        problem("webhook_missing", "Stripe has no endpoint.", said("Nobody can pay."), said("Unset RATE_LIMITS.")),
    )
    page = page_of(viewer)
    for words in ("Stripe has no endpoint.", "Nobody can pay.", "Unset RATE_LIMITS.", "Mails that were given up: 3."):
        assert words in page
    assert page.index("Stripe has no endpoint.") < page.index("Mails that were given up"), "what is wrong comes first"
    assert "1 thing is in order" in page
    assert "No worker is running" not in page


def test_a_worker_that_is_gone_is_said_aloud_since_nobody_examines_any_more(app, viewer):
    assert "None has ever run." in page_of(viewer)
    heartbeat.beat("worker", clock.real_now() - timedelta(minutes=10))
    keep(fine("worker", said("A worker is running.")), at=clock.real_now() - timedelta(minutes=10))
    assert "No worker is running" in page_of(viewer)


def test_an_examination_that_is_too_old_is_called_so(app, viewer):
    heartbeat.beat("worker", clock.real_now())
    assert "Nothing was examined yet" in page_of(viewer)
    keep(fine("database", said("The database answers.")), at=clock.real_now() - timedelta(minutes=21))
    assert "too old to say how things are now" in page_of(viewer)
    keep(fine("database", said("The database answers.")))
    assert "too old" not in page_of(viewer)
    assert "Nothing is wrong" in page_of(viewer)


def test_what_the_inspections_found_stands_there(app, viewer):
    row_id = inspections.begin("reconcile", clock.now(), None)
    words = "in_7 (invoices): a payment of 4.00 EUR is not booked."
    inspections.finish(row_id, clock.now(), {}, [BooksFinding("differs", words)])
    page = page_of(viewer)
    assert words in page
    assert "1 thing differs" in page


def test_the_backlog_is_counted_at_the_moment(app, viewer):
    now = clock.now()
    same = {"kind": "a/b", "to_address": "a@b.org", "locale": "en", "args": {}, "created_at": now, "next_try_at": now}
    db.session.add_all([OutboxMail(state="dead", done_at=now, **same) for _ in range(4)])
    db.session.commit()
    assert re.search(r"shown=dead\">4<", page_of(viewer))


class Silent:
    """A provider that must not be asked."""

    def __getattr__(self, name):
        raise AssertionError(f"Somebody asked the provider: {name}.")


def test_the_page_asks_nobody_outside(app, viewer):
    app.extensions["membership.provider"] = Silent()
    nowhere = f"smtp://127.0.0.1:{free_port()}"
    known = app.extensions["membership.settings"].model_copy(update={"smtp_url": nowhere})
    app.extensions["membership.settings"] = known
    assert viewer.get("/staff/health").status_code == 200
    assert viewer.get("/staff").status_code == 200


# The worker -----------------------------------------------------------------------------------------------


@pytest.fixture
def settings(database_url, tmp_path):
    with running(MailServer()) as url:
        yield make_settings(
            database_url=database_url,
            queue_path=str(tmp_path / "queue.db"),
            keys_path=str(tmp_path / "keys"),
            stripe_api_base=f"http://127.0.0.1:{free_port()}",
            smtp_url=url,
        )


def last() -> Examination:
    return db.session.query(Examination).order_by(Examination.id.desc()).first()


def test_the_worker_keeps_what_the_doctor_finds(app):
    stamp_head()
    jobs.examine(clock.now())
    kept = {finding["code"]: finding["weight"] for finding in last().findings}
    told = {finding.code for finding in outside.examine(app.extensions["membership.settings"])}
    assert told <= set(kept)
    # The worker examines, so it is alive, also in the first minute of an installation.
    assert (kept["database"], kept["worker"], kept["mail_server"]) == ("fine", "fine", "fine")
    assert "problem" in {weight for code, weight in kept.items() if code.startswith("provider")}, "Stripe is away"


def test_it_remembers_since_when_something_is_wrong_and_forgets_what_is_old(app, monkeypatch):
    found = [problem("mail_flow", said("It failed %(n)s times.", n=1), "x", "y")]
    monkeypatch.setattr(examining.outside, "examine", lambda _known: list(found))
    known, begin = app.extensions["membership.settings"], clock.real_now()

    def since(code="mail_flow"):
        return next(finding["since"] for finding in last().findings if finding["code"] == code)

    examining.examine(known, begin)
    found[0] = problem("mail_flow", said("It failed %(n)s times.", n=2), "x", "y")
    examining.examine(known, begin + timedelta(minutes=5))
    assert since() == begin.isoformat(), "the same trouble with another number"
    found[0] = fine("mail_flow", "Mail leaves.")
    examining.examine(known, begin + timedelta(minutes=10))
    found[0] = problem("mail_flow", "Again.", "x", "y")
    examining.examine(known, begin + timedelta(minutes=15))
    assert since() == (begin + timedelta(minutes=15)).isoformat(), "it was well in between"
    examining.examine(known, begin + timedelta(days=2))
    assert db.session.query(Examination).count() == 1
