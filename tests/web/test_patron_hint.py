"""A browser says that its reader is a patron only where they asked for it, and nothing else about them."""

import pytest

from membership.config import SettingsRefused
from membership.db import transaction
from membership.kernel import clock
from membership.patrons.rules import Cause
from membership.patrons.services import grant_months
from tests.conftest import make_settings
from tests.factories.people import any_token, make_person, sign_in


@pytest.fixture
def offers(app):
    """This newsroom offers it to its patrons."""
    known = app.extensions["membership.settings"]
    app.extensions["membership.settings"] = known.model_copy(update={"patron_hint_domain": "localhost"})
    return app


def hint_of(answer) -> str | None:
    return next((line for line in answer.headers.getlist("Set-Cookie") if line.startswith("reader_patron=")), None)


def test_a_patron_tells_the_site_and_takes_it_back_on_their_account_page(offers, client):
    patron = make_person("olena@example.org")
    give(patron)
    sign_in(client, "olena@example.org")
    assert "Do not ask me again in this browser" in client.get("/account").text
    told = client.post("/patron-hint?to=/account", data={"csrf_token": any_token(client)})
    assert (told.status_code, told.location) == (303, "/account")
    assert hint_of(told).startswith("reader_patron=1; Domain=localhost;")
    assert "HttpOnly" not in hint_of(told)
    assert patron.public_id not in hint_of(told)
    client.set_cookie("reader_patron", "1")
    assert "Let it not know any more" in client.get("/account").text
    gone = client.post("/patron-hint/forget?to=/account", data={"csrf_token": any_token(client)})
    assert "reader_patron=;" in hint_of(gone)
    assert "Max-Age=0" in hint_of(gone)


def test_whoever_is_no_patron_is_not_offered_it(offers, client):
    make_person("olena@example.org")
    sign_in(client, "olena@example.org")
    assert "Do not ask me again" not in client.get("/account").text


def test_a_newsroom_that_does_not_offer_it_sets_no_cookie_and_shows_no_button(app, client):
    give(make_person("olena@example.org"))
    sign_in(client, "olena@example.org")
    assert "Do not ask me again" not in client.get("/account").text
    assert hint_of(client.post("/patron-hint", data={"csrf_token": any_token(client)})) is None


def test_another_website_can_neither_set_it_nor_lead_a_reader_away(offers, client):
    assert client.post("/patron-hint").status_code == 400
    sent = client.post("/patron-hint?to=https://evil.example/", data={"csrf_token": any_token(client)})
    assert sent.location == "/"


@pytest.mark.parametrize("domain", ["other.example", "example", "ample.org", ".example.org", "xjoin.example.org"])
def test_a_domain_that_our_address_does_not_lie_in_is_refused_with_a_sentence(domain):
    with pytest.raises((SettingsRefused, ValueError), match="PATRON_HINT_DOMAIN must be a domain"):
        make_settings(public_url="https://join.example.org", patron_hint_domain=domain)


def test_the_parent_domain_is_taken_as_is_our_own():
    for domain in ("example.org", "join.example.org"):
        assert make_settings(public_url="https://join.example.org", patron_hint_domain=domain)


def give(person) -> None:
    """Three months of membership."""
    with transaction("test.give"):
        grant_months(person.id, Cause.COMP, f"comp:{person.public_id}", paid_at=clock.now(), n_months=3)
