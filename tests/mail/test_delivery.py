"""How mails leave: through real SMTP servers that accept, refuse, are down, hang or break off."""

import asyncio
import re
import socket
from datetime import timedelta
from email import policy
from email.parser import BytesParser

import pytest
import time_machine

from membership.db import db
from membership.kernel import clock
from membership.mail import jobs, queries, services, smtp
from membership.mail.models import OutboxMail
from membership.mail.rules import Failure
from tests.factories.smtp import MailServer, running, use_server


def post(kind, to="olena@example.org", locale="en") -> int:
    return services.send(kind, to, locale, {"note_id": 1})


def row(outbox_id) -> OutboxMail:
    db.session.rollback()
    return db.session.get(OutboxMail, outbox_id, populate_existing=True)


def read(envelope):
    return BytesParser(policy=policy.default).parsebytes(envelope.content)


def later(**span):
    return time_machine.travel(clock.real_now() + timedelta(**span))


async def hang_up(server):
    server.transport.abort()
    await asyncio.sleep(0)
    return "421 gone"


def test_a_mail_arrives_as_text_and_html_with_honest_headers(app, note_mail, server):
    outbox_id = post(note_mail)
    jobs.deliver(clock.now(), outbox_id)
    message = read(server.taken[0])
    assert message["From"] == "The Harbour Post <support@example.org>"
    assert message["To"] == "olena@example.org"
    assert message["Subject"] == "A note"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].startswith(f"<mail.{outbox_id}.")
    assert message["Message-ID"].endswith("@localhost>")
    assert abs((message["Date"].datetime - clock.real_now()).total_seconds()) < 60
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert "Front page & Thank you." in message.get_body(("plain",)).get_content()
    assert "<p" in message.get_body(("html",)).get_content()
    assert (row(outbox_id).state, row(outbox_id).message_id) == ("sent", message["Message-ID"])
    assert server.taken[0].mail_from == "support@example.org"


def test_it_is_written_when_it_leaves_and_not_sent_if_no_longer_wanted(app, note, note_mail, server):
    outbox_id = post(note_mail)
    note["context"] = None
    jobs.deliver(clock.now(), outbox_id)
    assert row(outbox_id).state == "dropped"
    assert server.taken == []


def test_a_mail_is_not_delivered_twice(app, note_mail, server):
    outbox_id = post(note_mail)
    for _ in range(3):
        jobs.deliver(clock.now(), outbox_id)
        jobs.sweep(clock.now())
    assert len(server.taken) == 1


def test_a_server_that_is_down_is_waited_for_and_nothing_is_lost(app, note_mail, no_server):
    ids = [post(note_mail) for _ in range(3)]
    jobs.sweep(clock.now())
    assert [row(each).attempts for each in ids] == [1, 0, 0]  # the first one showed that there is no server
    assert row(ids[0]).last_error == "The mail server cannot be reached (Connection refused)."
    assert not queries.is_mail_flowing(clock.real_now())
    good = MailServer()
    with running(good) as url, later(minutes=6):
        use_server(app, url)
        jobs.sweep(clock.now())
        assert [row(each).state for each in ids] == ["sent"] * 3
        assert queries.is_mail_flowing(clock.real_now())


def test_while_the_server_rests_hints_do_not_hold_up_the_worker(app, note_mail, no_server):
    first, second = post(note_mail), post(note_mail)
    jobs.deliver(clock.now(), first)
    jobs.deliver(clock.now(), second)
    assert (row(first).attempts, row(second).attempts) == (1, 0)


def test_a_server_that_is_down_for_weeks_costs_no_mail(app, note_mail, no_server):
    outbox_id = post(note_mail)
    db.session.execute(db.update(OutboxMail).values(attempts=10_000))
    db.session.commit()
    jobs.deliver(clock.now(), outbox_id)
    assert row(outbox_id).state == "waiting"


def test_a_recipient_refused_for_good_is_given_up_with_the_reason_and_without_the_address(app, note_mail, server):
    server.answers["RCPT"] = "550 5.1.1 <olena@example.org> does not live here"
    outbox_id = post(note_mail)
    jobs.deliver(clock.now(), outbox_id)
    assert row(outbox_id).state == "dead"
    assert row(outbox_id).last_error == "The mail server refused the recipient (550 5.1.1)."
    assert queries.is_mail_flowing(clock.real_now())


def test_a_greylisted_mail_is_tried_again_and_then_arrives(app, note_mail, server):
    server.answers["RCPT"] = "451 4.7.1 come back later"
    outbox_id = post(note_mail)
    jobs.deliver(clock.now(), outbox_id)
    assert (row(outbox_id).state, row(outbox_id).failure) == ("waiting", "temporary")
    server.answers.clear()
    jobs.sweep(clock.now())
    assert server.taken == []
    with later(seconds=61):
        jobs.sweep(clock.now())
    assert row(outbox_id).state == "sent"
    assert row(outbox_id).last_error is None


def test_a_text_refused_for_good_is_given_up(app, note_mail, server):
    server.answers["DATA"] = "554 5.7.1 looks like spam"
    outbox_id = post(note_mail)
    jobs.deliver(clock.now(), outbox_id)
    assert (row(outbox_id).state, row(outbox_id).last_error) == (
        "dead",
        "The mail server refused the text (554 5.7.1).",
    )


