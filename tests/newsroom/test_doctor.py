"""What the doctor says about settings that staff saved."""

from dataclasses import replace

import pytest

from membership.newsroom import queries
from membership.newsroom.queries import tokens as of_the_style_sheet
from membership.newsroom.rules.faults import Tokens
from membership.newsroom.rules.plain import Names
from membership.newsroom.rules.subjects import Subject
from membership.operations.examining import newsroom
from tests.newsroom.test_elsewhere import a_support
from tests.newsroom.values import COLOURS


def codes():
    return {finding.code: finding.weight.value for finding in newsroom.examine()}


def test_where_all_is_well_only_the_missing_address_is_noted(app, save):
    assert codes() == {"saved_settings": "fine", "contact": "note"}
    save(Subject.NAMES, Names("The Quay", "hello@example.org"))
    assert codes() == {"saved_settings": "fine"}


def test_colours_that_a_new_style_sheet_made_unreadable_are_found(app, save, monkeypatch):
    save(Subject.COLOURS, COLOURS)
    known = of_the_style_sheet()
    darker = Tokens({**known.light, "paper": "#444444"}, known.dark)
    monkeypatch.setattr(queries, "bounds", lambda: replace(BOUNDS_OF(), tokens=darker))
    assert codes()["saved_settings"] == "problem"


BOUNDS_OF = queries.bounds


@pytest.mark.parametrize(("currency", "found"), [("EUR", None), ("CZK", "problem")])
def test_support_in_a_currency_without_a_price_is_found(app, currency, found):
    a_support(20000, currency)
    assert codes().get("currency_without_price") == found
