"""What people and programs are told when something does not work (S32, S36)."""

import re

import pytest
from sqlalchemy import text

from membership.db import db
from membership.kernel.errors import Conflict, InvalidInput, NotFound, ProviderFailed, Refused, TooMany
from membership.web.access import audience

ERRORS = {
    "invalid": (InvalidInput("too_long", "This is too long.", field="x"), 422),
    "refused": (Refused("not_yours", "This is not yours."), 403),
    "many": (TooMany("too_many", "Too many.", retry_after=61), 429),
    "missing": (NotFound("no_such", "There is no such thing."), 404),
    "conflict": (Conflict("changed", "This has changed."), 409),
    "provider": (ProviderFailed("provider_failed", "connection to 10.0.0.1 refused", retryable=True), 502),
    "surprise": (RuntimeError("secret-detail-4711"), 500),
}


@pytest.fixture
def web(web):
    def raiser(error):
        def view():
            raise error

        return view

    for name, (error, _) in ERRORS.items():
        web.add_url_rule(f"/e/{name}", name, audience("public")(raiser(error)))
    web.add_url_rule("/e/machine", "machine", audience("machine")(raiser(ERRORS["surprise"][0])))
    return web


@pytest.mark.parametrize("name", ERRORS)
def test_every_kind_of_error_has_its_status_and_a_page(web, name):
    answer = web.test_client().get(f"/e/{name}")
    page = answer.get_data(as_text=True)
    assert answer.status_code == ERRORS[name][1]
    assert page.count("<h1") == 1
    assert answer.headers["Cache-Control"] == "no-store"
    assert "secret-detail" not in page
    assert "10.0.0.1" not in page
    assert "Traceback" not in page


def test_too_many_says_when_to_come_back(web):
    answer = web.test_client().get("/e/many")
    assert answer.headers["Retry-After"] == "61"
    assert "61 seconds" in answer.get_data(as_text=True)


@pytest.mark.parametrize(("path", "headers"), [("/e/conflict", {"Accept": "application/json"}), ("/e/machine", {})])
def test_programs_get_json(web, path, headers):
    answer = web.test_client().get(path, headers=headers)
    assert set(answer.json["error"]) == {"code", "message", "id"}
    assert "secret-detail" not in answer.get_data(as_text=True)


def test_the_number_on_the_page_of_a_surprise_stands_in_the_log(web, caplog):
    page = web.test_client().get("/e/surprise").get_data(as_text=True)
    record = next(record for record in caplog.records if record.getMessage() == "unexpected_error")
    assert record.error_id in page
    assert record.route == "/e/surprise"
    assert record.exc_info is not None


def test_an_error_is_told_in_the_language_of_the_page(web):
    page = web.test_client().get("/none", headers={"Accept-Language": "uk"}).get_data(as_text=True)
    assert '<html lang="uk"' in page


def test_a_database_that_is_gone_still_gives_a_page(web):
    web.add_url_rule("/e/db", "db", audience("public")(lambda: str(db.session.execute(text("SELECT * FROM nowhere")))))
    client = web.test_client()
    client.set_cookie("session", "x" * 43)
    db.session.execute(text("DROP TABLE sessions"))
    db.session.commit()
    answer = client.get("/e/db")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert page.count("<h1") == 1
    assert re.search(r"[0-9a-f]{10}", page)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_wrong_method_says_which_are_right(web):
    answer = web.test_client().delete("/e/many")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
