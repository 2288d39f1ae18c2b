"""Tables (CSV) by a mapping: how banks write them, PayPal's own, and what is told of one that does not fit."""

from dataclasses import replace
from datetime import date

import pytest

from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money
from membership.transfers.statements import BUILT_IN, Kind, Mapping, UnreadableStatement, read
from membership.transfers.statements.mappings import check, from_json

TODAY = date(2026, 11, 22)
BANK = Mapping(
    date="Buchungstag",
    amount="Betrag",
    currency="Währung",
    texts=("Verwendungszweck",),
    name="Name",
    account="IBAN",
)
HEAD = "Buchungstag;Name;IBAN;Verwendungszweck;Betrag;Währung\n"
PAYPAL = (
    "Date,Time,TimeZone,Name,Type,Status,Currency,Gross,Fee,Net,From Email Address,Transaction ID,Reference Txn ID,"
    "Subject,Note\n"
)


def lines_of(text, mapping=BANK):
    (statement,) = read(text.encode(), mapping, TODAY)
    return statement.lines


def test_a_german_bank_with_lines_before_its_columns():
    gift, rent = lines_of(
        '"Kontoauszug";;;;;\n\n' + HEAD + "20.11.2026;Erika Beispiel;DE02 1203 0000 0000 2020 51;Danke;1.048,50;EUR\n"
        "20.11.2026;Vermieter;;Miete;-950,00;EUR\n;;;;;\n"
    )
    assert gift.amount == Money(104850, "EUR")
    assert (gift.kind, gift.booked_on, gift.name) == (Kind.CREDIT, date(2026, 11, 20), "Erika Beispiel")
    assert (gift.account, gift.text) == ("DE02120300000000202051", "Danke")
    assert rent.kind is Kind.DEBIT


def test_money_in_and_out_in_two_columns_and_one_currency_for_all():
    mapping = Mapping(
        delimiter=",", decimal=".", date_form="%Y-%m-%d", date="day", amount="in", amount_out="out", currency_is="GBP",
        texts=("what",), encoding="cp1252",
    )  # fmt: skip
    text = "Day,In,Out,What\n2026-11-20,5.00,,Café\n2026-11-20,,12.34,Bus\n2026-11-20,,,Nothing\n"
    (statement,) = read(text.encode("cp1252"), mapping, TODAY)
    assert [(line.kind, line.amount) for line in statement.lines] == [
        (Kind.CREDIT, Money(500, "GBP")), (Kind.DEBIT, Money(1234, "GBP")),
    ]  # fmt: skip
    assert statement.lines[0].text == "Café"


def test_paypal_with_its_fee_a_refund_and_what_is_no_gift():
    rows = (
        '11/19/2026,10:00,CET,A,Donation Payment,Completed,EUR,"1,010.00",-0.68,,Giver@example.org,TX1,,,HP-X6Q7-8AQ',
        "11/19/2026,10:01,CET,,General Currency Conversion,Completed,EUR,5.00,0.00,5.00,,TX2,,,",
        "11/19/2026,10:02,CET,B,Donation Payment,Pending,EUR,5.00,0.00,5.00,,TX3,,,",
        '11/20/2026,10:03,CET,A,Payment Refund,Completed,EUR,"-1,010.00",0.00,"-1,010.00",Giver@example.org,TX4,TX1,,',
    )
    gift, refund = lines_of(PAYPAL + "\n".join(rows), BUILT_IN["paypal"])
    assert (gift.amount, gift.fee, gift.linked_id) == (Money(101000, "EUR"), Money(68, "EUR"), "TX1")
    assert (gift.text, gift.account) == ("HP-X6Q7-8AQ", "GIVER@EXAMPLE.ORG")
    assert (refund.kind, refund.linked_id, refund.amount.minor) == (Kind.RETURN, "TX1", 101000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Datum;Betrag\n1;2\n", "No line names these columns: Buchungstag"),
        (HEAD + "11/20/2026;a;;b;1,00;EUR\n", "Line 2: '11/20/2026' in the column 'Buchungstag'"),
        (HEAD + "20.11.2026;a;;b;one;EUR\n", "Line 2: 'one' in the column 'Betrag'"),
        (HEAD + "20.11.2026;a;;b;1,005;EUR\n", "Line 2: '1,005' in the column 'Betrag'"),
        (HEAD + "20.12.2026;a;;b;1,00;EUR\n", "still to come"),
        (HEAD + "20.11.2026;a;;\0;1,00;EUR\n", "no table"),
        ("", "No line names"),
    ],
)
def test_what_does_not_fit_its_mapping_is_refused_by_line_and_column(text, words):
    with pytest.raises(UnreadableStatement, match=words.replace("(", r"\(")):
        lines_of(text)


def test_another_encoding_is_told_and_not_guessed():
    with pytest.raises(UnreadableStatement, match="not written in utf-8"):
        read((HEAD + "20.11.2026;Ö;;b;1,00;EUR\n").encode("cp1252"), BANK, TODAY)


@pytest.mark.parametrize("amount", ["9" * 19, "9" * 5000])
def test_an_amount_that_no_database_holds_is_refused_by_line_and_column(amount):
    with pytest.raises(UnreadableStatement) as refused:
        lines_of(HEAD + f"20.11.2026;A;;x;{amount};EUR\n")
    assert "Betrag" in refused.value.message


def test_more_zeros_than_the_currency_has_are_no_mistake():
    (line,) = lines_of(HEAD + "20.11.2026;a;;b;+12,0000;EUR\n")
    assert line.amount == Money(1200, "EUR")


def test_a_mapping_is_kept_as_it_is_and_must_name_what_a_line_needs():
    for mapping in (BANK, *BUILT_IN.values()):
        assert from_json(mapping.to_json()) == check(mapping)
    for wrong, field in (
        (replace(BANK, date=""), "date"),
        (replace(BANK, amount=""), "amount"),
        (replace(BANK, currency=""), "currency_is"),
        (replace(BANK, encoding="ebcdic"), "encoding"),
        (replace(BANK, date_form="%c"), "date_form"),
    ):
        with pytest.raises(InvalidInput) as refused:
            check(wrong)
        assert refused.value.field == field
