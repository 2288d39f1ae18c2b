"""The whole way through a real SMTP conversation: ask, receive, press or type."""

import re
from email import policy
from email.parser import BytesParser

import pytest
from sqlalchemy import select

from membership.db import db
from membership.kernel import clock
from membership.mail import jobs
from membership.mail.models import OutboxMail
from tests.factories.people import ask, make_person, press_button, type_code
from tests.factories.smtp import MailServer, running, use_server


@pytest.fixture
def server(app):
    handler = MailServer()
    with running(handler) as url:
        use_server(app, url)
        yield handler


def delivered(server):
    jobs.deliver(clock.now(), db.session.scalar(select(OutboxMail.id).order_by(OutboxMail.id.desc()).limit(1)))
    mail = BytesParser(policy=policy.default).parsebytes(server.taken[-1].content)
    return mail["Subject"], mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize("by", ["link", "code"])
@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_reader_signs_in_by_what_stands_in_the_mail(app, client, server, by, language):
    make_person()
    client.get(f"/lang/{language}")
    ask(client)
    subject, text = delivered(server)
    token = re.search(r"http://localhost/signin/link/(\S+)", text)[1]
    code = re.search(r"\b\d{4} \d{4}\b", text)[0]
    assert code not in subject
    answer = press_button(client, token) if by == "link" else type_code(client, code)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert client.get("/account").status_code == 200


def test_nobody_with_this_address_gets_a_mail_without_secrets(app, client, server):
    ask(client, "nobody@example.org")
    _, text = delivered(server)
    assert "/signin/link/" not in text
    assert "http://localhost/contribute" in text
    assert not re.search(r"\b\d{4} \d{4}\b", text)
