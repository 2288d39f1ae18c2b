"""camt.053 as banks write it, and what nobody should be able to send us in its name."""

from datetime import date

import pytest

from membership.kernel.money import Money
from membership.transfers.statements import Kind, UnreadableStatement, identities, read
from tests.transfers.statements import camt, entry, sample

TODAY = date(2026, 11, 22)


def lines_of(raw):
    return [line for statement in read(raw, None, TODAY) for line in statement.lines]


def test_version_08_with_a_batch_a_debit_and_an_entry_that_is_not_booked_yet():
    (statement,) = read(sample("statement_08.xml", "HP-X6Q7-8AQ", "RF28HPX6Q78AQ"), None, TODAY)
    assert (statement.way, statement.source, statement.account) == ("bank", "camt.053.001.08", "DE89370400440532013000")
    olena, *batch, rent = statement.lines
    assert (olena.kind, olena.amount, olena.name, olena.account) == (
        Kind.CREDIT, Money(4800, "EUR"), "Olena Example", "NL91ABNA0417164300",
    )  # fmt: skip
    assert "HP-X6Q7-8AQ" in olena.text
    assert olena.linked_id == "E2E-0001"
    assert [line.amount.minor for line in batch] == [400, 400, 400]
    assert [line.name for line in batch] == ["First Giver", "First Giver", "Second Giver"]
    assert "RF28HPX6Q78AQ" in batch[2].text
    assert rent.kind is Kind.DEBIT
    assert statement.notes == ("Entries that are not booked yet, and come with a later statement: 1.",)


def test_version_02_with_a_return():
    gift, returned = lines_of(sample("statement_02.xml", "HP-X6Q7-8AQ"))
    assert (gift.amount, gift.name, gift.own_id) == (Money(400, "EUR"), "Third Giver", "")
    assert gift.text == "HP-X6Q7-8AQ with love"
    assert (returned.kind, returned.linked_id, returned.amount.minor) == (Kind.RETURN, "E2E-0001", 4800)


def test_two_equal_gifts_of_one_batch_are_two_lines():
    (statement,) = read(sample("statement_08.xml"), None, TODAY)
    names = [identity for identity, _ in identities(statement)]
    assert len(set(names)) == len(names) == 5


def test_a_batch_whose_parts_do_not_add_up_is_one_line_for_a_person_to_look_at():
    whole, part = entry("12.00"), entry("4.00", "one")
    raw = camt(whole).replace(
        b"</TxDtls>", b"</TxDtls>" + part[part.index("<TxDtls>") : part.index("</NtryDtls>")].encode()
    )
    (line,) = lines_of(raw)
    assert (line.amount.minor, line.is_odd) == (1200, True)


def test_our_own_payment_that_came_back_is_odd():
    (line,) = lines_of(camt(entry(is_reversal=True)))
    assert (line.kind, line.is_odd) == (Kind.CREDIT, True)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "no_mapping"),
        (b"<", "no_xml"),
        (b"<Document/>", "other_message"),
        (camt(version="09"), "other_message"),
        (camt().replace(b"camt.053.001.08", b"camt.054.001.08"), "other_message"),
        (camt().replace(b"<Stmt>", b"<Rpt>").replace(b"</Stmt>", b"</Rpt>"), "no_statement"),
        (camt(entry("x")), "no_amount"),
        (camt(entry("-4.00")), "no_amount"),
        (camt(entry("4.005")), "no_amount"),
        (camt(entry("NaN")), "no_amount"),
        (camt(entry("1e999999999")), "no_amount"),
        (camt(entry("1E4")), "no_amount"),
        (camt(entry("1_000.00")), "no_amount"),
        (camt(entry("٣.00")), "no_amount"),
        (camt(entry("9" * 14)), "no_amount"),
        (camt(entry("9" * 5000)), "no_amount"),
        (camt(entry(day="yesterday")), "no_day"),
        (camt(entry(day="2026-12-31")), "future"),
        (b"<" * 6_000_000, "too_large"),
        (b"<a>" * 60, "too_large"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "doctype"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "doctype"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "no_xml"),
    ],
)
def test_what_is_no_statement_is_refused_in_words(raw, code):
    with pytest.raises(UnreadableStatement) as refused:
        read(raw, None, TODAY)
    assert refused.value.code == code
    assert refused.value.message.endswith((".", "?"))


def test_a_currency_nobody_knows_is_told_and_costs_no_other_line():
    (statement,) = read(camt(entry(currency="XTS"), entry("5.00")), None, TODAY)
    assert [line.amount.minor for line in statement.lines] == [500]
    assert "Entries in a currency" in statement.notes[0]
