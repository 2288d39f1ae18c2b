"""A small mail of the tests' own, so that the outbox is tested without any other room."""

import pytest

from membership.mail import catalogue


@pytest.fixture
def note_mail() -> str:
    """A registered kind; its templates stand in templates/emails only where a test renders it."""

    def note(args, at):
        """A note, for tests only."""
        return {"note_id": args["note_id"]}

    catalogue.mail("tests/note", example={"note_id": 1})(note)
    yield "tests/note"
    catalogue._entries.pop("tests/note", None)
