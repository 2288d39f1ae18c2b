"""Inspections of every answer: headers, cookies, pages."""

from collections import Counter
from html.parser import HTMLParser

import pytest

from tests.house.conftest import path_of, rules_of

BASE = "https://join.example.org"
# May be shown in a frame of ours: the HTML of a mail, which may style itself and do nothing else.
FRAMED = {"catalogue.html", "mailbox.html"}
# The same for everybody, so that a page of any website may read it; never with a cookie.
READ_ANYWHERE = {
    "appeal_events.tell", "correction_embed.log", "embeds.config", "embeds.frame", "embeds.marked_script",
    "embeds.script",
}  # fmt: skip
# No worker runs in this house, and the provider cannot be reached.
ALLOWED_TROUBLE = {(503, "/readyz"), (502, "/contribute/thanks")}


def directives(policy):
    return dict(part.strip().partition(" ")[::2] for part in policy.split(";"))


def check_headers(answer, endpoint):
    policy = directives(answer.headers["Content-Security-Policy"])
    assert policy["default-src"] == "'none'", endpoint
    assert policy["script-src"] == "'self'", endpoint
    assert policy["base-uri"] == "'none'", endpoint
    assert policy["frame-ancestors"] == "'none'" or endpoint in FRAMED, endpoint
    if endpoint not in FRAMED:
        assert policy["style-src"] == "'self'", endpoint
    assert "unsafe-eval" not in str(policy), endpoint
    assert answer.headers["X-Content-Type-Options"] == "nosniff", endpoint
    assert answer.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}, endpoint
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", endpoint
    assert "geolocation=()" in answer.headers["Permissions-Policy"], endpoint
    assert answer.headers.get("Access-Control-Allow-Origin") in ({None, "*"} if endpoint in READ_ANYWHERE else {None})
    assert "Access-Control-Allow-Credentials" not in answer.headers, endpoint
    assert "Server" not in answer.headers, endpoint


def test_every_answer_carries_the_headers(house, anybody, member):
    for rule, method in rules_of(house):
        for browser in (anybody(), member):
            check_headers(browser.open(path_of(rule), method=method), rule.endpoint)


@pytest.mark.parametrize("path", ["/nowhere", "/static/nowhere", "/signin/link/", "/lang/xx", "/%00", "/%ff", "//"])
def test_every_error_carries_the_headers(anybody, path):
    answer = anybody().get(path)
    assert answer.status_code >= 300
    check_headers(answer, path)


def test_every_cookie_is_bound_to_this_host_and_hidden_from_scripts(open_house):
    house = open_house(public_url=BASE, demo=False)
    seen = set()
    for rule, method in rules_of(house):
        answer = house.test_client().open(path_of(rule), method=method, base_url=BASE)
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000"), rule
        for cookie in answer.headers.getlist("Set-Cookie"):
            name = cookie.partition("=")[0]
            seen.add(name)
            assert name.startswith("__Host-"), rule
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; ")), rule
            assert "Domain=" not in cookie, rule
    assert "__Host-visit" in seen


@pytest.mark.parametrize("path", ["/", "/demo/article", "/healthz", "/static/tokens.css", "/signin/link/x"])
def test_pages_that_need_no_cookie_set_none(anybody, path):
    answer = anybody().get(path, buffered=True)
    assert answer.status_code == 200
    assert answer.headers.getlist("Set-Cookie") == []


def test_pages_of_members_stay_in_no_cache(house, member):
    for rule, method in rules_of(house, "GET"):
        if house.view_functions[rule.endpoint].audience in {"member", "public", "staff"} and rule.endpoint != "static":
            answer = member.open(path_of(rule), method=method)
            assert "no-store" in answer.headers["Cache-Control"], rule


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.ids, self.lang, self.labelled, self.inputs = Counter(), Counter(), None, set(), []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags[tag] += 1
        if "id" in values:
            self.ids[values["id"]] += 1
        if tag == "html":
            self.lang = values.get("lang")
        if tag == "label" and "for" in values:
            self.labelled.add(values["for"])
        if tag in {"input", "select", "textarea"} and values.get("type") not in {"hidden", "submit"}:
            self.inputs.append(values.get("id"))


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_page_has_one_heading_unique_ids_and_labelled_fields(house, anybody, member, language):
    n_pages = 0
    for rule, _ in rules_of(house, "GET"):
        for browser in (anybody(), member):
            answer = browser.get(path_of(rule), headers={"Accept-Language": language})
            if answer.mimetype != "text/html" or answer.status_code in range(300, 400) or rule.endpoint in FRAMED:
                continue
            page = Outline()
            page.feed(answer.get_data(as_text=True))
            n_pages += 1
            assert page.lang == language, rule
            assert page.tags["h1"] == page.tags["main"] == page.tags["title"] == 1, rule
            assert [name for name, n in page.ids.items() if n > 1] == [], rule
            assert [field for field in page.inputs if field not in page.labelled] == [], rule
    assert n_pages > 5


def test_nothing_breaks_when_nothing_is_there(house, anybody, member):
    for rule, method in rules_of(house):
        for browser in (anybody(), member):
            answer = browser.open(path_of(rule), method=method)
            assert answer.status_code < 500 or (answer.status_code, rule.rule) in ALLOWED_TROUBLE, rule


def test_head_answers_as_get_does(house, anybody):
    for rule, _ in rules_of(house, "GET"):
        asked, looked = anybody().get(path_of(rule)), anybody().head(path_of(rule))
        assert looked.status_code == asked.status_code, rule
        assert looked.data == b"", rule
