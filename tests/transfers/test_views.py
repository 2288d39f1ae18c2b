"""Pages of transfers through the front door: what readers are offered, what they announce, the desk of finance."""

import io
import re

import pytest
from html5lib import HTMLParser
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from membership.billing.models import Payment
from membership.cli.importing import import_
from membership.db import db
from membership.kernel import clock
from membership.transfers import queries
from membership.transfers.models import StatementLine
from membership.web import ratelimit
from tests.factories.people import any_token, make_person, make_staff, sign_in
from tests.transfers.conftest import announce, days_ago, fresh
from tests.transfers.statements import camt, entry

EVIL = '<script>alert(1)</script> & "quotes"'


@pytest.fixture
def desk(app, finance):
    browser = app.test_client()
    sign_in(browser, "finance@example.org")
    return browser


def page(client, path, status=200):
    """A page as text, after the inspection that every page passes."""
    answer = client.get(path)
    assert answer.status_code == status, path
    source = answer.get_data(as_text=True)
    parser = HTMLParser(strict=False)
    parser.parse(source)
    assert [code for _, code, _ in parser.errors] == [], path
    ids = re.findall(r'\sid="([^"]+)"', source)
    assert len(ids) == len(set(ids)), path
    assert source.count("<h1") == 1, path
    assert " style=" not in source, path
    return source


def post(client, path, **data):
    return client.post(path, data={"csrf_token": any_token(client)} | data)


def filled(client, **changes):
    """What a reader sends who fills the form in."""
    source = client.get("/support").get_data(as_text=True)
    token = re.search(r'name="form_token"[^>]*value="([^"]+)"', source).group(1)
    wish = {"email": "olena@example.org", "rhythm": "once", "cups": "2", "amount": "", "currency": "EUR", "way": "bank"}
    return wish | {"form_token": token, "public_name": ""} | changes


def upload(client, raw, **data):
    """Written out here: the test client leaves the files of large forms open."""
    file = FileStorage(io.BytesIO(raw), "statement.xml")
    form = {"csrf_token": any_token(client), "file": file, "mapping": ""} | data
    boundary, body = encode_multipart(form)
    return client.post("/staff/statements", data=body, content_type=f'multipart/form-data; boundary="{boundary}"')


def test_every_way_that_is_set_up_stands_on_the_page(client):
    source = page(client, "/support")
    for words in ("DE89 3704 0044 0532 0130 00", "paypal.me/harbourpost", "bc1qharbourpost7x0example", "1 Quay Street"):
        assert words in source
    assert 'href="/contribute"' in source
    assert 'href="/gift"' in source


@pytest.mark.parametrize(
    "changes",
    [dict.fromkeys(("bank_iban", "bank_holder", "bank_name", "paypal_link", "cash_words")) | {"crypto_addresses": {}}],
)
def test_where_nothing_is_set_up_only_the_card_is_offered(client, changes):
    source = page(client, "/support")
    assert 'href="/contribute"' in source
    assert "IBAN" not in source
    assert 'name="way"' not in source


def test_an_announcement_shows_account_amount_code_and_qr(client):
    answer = post(client, "/support", **filled(client))
    assert answer.status_code == 303
    source = page(client, answer.location)
    (found,) = queries.list_awaited(clock.now(), 10)
    assert found.code in source
    assert found.creditor_reference in source
    assert "€8.00" in source
    assert source.count("qr__code") == 1
    assert "Thank you" not in source.partition("<main")[2].partition("</main")[0]
    assert answer.location == f"/support/declared/{found.contribution.reference}"
    page(client, f"/support/declared/{found.code}", status=404)


def test_other_currencies_than_the_euro_have_no_qr(client):
    answer = post(client, "/support", **filled(client, currency="UAH"))
    source = page(client, answer.location)
    assert "qr__code" not in source
    assert "only the euro" in source


