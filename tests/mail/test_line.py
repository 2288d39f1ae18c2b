"""One conversation with the mail server for many mails, with the verdicts of a fresh one for each."""

import pytest

from membership.db import db
from membership.kernel import clock
from membership.mail import jobs, services, smtp
from membership.mail.models import OutboxMail
from tests.factories.smtp import MailServer, running, use_server


class Counting(MailServer):
    """Counts conversations, and ends or refuses them as a test wants."""

    def __init__(self):
        super().__init__()
        self.greeted = []

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802 - aiosmtpd's name
        self.greeted.append(hostname)
        session.host_name = hostname
        return responses


@pytest.fixture
def counting(app):
    handler = Counting()
    with running(handler) as url:
        use_server(app, url)
        yield handler


def post(kind, n) -> None:
    for number in range(n):
        services.send(kind, f"r{number}@example.org", "en", {"note_id": number})


def states() -> list[str]:
    db.session.rollback()
    return [row.state for row in db.session.query(OutboxMail).order_by(OutboxMail.id)]


def taken_by(server) -> list[str]:
    return [envelope.rcpt_tos[0] for envelope in server.taken]


def test_many_mails_share_a_conversation(app, note_mail, counting):
    post(note_mail, 7)
    jobs.sweep(clock.now())
    assert taken_by(counting) == [f"r{number}@example.org" for number in range(7)]
    assert counting.greeted == ["example.org"]


def test_a_conversation_ends_after_a_while(app, note_mail, counting, monkeypatch):
    monkeypatch.setattr(smtp, "MAILS_PER_CONVERSATION", 3)
    post(note_mail, 7)
    jobs.sweep(clock.now())
    assert states() == ["sent"] * 7
    assert len(counting.greeted) == 3


def after(n, answer):
    """Gives `answer` from the n-th mail of a conversation on, whatever the conversation."""

    async def reply(server):
        seen = getattr(server, "seen", 0)
        server.seen = seen + 1
        return answer if seen >= n else None

    return reply


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", ["421 4.7.0 too many mails", "452 4.5.3 too many mails", "554 5.7.0 enough"])
def test_a_server_that_is_tired_of_a_conversation_gets_a_new_one(app, note_mail, counting, step, answer):
    counting.answers[step] = after(2, answer)
    post(note_mail, 5)
    jobs.sweep(clock.now())
    assert states() == ["sent"] * 5
    assert sorted(taken_by(counting)) == [f"r{number}@example.org" for number in range(5)]


def test_a_server_that_hung_up_meanwhile_gets_a_new_conversation(app, note_mail, counting):
    async def hang_up_at_third(server):
        server.seen = getattr(server, "seen", 0) + 1
        if server.seen == 3:
            server.transport.abort()
            return "421 gone"
        return None

    counting.answers["MAIL"] = hang_up_at_third
    post(note_mail, 4)
    jobs.sweep(clock.now())
    assert states() == ["sent"] * 4
    assert len(counting.greeted) == 2


def test_one_dead_address_spoils_nothing_for_the_next(app, note_mail, counting):
    post(note_mail, 1)
    services.send(note_mail, "gone@example.org", "en", {"note_id": 9})
    post(note_mail, 1)
    real = counting.handle_RCPT

    async def handle_rcpt(server, session, envelope, address, options):
        if address.startswith("gone@"):
            return "550 5.1.1 unknown"
        return await real(server, session, envelope, address, options)

    counting.handle_RCPT = handle_rcpt
    jobs.sweep(clock.now())
    assert states() == ["sent", "dead", "sent"]


def test_silence_after_the_text_is_never_tried_again_at_once(app, note_mail, counting):
    async def hang_up_at_second(server):
        server.seen = getattr(server, "seen", 0) + 1
        if server.seen == 2:
            server.transport.abort()
            return "421 gone"
        return None

    counting.answers["DATA"] = hang_up_at_second
    post(note_mail, 3)
    jobs.sweep(clock.now())
    assert states() == ["sent", "waiting", "waiting"]
    assert len(counting.greeted) == 1
