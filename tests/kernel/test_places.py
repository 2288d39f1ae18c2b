"""Addresses of articles: what is one of ours, and under which key every spelling of it is known."""

import pytest

from membership.kernel.errors import InvalidInput
from membership.kernel.origins import canonical_origin
from membership.kernel.places import clean_article, find_article, is_known_origin

SITE = frozenset({"https://www.harbourpost.example", "https://harbourpost.example", "http://127.0.0.1:8000"})


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://www.harbourpost.example/a", "https://www.harbourpost.example/a"),
        ("  https://www.harbourpost.example/a  ", "https://www.harbourpost.example/a"),
        ("HTTPS://WWW.HarbourPost.example:443/A", "https://www.harbourpost.example/A"),
        ("https://harbourpost.example", "https://harbourpost.example/"),
        ("https://harbourpost.example//a//b", "https://harbourpost.example/a/b"),
        ("https://harbourpost.example/a#part", "https://harbourpost.example/a"),
        ("https://harbourpost.example/?p=12&utm_source=letter&fbclid=x", "https://harbourpost.example/?p=12"),
        ("https://harbourpost.example/a?UTM_Campaign=x&gclid=y", "https://harbourpost.example/a"),
        ("https://harbourpost.example/новини", "https://harbourpost.example/%D0%BD%D0%BE%D0%B2%D0%B8%D0%BD%D0%B8"),
        ("http://127.0.0.1:8000/demo/article", "http://127.0.0.1:8000/demo/article"),
    ],
)
def test_an_article_is_known_by_its_address_without_what_tells_who_came(typed, address):
    assert clean_article(typed, SITE).address == address


def test_every_spelling_of_an_address_has_one_key():
    spellings = (
        "https://www.harbourpost.example/a/",
        "https://harbourpost.example/a",
        "https://harbourpost.example/a?ref=x",
    )
    assert {clean_article(each, SITE).key for each in spellings} == {"harbourpost.example/a"}
    assert (
        clean_article("https://harbourpost.example/?p=1", SITE).key
        != clean_article("https://harbourpost.example/?p=2", SITE).key
    )


@pytest.mark.parametrize(
    "address",
    [
        "", "x", "null", "/a", "//harbourpost.example/a", "javascript:alert(1)", "data:text/html,x", "ftp://harbourpost.example/a",
        "file:///etc/passwd", "https:harbourpost.example/a", "https://", "https://evil.example/a",
        "https://harbourpost.example.evil.example/a", "https://evil-harbourpost.example/a", "https://harbourpost.example@evil.example/",
        "https://harbourpost.example:x@evil.example/", "https://evil.example/https://harbourpost.example/",
        "https://harbourpost.example\\@evil.example/", "https://harbourpost.example:8443/a", "http://harbourpost.example/a",
        "https://127.0.0.1:8000/a", "http://127.0.0.1/a", "http://2130706433/a", "http://[::1]/a", "http://[", "https://harbourpost.example:99999/",
        "https://harbourpost.example/a b", "https://harbourpost.example/\x00", "https://harbourpost.example/\r\nX: y", 'https://harbourpost.example/"><script>',
        "https://harbourpost.example/<b>", "https://hаrbourpost.example/a", "https://harbourpost.example/" + "a" * 1000,
        "https://harbourpost.example/" + "н" * 300, "https://harbourpost.example/\ud800", "https://harbourpost.example/?a=\udfff",
    ],
)  # fmt: skip
def test_an_address_elsewhere_or_none_at_all_is_refused(address):
    with pytest.raises(InvalidInput) as error:
        clean_article(address, SITE)
    assert error.value.field == "article"
    assert find_article(address, SITE) is None
    assert find_article(None, SITE) is None


def test_where_no_site_is_known_no_article_is():
    assert find_article("https://harbourpost.example/a", frozenset()) is None


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Example.org/", "https://example.org"),
        ("https://example.org:443", "https://example.org"),
        ("http://example.org:8080", "http://example.org:8080"),
        ("http://[::1]:80", "http://[::1]"),
        ("https://новини.example", "https://xn--b1amarcd.example"),
        ("https://example.org/a", None),
        ("https://example.org?x", None),
        ("https://example.org#", None),
        ("https://a@example.org", None),
        ("null", None),
        ("", None),
        ("*", None),
        ("example.org", None),
    ],
)
def test_an_origin_is_a_scheme_and_a_host_and_nothing_else(text, origin):
    assert canonical_origin(text) == origin


@pytest.mark.parametrize(
    "header",
    [None, "", "null", "*", "https://harbourpost.example/", "HTTPS://harbourpost.example", "https://harbourpost.example.",
     "https://harbourpost.example:443", "http://harbourpost.example", "https://xharbourpost.example",
     "https://harbourpost.example.evil.example", "https://harbourpost.example https://evil.example"],
)  # fmt: skip
def test_an_origin_header_counts_to_the_letter(header):
    assert not is_known_origin(header, SITE)
    assert is_known_origin("https://harbourpost.example", SITE)