def test_mistakes_stand_beside_their_fields_and_nothing_typed_is_lost(client):
    answer = post(client, "/support", **filled(client, email="nobody", cups="own", amount="a lot", way="bank"))
    source = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'id="email-error"' in source
    assert 'id="amount-error"' in source
    assert 'value="a lot"' in source
    assert queries.list_awaited(clock.now(), 10) == []
    assert post(client, "/support", **filled(client, way="gold")).status_code == 422
    assert post(client, "/support", **filled(client) | {"form_token": "x"}).status_code == 409


def test_one_mailbox_is_not_filled_with_codes(client):
    for n in range(5):
        assert post(client, "/support", **filled(client, cups="own", amount=str(10 + n))).status_code == 303
    answer = post(client, "/support", **filled(client, cups="own", amount="99"))
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_one_network_with_many_addresses_does_not_use_up_what_everybody_may_announce(client, monkeypatch):
    monkeypatch.setitem(ratelimit.RULES, "transfers.network", ratelimit.Rule("3 per 1 hour"))

    def announce_from(ip, n):
        client.environ_base["REMOTE_ADDR"] = ip
        return post(client, "/support", **filled(client, email=f"reader{n}@example.org")).status_code

    assert [announce_from(f"2001:db8:1:{n}::1", n) for n in range(5)] == [303, 303, 303, 429, 429]
    assert announce_from("198.51.100.7", 9) == 303


def test_who_changes_their_mind_says_so_and_may_change_it_again(client):
    location = post(client, "/support", **filled(client)).location
    assert post(client, f"{location}/withdraw").status_code == 303
    assert "will not come" in page(client, location)
    assert queries.list_awaited(clock.now(), 10) == []
    post(client, f"{location}/again")
    assert len(queries.list_awaited(clock.now(), 10)) == 1


# The desk ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("finance", 200), ("editor", 403), ("viewer", 403)])
def test_the_desk_is_for_owners_and_finance(app, role, status):
    make_staff(f"{role}@example.org", role, "Somebody")
    browser = app.test_client()
    sign_in(browser, f"{role}@example.org")
    for path in ("/staff/statements", "/staff/statements/by-hand", "/staff/statements/mappings"):
        assert browser.get(path).status_code == status
    assert upload(browser, camt()).status_code in ({303} if status == 200 else {403})


def test_a_statement_is_tried_read_in_and_its_open_line_confirmed(app, desk):
    found = announce(name="Olena Example")
    raw = camt(
        entry("4.00", found.code, days_ago(1)),
        entry("4.00", EVIL, days_ago(1), name="Olena Example"),
        entry("9.00", "who is it", days_ago(1)),
    )
    tried = upload(desk, raw, is_trial="y")
    assert tried.status_code == 200
    assert "nothing was written" in tried.get_data(as_text=True)
    assert db.session.scalars(select(StatementLine)).all() == []
    assert upload(desk, raw).status_code == 303
    source = page(desk, "/staff/statements")
    assert "3 new lines; 0 were known already; 1 is booked" in source
    assert EVIL not in source
    ids = [line.id for line in queries.list_open_lines(10)]
    assert post(desk, "/staff/statements/confirm", line=ids).status_code == 303
    assert len(db.session.scalars(select(Payment)).all()) == 1  # nothing was suggested: money of that name is here
    assert "say whose it is" in page(desk, "/staff/statements")


def test_the_desk_says_that_the_worker_looks_at_very_many_lines(app, desk, monkeypatch):
    monkeypatch.setattr("membership.transfers.services.importing.BOOKED_AT_ONCE", 1)
    upload(desk, camt(entry("4.00", "one", days_ago(1)), entry("4.00", "two", days_ago(1))))
    assert "whose they may be is worked out now" in page(desk, "/staff/statements")


def test_a_suggestion_by_name_says_that_the_address_was_typed_and_who_else_has_the_name(app, desk):
    make_person("olena.example@example.org", public_name="Olena Example", email_proved_at=clock.now())
    announce(name="Olena Example", email="thief@example.net")
    upload(desk, camt(entry("4.00", "hello", days_ago(1), name="EXAMPLE, OLENA")))
    (line,) = queries.list_open_lines(10)
    for path in ("/staff/statements", f"/staff/statements/{line.id}"):
        source = page(desk, path)
        assert "is not proved: anybody can announce money under any name" in source
        assert "1 other person here has this name." in source


