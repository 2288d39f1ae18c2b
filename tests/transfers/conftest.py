"""A newsroom with a bank account, PayPal, crypto and cash."""

from datetime import date

import pytest

from membership.contributions.services.declaring import Gift
from membership.db import db
from membership.kernel import clock
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.transfers import queries, services
from tests.conftest import make_settings
from tests.factories.people import make_staff

BANK = {"bank_iban": "DE89370400440532013000", "bank_holder": "The Harbour Post", "bank_name": "Harbour Bank"}
WAYS = BANK | {
    "paypal_link": "https://paypal.me/harbourpost",
    "crypto_addresses": {"Bitcoin": "bc1qharbourpost7x0example"},
    "cash_words": "An envelope through our letter box, 1 Quay Street.",
}


@pytest.fixture
def changes():
    """Settings that a test wishes otherwise."""
    return {}


@pytest.fixture
def settings(database_url, tmp_path, changes):
    return make_settings(
        database_url=database_url,
        queue_path=str(tmp_path / "queue.db"),
        keys_path=str(tmp_path / "keys"),
        **(WAYS | changes),
    )


@pytest.fixture
def finance(app):
    return make_staff("finance@example.org", "finance", "Petro Finance")


def gift(amount=400, currency="EUR", email="olena@example.org", way="bank", person_id=None, name=None, cup=400):
    return Gift(way, Money(amount, currency), Money(cup, currency), email, name, "en", person_id)


def announce(token="form-1", **changes):
    """The announcement of a gift, as `queries.Announced`."""
    reference = services.announce(gift(**changes), Rhythm.ONCE, token, clock.now())
    return queries.get_announced(reference)


def today():
    return clock.now().date()


def days_ago(n):
    return date.fromordinal(today().toordinal() - n).isoformat()


def fresh():
    """Let the test read what the database says now."""
    db.session.rollback()
    db.session.expire_all()
