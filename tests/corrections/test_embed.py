"""The two addresses that the newsroom's own pages ask: attacked, and as they should be used."""

import json

import pytest
from sqlalchemy import select

from membership.corrections import queries, services
from membership.corrections.models import CorrectionReport
from membership.db import db
from tests.factories.corrections import ARTICLE, NOTE, PREFIX, QUOTE, SITE, SUFFIX, make_passage_at
from tests.factories.people import make_person, sign_in

PATH, LOG = "/embed/corrections", "/embed/corrections.json"
REPORT = {
    "article": ARTICLE, "quote": QUOTE, "prefix": PREFIX, "suffix": SUFFIX, "note": NOTE,
    "email": "olena@example.org", "locale": "en",
}  # fmt: skip
# What looks like the newsroom's site and is not, and what browsers say of pages without an origin.
STRANGERS = (
    None, "", "null", "*", "https://evil.example", f"{SITE}.evil.example", f"{SITE}:443", f"{SITE}/", f"{SITE}.",
    "http://www.harbourpost.example", "https://harbourpost.example", "https://x.www.harbourpost.example",
    "https://wwwXharbourpost.example", f"{SITE} https://evil.example", f"https://evil.example#{SITE}",
    "HTTPS://WWW.HARBOURPOST.EXAMPLE", "http://localhost", "file://",
)  # fmt: skip


def send(client, body=REPORT, origin=SITE, kind="application/json", **headers):
    raw = json.dumps(body) if isinstance(body, dict) else body
    headers |= {} if origin is None else {"Origin": origin}
    return client.post(PATH, data=raw, content_type=kind, headers=headers)


def error_of(answer) -> str:
    return answer.get_json()["error"]["code"]


def reports() -> list[CorrectionReport]:
    db.session.rollback()
    return list(db.session.scalars(select(CorrectionReport)))


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/plain;charset=UTF-8"])
def test_a_report_from_the_newsrooms_own_page_is_taken(client, kind):
    answer = send(client, kind=kind)
    assert (answer.status_code, answer.get_json()) == (201, {"is_taken": True})
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert "Origin" in answer.headers["Vary"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    (report,) = reports()
    assert (report.quote, report.note, report.email, report.way) == (QUOTE, NOTE, "olena@example.org", "embed")
    assert (report.prefix, report.suffix) == (PREFIX.strip(), SUFFIX.strip())


@pytest.mark.parametrize("origin", STRANGERS)
def test_from_any_other_origin_nothing_is_taken_and_nothing_may_be_read(client, origin):
    for answer in (send(client, origin=origin), client.open(PATH, method="OPTIONS", headers={"Origin": origin or ""})):
        assert answer.status_code == 403
        assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118 - iterated, headers are pairs
    assert error_of(send(client, origin=origin)) == "origin_unknown"
    assert reports() == []


def test_a_browser_asks_first_and_is_told_what_it_may_send(client):
    asked = {"Origin": SITE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = client.open(PATH, method="OPTIONS", headers=asked)
    assert (answer.status_code, answer.get_data()) == (204, b"")
    said = {name: answer.headers.get(f"Access-Control-Allow-{name}") for name in ("Origin", "Methods", "Headers")}
    assert said == {"Origin": SITE, "Methods": "POST", "Headers": "Content-Type"}
    assert answer.headers.get("Access-Control-Allow-Credentials") is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_nothing_but_sending_is_possible_there(client, method):
    assert client.open(PATH, method=method, headers={"Origin": SITE}).status_code == 405


def test_cookies_are_ignored(client):
    make_person()
    sign_in(client)
    answer = send(client)
    assert answer.status_code == 201
    assert "Set-Cookie" not in answer.headers
    assert reports()[0].person_id is None
    client.set_cookie("session", "x" * 40)
    client.set_cookie("lang", "uk")
    assert "Set-Cookie" not in send(client, REPORT | {"note": "Another"}).headers


def test_what_is_too_large_is_refused_before_it_is_read(client):
    answer = send(client, REPORT | {"note": "x" * 17_000})
    assert (answer.status_code, error_of(answer)) == (413, "request_entity_too_large")
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert send(client, "x" * 3_000_000).status_code == 413
    assert reports() == []


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", '"x"', "1", "{}x", '{"article": 1}', '{"note": null}', '{"quote": ["x"]}', '{"note": {}}',
     '{"article": "x", "article": "y"}', '{"role": "admin"}', "NaN", "[" * 9000, b"\xff\xfe", '{"note": true}',
     '{"__proto__": "x"}'],
)  # fmt: skip
def test_what_is_no_report_is_refused_in_words(client, body):
    answer = send(client, body)
    assert (answer.status_code, error_of(answer)) == (422, "no_report")
    assert answer.get_json()["error"]["message"]
    assert reports() == []


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data", "text/html", "", "image/png"]
)
def test_other_kinds_of_content_are_refused(client, kind):
    assert send(client, kind=kind).status_code == 415
    assert reports() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"article": "https://evil.example/a"}, "article_elsewhere"),
        ({"article": ""}, "article_invalid"),
        ({"article": "javascript:alert(1)"}, "article_invalid"),
        ({"quote": "x" * 1001}, "quote_too_long"),
        ({"note": "x" * 2001}, "note_too_long"),
        ({"quote": "", "note": " "}, "nothing_said"),
        ({"email": "nobody"}, "email_invalid"),
        ({"email": "a@example.org\r\nBcc: b@example.org"}, "email_invalid"),
    ],
)
def test_a_report_that_cannot_be_accepted_says_why_in_the_language_of_the_article(client, change, code):
    english, ukrainian = (send(client, REPORT | change | {"locale": locale}) for locale in ("en-GB", "uk"))
    assert (english.status_code, error_of(english)) == (422, code)
    assert english.headers["Access-Control-Allow-Origin"] == SITE
    assert ukrainian.get_json()["error"]["message"] != english.get_json()["error"]["message"]
    assert reports() == []