def test_a_line_has_every_action_on_its_page(app, desk):
    announce()
    upload(desk, camt(entry("4.00", "hello", days_ago(1)), entry("5.00", "bye", days_ago(1))))
    first, second = (line.id for line in queries.list_open_lines(10))
    source = page(desk, f"/staff/statements/{first}")
    assert "It is somebody else" in source
    wrong = post(desk, f"/staff/statements/{first}/assign", email="nobody")
    assert wrong.status_code == 422
    assert 'id="assign-email-error"' in wrong.get_data(as_text=True)
    assert post(desk, f"/staff/statements/{first}/assign", email="Right@example.org").status_code == 303
    assert "right@example.org" in page(desk, f"/staff/statements/{first}")
    assert post(desk, f"/staff/statements/{first}/undo", reason="").status_code == 422
    assert post(desk, f"/staff/statements/{first}/undo", reason="Somebody else").status_code == 303
    fresh()
    assert db.session.get(StatementLine, first).state == "new"
    assert post(desk, f"/staff/statements/{second}/ignore", reason="").status_code == 422
    assert post(desk, f"/staff/statements/{second}/ignore", reason="The grocer").status_code == 303
    page(desk, f"/staff/statements/{second}")
    assert post(desk, f"/staff/statements/{second}/open").status_code == 303
    page(desk, "/staff/statements/999", status=404)


@pytest.mark.parametrize(
    "raw", [b"no statement", b"<a/>", b'<!DOCTYPE a SYSTEM "x"><a/>', b"<" + b"x" * 5_300_000, b""]
)
def test_what_is_no_statement_is_refused_beside_its_field(desk, raw):
    answer = upload(desk, raw)
    assert answer.status_code in {413, 422}
    if answer.status_code == 422:
        assert 'id="file-error"' in answer.get_data(as_text=True)


def test_a_statement_of_four_megabytes_is_taken_and_elsewhere_one_is_the_limit(app, desk, client):
    big = camt(entry("4.00", "x", days_ago(1)), *["<Ntry><Sts><Cd>PDNG</Cd></Sts></Ntry>"] * 90_000)
    assert 3_000_000 < len(big) < 5_000_000
    assert upload(desk, big).status_code == 303
    assert client.post("/support", data={"csrf_token": any_token(client), "email": "x" * 2_000_000}).status_code == 413


def form_token(source):
    """What names one press of the button of a page's form."""
    return {"form_token": re.search(r'name="form_token"[^>]*value="([^"]+)"', source).group(1)}


def test_a_gift_is_booked_by_hand_once_and_sent_back_as_often_as_it_is_said(desk):
    wish = form_token(page(desk, "/staff/statements/by-hand")) | {
        "way": "cash", "amount": "20", "currency": "EUR", "day": days_ago(0), "code": "",
        "email": "cash@example.org", "reason": "At the office",
    }  # fmt: skip
    assert post(desk, "/staff/statements/by-hand", **wish | {"reason": ""}).status_code == 422
    assert post(desk, "/staff/statements/by-hand", **wish | {"code": "HP-2222-222"}).status_code == 422
    assert post(desk, "/staff/statements/by-hand", **wish | {"day": "2999-01-01"}).status_code == 422
    location = post(desk, "/staff/statements/by-hand", **wish).location
    assert post(desk, "/staff/statements/by-hand", **wish).location == location
    assert "€20.00" in page(desk, location)
    assert page(desk, "/staff/statements").count(location) == 1
    back = {"amount": "5", "day": days_ago(0), "reason": "Too much"} | form_token(page(desk, location))
    assert post(desk, f"{location}/back", **back | {"amount": "21"}).status_code == 422
    assert [post(desk, f"{location}/back", **back).status_code for _ in range(2)] == [303, 303]
    assert "€15.00" in page(desk, location)
    assert post(desk, f"{location}/back", **back | {"form_token": "of another page"}).status_code == 422
    assert post(desk, f"{location}/back", **back | form_token(page(desk, location))).status_code == 303
    assert "€10.00" in page(desk, location)
    assert post(desk, f"{location}/undo", reason="").status_code == 422
    assert post(desk, f"{location}/undo", reason="Play money").status_code == 303
    assert "All of it went back" in page(desk, location)


