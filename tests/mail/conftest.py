"""A small mail of the tests' own, and real SMTP servers on loopback that behave as a test wants them to."""

from collections.abc import Iterator

import pytest
from jinja2 import ChoiceLoader, DictLoader

from membership.mail import catalogue
from tests.factories.smtp import MailServer, free_port, running, use_server

NOTE = {
    "emails/tests/note/subject.txt": "{{ subject_line }}",
    "emails/tests/note/body.txt": (
        '{% extends "emails/layout.txt" %}{% block main %}{{ _("Front page") }} & {{ words }}{% endblock %}'
    ),
    "emails/tests/note/body.html": (
        '{% extends "emails/layout.html" %}{% from "emails/parts.html" import button %}'
        '{% block main %}<p>{{ words }}</p>{{ button(link_to("operations.healthz"), "Open") }}{% endblock %}'
    ),
}


@pytest.fixture
def note() -> dict:
    """What the test's mail says; a test may change it, also to None (no longer wanted) or an exception."""
    return {"context": {"subject_line": "A note", "words": "Thank you."}}


@pytest.fixture
def note_mail(app, note) -> Iterator[str]:
    """A kind of mail that only tests have, with its templates."""

    def build(args, at):
        """A note, for tests only."""
        if isinstance(note["context"], Exception):
            raise note["context"]
        return note["context"]

    catalogue.mail("tests/note", example={"subject_line": "A note", "words": "Thank you."})(build)
    app.jinja_loader = ChoiceLoader([app.jinja_loader, DictLoader(NOTE)])
    yield "tests/note"
    catalogue._entries.pop("tests/note", None)


@pytest.fixture
def server(app) -> Iterator[MailServer]:
    """A mail server that accepts everything, already set for the app."""
    handler = MailServer()
    with running(handler) as url:
        use_server(app, url)
        yield handler


@pytest.fixture
def no_server(app) -> None:
    """The app's mail server is down: connections are refused."""
    use_server(app, f"smtp://127.0.0.1:{free_port()}")
