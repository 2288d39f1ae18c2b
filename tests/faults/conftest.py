"""The app against the sandbox over HTTP, with the real SDK between them."""

import json

import pytest

from membership.accounts.models import Person
from membership.contributions.rules import Wish
from membership.contributions.services import start
from membership.contributions.services.starting import Visit
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.sandbox.app import create_sandbox
from tests.billing.conftest import post
from tests.conftest import make_settings

__all__ = ["Person"]


@pytest.fixture(scope="module")
def sandbox():
    """A sandbox of its own for the module; it delivers nothing by itself."""
    box = create_sandbox()
    box.start()
    yield box
    box.close()


@pytest.fixture
def settings(database_url, tmp_path, sandbox):
    return make_settings(
        database_url=database_url,
        queue_path=str(tmp_path / "queue.db"),
        stripe_api_base=sandbox.public_url,
        rate_limits=False,
    )


def begin(number: int, rhythm: Rhythm = Rhythm.MONTHLY, minor: int = 829) -> str:
    """A reader's wish for two cups with the fee covered; the address of the payment page."""
    wish = Wish(
        email=f"reader{number}@example.org",
        rhythm=rhythm,
        gift=Money(minor - 29, "EUR"),
        charge=Money(minor, "EUR"),
        cup=Money(400, "EUR"),
        public_name=None,
    )
    return start(wish, Visit(form_token=f"form-{number}", person_id=None, locale="en", attribution={"article": "a"}))


def deliver(client, event: dict) -> None:
    """One signed notice, as the provider sends it."""
    answer = post(client, json.dumps(event).encode())
    assert answer.status_code == 200, answer.get_data(as_text=True)