def test_announced_money_is_booked_by_hand_from_its_row(desk):
    found = announce(way="crypto", amount=4000)
    source = page(desk, f"/staff/statements/by-hand?announced={found.contribution.reference}")
    assert found.code in source
    wish = form_token(source) | {
        "way": "crypto", "amount": "39.50", "currency": "EUR", "day": days_ago(0),
        "code": found.code, "email": "", "reason": "seen on the chain",
    }  # fmt: skip
    assert post(desk, "/staff/statements/by-hand", **wish).status_code == 303
    fresh()
    assert queries.list_awaited(clock.now(), 10) == []


def test_a_mapping_is_saved_used_and_thrown_away(desk):
    form = {
        "mapping_name": "harbour-bank", "way": "bank", "delimiter": ";", "encoding": "utf-8", "decimal": ",",
        "date_form": "%d.%m.%Y", "date": "Tag", "amount": "Betrag", "amount_out": "", "currency": "",
        "currency_is": "eur", "texts": "Text", "name": "", "account": "", "own_id": "",
    }  # fmt: skip
    assert post(desk, "/staff/statements/mappings", **form | {"date": ""}).status_code == 422
    assert post(desk, "/staff/statements/mappings", **form | {"mapping_name": "paypal"}).status_code == 422
    assert post(desk, "/staff/statements/mappings", **form).status_code == 303
    assert "harbour-bank" in page(desk, "/staff/statements/mappings")
    year, month, day = days_ago(1).split("-")
    table = f"Tag;Betrag;Text\n{day}.{month}.{year};4,00;hello\n".encode()
    assert upload(desk, table, mapping="harbour-bank").status_code == 303
    assert len(queries.list_open_lines(10)) == 1
    post(desk, "/staff/statements/mappings/harbour-bank/forget")
    fresh()
    assert "harbour-bank" not in queries.list_mappings()


def test_the_timeline_says_what_staff_did(app, desk):
    member = make_person("member@example.org")
    announce(email="member@example.org", person_id=member.id)
    upload(desk, camt(entry("5.00", "mine", days_ago(1))))
    (line,) = queries.list_open_lines(10)
    post(desk, f"/staff/statements/{line.id}/assign", email="member@example.org")
    post(desk, f"/staff/statements/{line.id}/undo", reason="It was her brother")
    browser = app.test_client()
    sign_in(browser, "member@example.org")
    source = browser.get("/account").get_data(as_text=True)
    assert "You told us that" in source
    assert "recognised as yours" in source
    assert "booked to you by mistake" in source


def test_the_command_reads_a_statement_in(app, tmp_path):
    found = announce()
    file = tmp_path / "statement.xml"
    file.write_bytes(camt(entry("4.00", found.code, days_ago(1))))
    runner = app.test_cli_runner()
    tried = runner.invoke(import_, ["statement", str(file), "--dry-run"])
    assert (tried.exit_code, "Nothing was written" in tried.output) == (0, True)
    done = runner.invoke(import_, ["statement", str(file)])
    assert (done.exit_code, "1  are booked" in done.output) == (0, True)
    again = runner.invoke(import_, ["statement", str(file)])
    assert "1  of them were known already" in again.output
    assert runner.invoke(import_, ["statement", str(file), "--mapping", "nobody"]).exit_code == 2
    file.write_text("<a/>")
    wrong = runner.invoke(import_, ["statement", str(file)])
    assert (wrong.exit_code, "camt.053" in wrong.output) == (2, True)
