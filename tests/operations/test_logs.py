"""Logs are JSON lines that say what happened and to nobody by name."""

import json
import logging

import pytest
import structlog

from membership.web.logs import masked

TOKEN = "Zr8J1yQ0mT4nXw7kP2sV5bH9cL3dF6gA8eR1uI0oYqE"


@pytest.fixture
def lines(app, capsys):
    """Everything that was logged since the test began, line by line."""
    capsys.readouterr()

    def read() -> list[dict]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line]

    return read


def access(lines) -> dict:
    return next(line for line in lines if line["event"] == "request")


def test_one_line_per_request_with_the_pattern_and_not_the_path(app, client, lines):
    answer = client.get("/demo/mail/olena@example.org", headers={"User-Agent": "evil\x1b[31m"})
    logged = lines()
    line = access(logged)
    assert len([line for line in logged if line["event"] == "request"]) == 1
    assert (line["method"], line["route"], line["status"]) == ("GET", "/demo/mail/<key>", 404)
    assert line["milliseconds"] >= 0
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert set(line) == {"at", "event", "level", "logger", "method", "milliseconds", "request_id", "route", "status"}


def test_an_unknown_address_and_method_are_not_written_down(app, client, lines):
    client.open("/signin/link/" + TOKEN + "/../olena@example.org", method="BREW")
    line = access(lines())
    assert (line["method"], line["route"]) == ("OTHER", "(none)")


def test_a_request_id_from_the_proxy_is_kept_unless_it_smuggles(app, client):
    good = client.get("/healthz", headers={"X-Request-Id": "abc-123-def"})
    bad = client.get("/healthz", headers={"X-Request-Id": 'x" onload="alert(1)'})
    assert good.headers["X-Request-Id"] == "abc-123-def"
    assert len(bad.headers["X-Request-Id"]) == 16


def test_both_ways_of_logging_make_the_same_kind_of_line(app, lines):
    structlog.get_logger("rooms.one").info("hello", n=1)
    logging.getLogger("rooms.two").warning("hello %s", "there", extra={"n": 2})
    one, two = lines()
    assert (one["event"], one["level"], one["logger"], one["n"]) == ("hello", "info", "rooms.one", 1)
    assert (two["event"], two["level"], two["logger"], two["n"]) == ("hello there", "warning", "rooms.two", 2)
    assert one["at"].endswith("Z")


def test_a_line_stays_one_line(app, capsys):
    capsys.readouterr()
    logging.getLogger("x").warning('first\nsecond\r\x1b[2J {"event": "forged"}\u2028')
    raw = capsys.readouterr().err
    assert raw.count("\n") == 1
    assert "\x1b" not in raw
    assert raw.isascii()


def test_errors_are_told_without_what_was_typed(app, lines):
    def fail():
        raise ValueError(f"no mail for olena@example.org with {TOKEN} and sk_test_abc")

    try:
        fail()
    except ValueError:
        logging.getLogger("x").exception("failed")
    line = lines()[0]
    assert "ValueError: no mail for <address> with <secret> and <key>" in line["exception"]
    assert "test_logs.py" in line["exception"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("to olena+x@example.org, now", "to <address>, now"),
        ("postgresql://user:pw@db/x", "postgresql://db/x"),
        ("whsec_abcdef", "<key>"),
        (f"/signin/link/{TOKEN}", "/signin/link/<secret>"),
        ("cs_test_" + "a1" * 30, "cs_test_" + "a1" * 30),
        ({"olena@example.org": ["ivan@example.org", 1]}, {"<address>": ["<address>", 1]}),
        (object(), "<object>"),
        (None, None),
        (1.5, 1.5),
    ],
)
def test_what_looks_like_a_person_or_a_secret_is_masked(value, written):
    assert masked(value) == written


def test_masking_a_long_line_takes_no_longer_than_reading_it():
    assert masked("a" * 200_000 + "\n") == "<secret>\n"
    assert masked("a." * 200_000).startswith("a.a.")
