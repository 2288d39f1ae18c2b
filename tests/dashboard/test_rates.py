"""Rates are read from what central banks and people write, and refused as a whole where they cannot be."""

import threading
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy import select

from membership.cli import main
from membership.dashboard import rates
from membership.dashboard.models import ExchangeRate
from membership.dashboard.services import fetching, rating
from membership.db import db
from membership.kernel.errors import InvalidInput, ProviderFailed
from tests.conftest import make_settings
from tests.dashboard.conftest import NOW

ECB = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
 <gesmes:subject>Reference rates</gesmes:subject>
 <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
 <Cube><Cube time='2026-11-18'><Cube currency='USD' rate='1.0705'/><Cube currency='GBP' rate='0.84638'/>
 <Cube currency='PHP' rate='62.560'/></Cube><Cube time="2026-11-17"><Cube currency="USD" rate="1.0690"/></Cube></Cube>
</gesmes:Envelope>"""
NBU = b"""[{"r030":840,"txt":"\xd0\x94","rate":41.2834,"cc":"USD","exchangedate":"18.11.2026"},
 {"r030":978,"txt":"x","rate":45,"cc":"EUR","exchangedate":"18.11.2026"},
 {"r030":960,"txt":"x","rate":55.1,"cc":"XDR","exchangedate":"18.11.2026"}]"""
CSV = b"\xef\xbb\xbfdate,base,currency,rate\r\n2026-11-18,eur,UAH,45.10\r\n17.11.2026,EUR,UAH,45.20\r\n"


def plain(quotes):
    return {(q.source, q.quoted_on.day, q.base, q.currency, str(q.rate)) for q in quotes}


def test_the_european_central_bank_daily_and_history():
    assert plain(rates.read(ECB)) == {
        ("ecb", 18, "EUR", "USD", "1.0705"), ("ecb", 18, "EUR", "GBP", "0.84638"), ("ecb", 17, "EUR", "USD", "1.0690"),
    }  # fmt: skip


def test_the_national_bank_of_ukraine():
    assert plain(rates.read(NBU)) == {("nbu", 18, "USD", "UAH", "41.2834"), ("nbu", 18, "EUR", "UAH", "45")}


def test_a_table_with_a_mark_at_its_start_and_days_in_both_ways():
    assert plain(rates.read(CSV)) == {("csv", 18, "EUR", "UAH", "45.10"), ("csv", 17, "EUR", "UAH", "45.20")}
    assert plain(rates.read(CSV.replace(b",", b";"))) == plain(rates.read(CSV))


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"<a/>", b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", ECB.replace(b"1.0705", b"0"),
        ECB.replace(b"1.0705", b"NaN"), ECB.replace(b"2026-11-18", b"2026-13-18"), ECB[:-20], b"{}", b"[]", b"[1]",
        NBU[:-3], NBU.replace(b"41.2834", b'"x"'), b"[" * 100_000, b"date,base\n2026-11-18,EUR\n", b"\xff\xfe,",
        CSV.replace(b"45.10", b"-1"), CSV.replace(b"45.10", b"1e999999"), CSV.replace(b"UAH", b"EUR"),
        b"date,base,currency,rate\n2026-11-18,EUR\n", b'date,base,currency,rate\n2026-11-18,EUR,UAH,"4\n',
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_words(raw):
    with pytest.raises(InvalidInput) as refused:
        rating.take_in(rates.read(raw))
    assert refused.value.message.endswith(".")


def test_the_same_file_twice_is_known_and_another_number_corrects(app):
    first, second = rating.take_in(rates.read(CSV)), rating.take_in(rates.read(CSV))
    assert (first.n_new, second.n_new, second.n_known) == (2, 0, 2)
    third = rating.take_in(rates.read(CSV.replace(b"45.10", b"45.11")))
    assert (third.n_new, third.n_corrected, third.n_known) == (0, 1, 1)
    assert db.session.scalars(select(ExchangeRate.rate).order_by(ExchangeRate.quoted_on)).all() == ["45.20", "45.11"]


@pytest.mark.parametrize(
    ("base", "currency", "number"),
    [("EUR", "EUR", "1"), ("EUR", "XXX", "1"), ("EUR", "USD", "0"), ("EUR", "USD", "1e99999")],
)
def test_a_rate_that_is_none_cannot_be_set(base, currency, number):
    with pytest.raises(InvalidInput):
        rating.set_by_hand(base, currency, Decimal(number), date(2026, 11, 18))


@pytest.fixture
def bank():
    """A central bank on this machine; `answers` is what it says next."""
    answers = []

    class Bank(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answers.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Bank)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/rates", answers
    server.shutdown()
    server.server_close()
    thread.join()


def with_banks(app, **urls):
    app.extensions["membership.settings"] = app.extensions["membership.settings"].model_copy(update=urls)


def test_nobody_is_asked_unless_it_is_set(app):
    assert fetching.fetch(NOW) == 0


def test_the_banks_that_are_set_are_asked_for_their_rates(app, bank):
    url, answers = bank
    with_banks(app, rates_ecb_url=url, rates_nbu_url=url)
    answers += [(200, ECB), (200, NBU)]
    assert fetching.fetch(NOW) == 5


@pytest.mark.parametrize("wrong", [(503, b""), (200, b"<html>"), (302, b""), (200, b"x" * (1024 * 1024 + 1))])
def test_a_bank_that_fails_takes_nothing_from_the_other(app, bank, wrong):
    url, answers = bank
    with_banks(app, rates_ecb_url=url, rates_nbu_url=url)
    answers += [wrong, (200, NBU)]
    with pytest.raises(ProviderFailed):
        fetching.fetch(NOW)
    assert set(db.session.scalars(select(ExchangeRate.source))) == {"nbu"}


@pytest.mark.parametrize("url", ["http://bank.example/rates", "ftp://bank.example", "bank"])
def test_banks_are_asked_over_https_only(url):
    with pytest.raises(ValueError, match="must be an address that begins with https://"):
        make_settings(rates_ecb_url=url)


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()

    def _run(*words):
        from membership.cli.rates import rates as command

        return runner.invoke(command, list(words))

    assert "rates" in main.list_commands(None)
    return _run


def test_the_command_takes_files_and_says_what_was_new(run, tmp_path):
    file = tmp_path / "rates.csv"
    file.write_bytes(CSV)
    answer = run("import", str(file))
    assert answer.exit_code == 0
    assert "2  rates are new, from 2026-11-17 to 2026-11-18" in answer.output
    assert "1 EUR = 45.10 UAH  (csv)" in run("list").output
    file.write_bytes(b"nothing")
    refused = run("import", str(file))
    assert refused.exit_code == 2
    assert "no column date, base, currency, rate" in refused.output


def test_the_command_sets_a_rate_by_hand(run):
    assert run("set", "eur", "uah", "45.5", "--from", "2026-01-01").output == "1 EUR = 45.5 UAH is kept.\n"
    assert run("set", "eur", "uah", "many").exit_code == 2
    assert run("set", "eur", "eur", "1").exit_code == 2
    assert [row.rate for row in db.session.scalars(select(ExchangeRate))] == ["45.5"]