def test_a_locale_that_nobody_speaks_here_does_no_harm(client):
    assert send(client, REPORT | {"locale": "xx" * 500}).status_code == 201
    assert reports()[0].locale == "en"


def test_a_flood_is_slowed_down_and_says_for_how_long(client):
    for n in range(10):
        assert send(client, REPORT | {"note": f"Mistake {n}"}).status_code == 201
    answer = send(client, REPORT | {"note": "One too many"})
    assert (answer.status_code, error_of(answer)) == (429, "too_many")
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert len(reports()) == 10


def test_refusals_of_bad_origins_use_up_nobodys_limit(client):
    for _ in range(30):
        send(client, origin="https://evil.example")
    assert send(client).status_code == 201


def test_surrogates_nul_and_marks_of_direction_do_no_harm(client):
    body = json.dumps(REPORT | {"note": "MARK", "quote": "a\u202eb"}).replace("MARK", "\\ud800x\\u0000y")
    assert send(client, body).status_code == 201
    assert (reports()[0].note, reports()[0].quote) == ("xy", "ab")


# What was corrected ------------------------------------------------------------------------------------


def test_an_article_learns_what_was_corrected_in_it(client, editor):
    row = make_passage_at("fixed", editor)
    answer = client.get(f"{LOG}?article={ARTICLE}/?utm_source=x", headers={"Origin": "https://anywhere.example"})
    assert answer.get_json() == {
        "article": f"{ARTICLE}/",
        "corrections": [
            {
                "id": row.public_id, "corrected_at": queries.get(row.id).state_at.isoformat(), "before": "1.2 million",
                "after": "2.1 million", "url": f"http://localhost/corrections#{row.public_id}",
            },
        ],
    }  # fmt: skip
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "olena" not in answer.get_data(as_text=True)


def test_it_is_the_same_for_everybody_so_that_caches_may_keep_it(client, editor):
    make_passage_at("fixed", editor)
    make_person()
    sign_in(client)
    answer = client.get(f"{LOG}?article={ARTICLE}")
    assert answer.headers["Cache-Control"].startswith("public, max-age=60")
    assert "Vary" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    again = client.get(f"{LOG}?article={ARTICLE}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    assert again.headers["Access-Control-Allow-Origin"] == "*"


def test_most_articles_have_no_corrections_and_what_waits_is_not_told(client, editor):
    row = make_passage_at("fixed", editor)
    services.reopen(row.id, editor.id)
    assert client.get(f"{LOG}?article={ARTICLE}").get_json()["corrections"] == []


@pytest.mark.parametrize("query", ["", "?article=", "?article=https://evil.example/a", "?article=x&article=y"])
def test_of_other_sites_nothing_is_told(client, query):
    answer = client.get(LOG + query)
    assert answer.status_code == 422
    assert answer.headers["Cache-Control"] == "no-store"
