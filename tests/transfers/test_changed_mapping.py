"""A table that is read again by a changed mapping books nothing again by itself."""

from dataclasses import replace

import pytest

from membership.kernel import clock
from membership.transfers import services
from membership.transfers.statements import Mapping
from tests.transfers.conftest import announce, days_ago, fresh
from tests.transfers.test_services import lines, payments

TABLE = Mapping(date="day", date_form="%Y-%m-%d", amount="sum", currency_is="EUR", texts=("text",), name="who")
IBAN = "NL91ABNA0417164300"


@pytest.mark.parametrize("change", [{"texts": ("text", "more")}, {"name": "more"}, {"account": "more"}])
def test_a_changed_mapping_books_nothing_again_that_it_told_of_before(app, change):
    found = announce()
    table = f"day;sum;text;who;more\n{days_ago(1)};4,00;{found.code};A Giver;{IBAN}\n".encode()
    assert services.read_in(table, TABLE, clock.now()).n_booked == 1
    assert services.read_in(table, TABLE, clock.now()).n_new == 0
    assert services.read_in(table, replace(TABLE, **change), clock.now()).n_booked == 0
    fresh()
    assert [line.state for line in lines()] == ["booked", "suggested"]
    assert len({line.source for line in lines()}) == 2
    assert len(payments()) == 1
