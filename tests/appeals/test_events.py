"""The address that articles tell: what it takes, what it refuses, and that it knows of nobody."""

import json

import pytest
from sqlalchemy import inspect, select

from membership.appeals.counts import AppealBatch, AppealCount
from membership.appeals.services.collecting import collector
from membership.db import db
from membership.web import ratelimit
from tests.factories.counts import APPEAL, KEY, a_body, a_name
from tests.factories.people import make_person, sign_in

pytestmark = pytest.mark.usefixtures("known_appeals")

PATH = "/embed/events"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"


@pytest.fixture(autouse=True)
def _ended(app):
    yield
    collector().end()


def send(client, body=None, kind="text/plain;charset=UTF-8", agent=BROWSER, **headers):
    raw = json.dumps(a_body() if body is None else body) if not isinstance(body, str | bytes) else body
    return client.post(PATH, data=raw, content_type=kind, headers={"User-Agent": agent} | headers)


def counted() -> dict[tuple[str, str, str], int]:
    collector().flush()
    db.session.rollback()
    return {(row.article_key, row.variant, row.event): row.n for row in db.session.scalars(select(AppealCount))}


def test_a_batch_is_taken_and_counted(client):
    answer = send(
        client, a_body(["view", APPEAL, "a", 1], ["click", APPEAL, "a", 1]), Origin="https://elsewhere.example"
    )
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert counted() == {(KEY, "a", "view"): 1, (KEY, "a", "click"): 1}


def test_the_same_batch_again_is_answered_alike_and_counts_once(client):
    body = a_body()
    assert [send(client, body).status_code for _ in range(3)] == [204] * 3
    assert counted() == {(KEY, "a", "view"): 1}
    assert send(client, body).status_code == 204
    assert counted() == {(KEY, "a", "view"): 1}


@pytest.mark.parametrize(
    ("article", "key"),
    [
        ("https://harbourpost.example/dredging", ""),
        ("https://www.harbourpost.example/dredging/?utm_source=x#part", KEY),
        ("https://evil.example/dredging", ""),
        ("javascript:alert(1)", ""),
        ("https://www.harbourpost.example/\ud800", ""),
        ("https://www.harbourpost.example/" + "н" * 900, ""),
        ("", ""),
    ],
)
def test_only_addresses_of_our_own_sites_are_kept(client, article, key):
    assert send(client, a_body(article=article)).status_code == 204
    assert counted() == {(key, "a", "view"): 1}


def test_cookies_are_not_looked_at_and_none_is_set(client):
    make_person()
    sign_in(client)
    assert "Set-Cookie" not in send(client).headers
    client.set_cookie("session", "x" * 40)
    assert "Set-Cookie" not in send(client).headers


def test_what_is_kept_has_no_room_for_a_reader(app):
    columns = {model.__tablename__: {c.name for c in inspect(model).columns} for model in (AppealBatch, AppealCount)}
    assert columns == {
        "appeal_batches": {"batch_id", "received_at"},
        "appeal_counts": {"id", "starts_at", "n_hours", "article_key", "appeal", "variant", "event", "n"},
    }


@pytest.mark.parametrize("body", ["", "{", "[]", b"\xff", {"batch": "x"}, a_body() | {"reader": "me"}])
def test_what_is_no_batch_is_refused_in_words(client, body):
    answer = send(client, body)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["message"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert counted() == {}


@pytest.mark.parametrize("size", [8 * 1024 + 1, 3_000_000])
def test_what_is_too_large_is_refused(client, size):
    answer = send(client, "x" * size)
    assert answer.status_code == 413
    assert answer.get_json()["error"]["message"]


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_other_kinds_of_content_are_refused(client, kind):
    answer = send(client, kind=kind)
    assert answer.status_code == 415
    assert answer.get_json()["error"]["message"]
    assert counted() == {}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_nothing_but_telling_is_possible(client, method):
    assert client.open(PATH, method=method).status_code == 405


@pytest.mark.parametrize("agent", ["Googlebot/2.1", "HeadlessChrome/120", ""])
def test_programs_are_answered_and_count_nothing(client, agent):
    assert send(client, agent=agent).status_code == 204
    assert send(client, "{", agent=agent).status_code == 400
    assert counted() == {}


def test_a_flood_is_refused_and_the_readers_own_forms_are_not(client, monkeypatch):
    monkeypatch.setitem(ratelimit.BRAKES, "events", 5)
    statuses = [send(client).status_code for _ in range(8)]
    assert statuses == [204] * 5 + [429] * 3
    answer = send(client)
    assert answer.get_json()["error"]["message"]
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert client.post("/embed/corrections", data="{}", content_type="text/plain").status_code == 403
    assert counted() == {(KEY, "a", "view"): 5}


def test_a_view_weighs_no_more_than_browsers_are_asked_to_tell_and_a_click_is_one(app, client):
    heavy = a_body(["view", APPEAL, "a", 100], ["withheld", APPEAL, "-", 2], ["click", APPEAL, "a", 100])
    assert send(client, heavy).status_code == 204
    assert counted() == {(KEY, "a", "view"): 1, (KEY, "-", "withheld"): 1, (KEY, "a", "click"): 1}
    known = app.extensions["membership.settings"]
    app.extensions["membership.settings"] = known.model_copy(update={"appeal_views_one_of": 50})
    assert client.get("/embed/config.json").json["parts"]["appeal"]["sample"] == 1 / 50
    assert send(client, heavy | {"batch": a_name()}).status_code == 204
    assert counted() == {(KEY, "a", "view"): 51, (KEY, "-", "withheld"): 3, (KEY, "a", "click"): 2}
