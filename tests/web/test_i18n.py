import pytest
from flask import redirect

from membership.web.access import audience
from membership.web.i18n import currency_for_request, current_locale
from membership.web.links import absolute, own_place

OFFERED = ("EUR", "USD", "GBP", "UAH")


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "locale"),
    [
        ("", None, None, "en"),
        ("", None, "de, fr;q=0.5", "en"),
        ("", None, "uk-UA, en;q=0.5", "uk"),
        ("", None, "de, uk;q=0.3", "uk"),
        ("", "uk", "en", "uk"),
        ("?lang=en", "uk", "uk", "en"),
        ("?lang=xx", "yy", "uk", "uk"),
    ],
)
def test_the_language_is_asked_for_in_three_ways(web, query, cookie, accept, locale):
    web.add_url_rule("/l", "l", audience("public")(current_locale))
    client = web.test_client()
    if cookie:
        client.set_cookie("lang", cookie)
    assert client.get("/l" + query, headers={"Accept-Language": accept} if accept else {}).text == locale


@pytest.mark.parametrize(
    ("accept", "currency"),
    [
        ("", "EUR"),
        ("uk", "UAH"),
        ("uk-UA,en;q=0.8", "UAH"),
        ("en-GB", "GBP"),
        ("en-US,uk;q=0.9", "USD"),
        ("en", "EUR"),
        ("de-DE", "EUR"),
        ("de;q=0.2, en-GB", "GBP"),
        ("es-US", "USD"),
    ],
)
def test_the_first_currency_follows_the_browsers_first_language(web, accept, currency):
    with web.test_request_context(headers={"Accept-Language": accept}):
        assert currency_for_request(OFFERED) == currency
        assert currency_for_request(("CZK", "PLN")) == "CZK"


def test_a_language_is_remembered_and_the_page_kept(web):
    client = web.test_client()
    answer = client.get("/lang/uk?to=/signin?next%3Dcontribute%26lang%3Den")
    assert (answer.status_code, answer.location) == (303, "/signin?next=contribute")
    assert '<html lang="uk"' in client.get("/signin").text
    assert "/lang/en?to=%2Fsignin%3Fnext%3Dcontribute" in client.get("/signin?next=contribute").text


@pytest.mark.parametrize(
    "place",
    [
        "//e", "/\\e", "https:e", "/%09/e", "javascript:alert(1)", "https://evil.example/", "\\\\e", "/%5Ce", "/%2Fe",
        "/\te", "///e", "/signin\r\nSet-Cookie: a=b", "/nowhere", "signin", "", " /signin", "/signin#x", "/signout",
        "/" + "a" * 700,
    ],
)  # fmt: skip
def test_a_change_of_language_never_leads_away(web, place):
    assert own_place(place) is None
    assert web.test_client().get("/lang/uk", query_string={"to": place}).location == "/"


def test_an_unknown_language_is_not_found(web):
    assert web.test_client().get("/lang/xx").status_code == 404


def test_full_addresses_come_from_the_setting(web):
    web.add_url_rule("/go", "go", audience("public")(lambda: redirect(absolute("accounts.signin"))))
    assert absolute("accounts.link", token="a b") == "http://localhost/signin/link/a%20b"
    assert web.test_client().get("/go", base_url="http://localhost:81").location == "http://localhost/signin"