def test_a_refused_sender_is_our_fault_and_the_mail_waits(app, note_mail, server):
    server.answers["MAIL"] = "553 5.7.1 not your domain"
    outbox_id = post(note_mail)
    jobs.deliver(clock.now(), outbox_id)
    assert (row(outbox_id).state, row(outbox_id).failure) == ("waiting", "server")


def test_a_conversation_that_breaks_off_before_the_text_is_tried_again(app, note_mail, server):
    server.answers["RCPT"] = hang_up
    outbox_id = post(note_mail)
    jobs.deliver(clock.now(), outbox_id)
    assert (row(outbox_id).state, row(outbox_id).failure) == ("waiting", "temporary")


def test_a_server_that_takes_the_text_and_never_answers_gets_it_twice_at_most(app, note_mail, server):
    server.answers["DATA"] = hang_up
    outbox_id = post(note_mail)
    jobs.deliver(clock.now(), outbox_id)
    assert (row(outbox_id).state, row(outbox_id).failure) == ("waiting", "unanswered")
    with later(minutes=31):
        jobs.sweep(clock.now())
    assert (row(outbox_id).state, row(outbox_id).attempts) == ("dead", 2)
    assert "may have arrived" in row(outbox_id).last_error


def test_a_server_that_hangs_is_left_after_its_time(app):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"smtp://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(smtp.HandOverFailed) as caught, smtp.connected(url, own_name="x.org", step_seconds=0.2):
            pass
    assert caught.value.failure is Failure.SERVER
    assert caught.value.reason == "The mail server did not answer in time."


def test_a_broken_mail_does_not_stop_the_others(app, note, note_mail, server):
    broken, unknown, good = post(note_mail), post(note_mail), post(note_mail)
    db.session.execute(db.update(OutboxMail).where(OutboxMail.id == unknown).values(kind="gone/away"))
    db.session.commit()
    note["context"] = ZeroDivisionError("olena@example.org")
    jobs.deliver(clock.now(), broken)
    note["context"] = {"subject_line": "A note", "words": "Thank you."}
    jobs.sweep(clock.now())
    assert row(broken).last_error == "ZeroDivisionError while the mail was written."
    assert (row(unknown).state, row(unknown).failure) == ("waiting", "rendering")
    assert row(good).state == "sent"


@pytest.mark.parametrize("subject", ["Hello\r\nBcc: thief@example.org", "Hello\n\nBcc: x", "Hello\x00\x0bthere"])
def test_a_subject_stays_one_line(app, note, note_mail, server, subject):
    note["context"] = {"subject_line": subject, "words": ""}
    jobs.deliver(clock.now(), post(note_mail))
    message = read(server.taken[0])
    assert message["Bcc"] is None
    assert message["Subject"].startswith("Hello")
    assert server.taken[0].rcpt_tos == ["olena@example.org"]


@pytest.mark.parametrize("to", ["a@b.org\r\nBcc: x@y.org", "a@b.org, x@y.org", "a@b.org> RCPT TO:<x@y.org", "nobody"])
def test_an_address_cannot_bring_another_one_with_it(app, note_mail, server, to):
    outbox_id = post(note_mail, to=to)
    jobs.deliver(clock.now(), outbox_id)
    assert server.taken == []
    assert row(outbox_id).failure == "rendering"


def test_words_of_readers_are_text_in_both_parts(app, note, note_mail, server):
    note["context"] = {"subject_line": "Hi", "words": "<script>alert(1)</script>{{ 7*7 }}\n.\nQUIT"}
    jobs.deliver(clock.now(), post(note_mail))
    message = read(server.taken[0])
    assert "<script>" not in message.get_body(("html",)).get_content()
    text = message.get_body(("plain",)).get_content()
    assert text.removeprefix("Front page & ").splitlines()[:3] == ["<script>alert(1)</script>{{ 7*7 }}", ".", "QUIT"]


def test_a_newsroom_with_letters_beyond_ascii_is_named_right(app, note_mail, server):
    known = app.extensions["membership.settings"]
    changed = known.model_copy(update={"mail_from": "Портовий вісник <support@example.org>"})
    app.extensions["membership.settings"] = changed
    jobs.deliver(clock.now(), post(note_mail, locale="uk"))
    message = read(server.taken[0])
    assert message["From"] == "Портовий вісник <support@example.org>"
    assert message["Content-Language"] == "uk"
    assert 'lang="uk"' in message.get_body(("html",)).get_content()
    assert server.taken[0].content.isascii()


def test_the_html_carries_its_styles_and_follows_the_dark(app, note_mail, server):
    jobs.deliver(clock.now(), post(note_mail))
    html = read(server.taken[0]).get_body(("html",)).get_content()
    assert "var(--" not in html
    assert "@media (prefers-color-scheme: dark)" in html
    button = re.search(r'<a [^>]*class="button"[^>]*>', html).group()
    assert 'href="http://localhost/healthz"' in button
    assert "background-color: #" in button
    assert "http" not in html.replace("http://localhost", "")


def test_a_mail_to_nowhere_anymore_is_dropped(app, note_mail, server):
    outbox_id = post(note_mail)
    db.session.execute(db.update(OutboxMail).values(to_address=None))
    db.session.commit()
    jobs.deliver(clock.now(), outbox_id)
    assert row(outbox_id).state == "dropped"
