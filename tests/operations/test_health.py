"""What machines ask: /healthz, /readyz and /metrics."""

from datetime import timedelta

import pytest
from alembic.migration import MigrationContext
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from membership.billing import inspections
from membership.billing.books import Finding
from membership.db import db
from membership.kernel import clock
from membership.mail.models import OutboxMail
from membership.web import heartbeat
from membership.web.schema import _scripts
from tests.conftest import make_settings


def stamp_head() -> None:
    """Say that the tables, made from the models, are those of the newest migration."""
    with db.engine.begin() as connection:
        MigrationContext.configure(connection).stamp(_scripts(), "heads")


def add_mail(**changes) -> None:
    now = clock.real_now()
    values = {"kind": "a/b", "to_address": "olena@example.org", "locale": "en", "args": {}, "created_at": now}
    db.session.add(OutboxMail(**(values | {"next_try_at": now} | changes)))
    db.session.commit()


def checks_of(answer) -> dict[str, tuple[bool, str]]:
    return {check["name"]: (check["ok"], check["says"]) for check in answer.json["checks"]}


def test_a_living_process_says_so_without_the_database(app, client):
    db.drop_all()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text, answer.headers["Cache-Control"]) == (200, "ok\n", "no-store")


def test_an_installation_whose_tables_are_up_to_date_is_ready(app, client):
    stamp_head()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json["ready"] is True
    assert list(checks_of(answer)) == ["database", "migrations", "inbox", "outbox", "books", "reconcile", "audit"]


def test_pending_migrations_are_told(app, client):
    if not _scripts().get_heads():
        stamp_head()
        return
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "pending" in checks_of(answer)["migrations"][1]


def test_a_database_ahead_of_this_program_is_told(app, client):
    with db.engine.begin() as connection:
        context = MigrationContext.configure(connection)
        context._ensure_version_table()
        connection.execute(context._version.insert().values(version_num="9999_from_the_future"))
    answer = client.get("/readyz")
    assert checks_of(answer)["migrations"] == (False, "The database is newer than this program.")


def inspect(kind: str, hours_ago: float, *findings: str) -> None:
    at = clock.now() - timedelta(hours=hours_ago)
    row_id = inspections.begin(kind, at, None)
    inspections.finish(row_id, at, {}, [Finding("differs", words) for words in findings])


@pytest.mark.parametrize(
    ("kind", "hours", "name"), [("books", 2, "books"), ("whole_books", 51, "books"), ("reconcile", 51, "reconcile")]
)
def test_a_look_at_the_books_that_is_too_old_is_told(app, client, kind, hours, name):
    stamp_head()
    inspect(kind, hours - 1.5)
    assert client.get("/readyz").status_code == 200
    db.session.execute(text("DELETE FROM inspections"))
    db.session.commit()
    inspect(kind, hours)
    answer = client.get("/readyz")
    assert answer.status_code == 200  # a newsroom is told; its readers read and vote all the same
    assert checks_of(answer)[name] == (False, f"The last {inspections.NAMES[kind]} is {hours} hours old.")


def test_what_a_look_at_the_books_found_is_told_with_its_first_sentence(app, client):
    stamp_head()
    inspect("reconcile", 1, "in_7 (invoices): a payment of 4.00 EUR is not booked.", "in_8: another.")
    words = "The last comparison with the payments found 2: in_7 (invoices): a payment of 4.00 EUR is not booked."
    assert checks_of(client.get("/readyz"))["reconcile"] == (False, words)
    inspect("reconcile", 0.5)
    assert checks_of(client.get("/readyz"))["reconcile"][0]


def test_a_night_that_never_came_to_its_end_is_told(app, client):
    stamp_head()
    inspections.move_bookmark("night reconcile", clock.now() - timedelta(hours=51))
    assert checks_of(client.get("/readyz"))["reconcile"] == (
        False,
        "No comparison with the payments has come to its end yet.",
    )


def test_mail_that_nobody_delivers_is_told(app, client):
    stamp_head()
    add_mail(next_try_at=clock.real_now() - timedelta(minutes=20))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert checks_of(answer)["outbox"] == (False, "The oldest mail that is due has waited for 20 minutes.")


BEARER = {"Authorization": "Bearer a-token-for-the-tests"}


@pytest.fixture
def settings(database_url, tmp_path):
    return make_settings(
        database_url=database_url, queue_path=str(tmp_path / "queue.db"), metrics_token="a-token-for-the-tests"
    )


def test_without_a_token_there_are_no_metrics_outside_the_demo(app, client, settings):
    app.extensions["membership.settings"] = settings.model_copy(update={"metrics_token": None})
    assert client.get("/metrics").status_code == 404
    app.extensions["membership.settings"] = settings.model_copy(update={"metrics_token": None, "demo": True})
    assert client.get("/metrics").status_code == 200


def read_metrics(client) -> dict[tuple, float]:
    answer = client.get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


def test_metrics_count_what_stands_in_the_database_and_what_this_process_did(app, client):
    add_mail()
    add_mail(state="sent", done_at=clock.now())
    heartbeat.beat("worker", clock.real_now() - timedelta(seconds=30))
    inspect("reconcile", 2, "in_7 differs.")
    client.get("/healthz")
    told = read_metrics(client)
    assert told["membership_inspection_findings", "reconcile"] == 1
    assert 7199 < told["membership_inspection_age_seconds", "reconcile"] < 7300
    assert told["membership_database_up",] == 1
    assert told["membership_outbox_mails", "waiting"] == 1
    assert told["membership_outbox_mails", "sent"] == 1
    assert told["membership_mail_flowing",] == 1
    assert 29 < told["membership_worker_silence_seconds",] < 60
    assert told["membership_http_requests_total", "/healthz", "200", "GET"] >= 1


def test_metrics_know_patterns_and_no_paths(app, client):
    client.get("/demo/mail/olena@example.org")
    client.get("/no/such/olena@example.org")
    client.open("/healthz", method="BREW")
    told = client.get("/metrics", headers=BEARER).text
    assert "olena" not in told
    assert "BREW" not in told


def test_metrics_of_a_database_without_tables_say_that_it_is_down(app, client):
    db.drop_all()
    assert read_metrics(client)["membership_database_up",] == 0


@pytest.mark.parametrize(("sent", "status"), [(None, 401), ("Bearer wrong", 401), ("Bearer opensesame", 200)])
def test_metrics_ask_for_the_token_where_one_is_set(app, client, sent, status):
    known = app.extensions["membership.settings"].model_dump() | {"metrics_token": "opensesame"}
    app.extensions["membership.settings"] = type(app.extensions["membership.settings"]).model_validate(known)
    headers = {"Authorization": sent} if sent else {}
    assert client.get("/metrics", headers=headers).status_code == status


def test_a_worker_that_fell_silent_is_not_alive(app):
    now = clock.real_now()
    assert not heartbeat.is_alive("worker", now)
    heartbeat.beat_worker(clock.now())
    assert heartbeat.is_alive("worker", now)
    assert not heartbeat.is_alive("worker", now + timedelta(minutes=4))


def test_a_beat_overwrites_the_last_one(app):
    for minute in (1, 2):
        heartbeat.beat("worker", clock.real_now() + timedelta(minutes=minute))
    assert db.session.query(heartbeat.Heartbeat).count() == 1
