"""A worker in short, for the tests that kill it: sends one mail into the outbox, delivers what is due, or tells
a crowd.
"""

import sys

from jinja2 import ChoiceLoader, DictLoader

from membership.app import create_app
from membership.kernel import clock
from membership.mail import catalogue, jobs, services
from tests.factories.crowd import CROWDS

PARTS = {
    "emails/tests/note/subject.txt": "A note",
    "emails/tests/note/body.txt": "Thank you.",
    "emails/tests/note/body.html": '{% extends "emails/layout.html" %}{% block main %}<p>Thank you.</p>{% endblock %}',
}

app = create_app()
app.jinja_loader = ChoiceLoader([app.jinja_loader, DictLoader(PARTS)])
catalogue.mail("tests/note", example={"x": 1})(lambda _args, _at: {})
app.extensions["membership.audiences"] = CROWDS
services.PEOPLE_AT_A_TIME = 4
with app.app_context():
    if sys.argv[1] == "send":
        services.send("tests/note", "olena@example.org", "en", {"note_id": 1}, once_key="note:1")
    elif sys.argv[1] == "deliver":
        jobs.sweep(clock.now())
    else:
        services.broadcast("tests.two", "tests/note", {"note_id": 1}, "news:1")
        jobs.spread(clock.now())
