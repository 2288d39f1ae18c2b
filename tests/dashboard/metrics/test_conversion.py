"""Who went to the payment page, and who of them paid, counted by hand."""

from decimal import Decimal

import pytest

from membership import wiring
from membership.billing.books import WHOLE
from membership.dashboard import checks
from membership.dashboard.models import DaySum
from membership.dashboard.services import rebuilding
from membership.dashboard.services.noticing import days_not_looked_at
from membership.dashboard.sources import PAID_STARTS
from membership.db import db, transaction
from tests.dashboard.conftest import NOW, kyiv
from tests.factories.money import make_giver
from tests.factories.starts import begin, pay_for

pytestmark = pytest.mark.usefixtures("app")
NOVEMBER = ("2026-11-01", "2026-11-18")
EARLY = "Too early to say"


def counted(result) -> dict:
    """By name and kind: how many went to pay, and how many paid."""
    return {(row[0], row[1]): row[2:4] for row in result.table.rows}


def test_by_article_section_and_campaign(ask):
    paid = begin(kyiv("2026-11-02 10:00"), article="port", section="city", utm_campaign="autumn")
    begin(kyiv("2026-11-03 10:00"), article="port", section="city")
    begin(kyiv("2026-11-03 11:00"), article="school")
    begin(kyiv("2026-11-03 12:00"), utm_campaign="autumn")
    begin(kyiv("2026-11-03 13:00"))
    pay_for(paid, kyiv("2026-11-02 10:05"))
    result = ask("conversion", *NOVEMBER)
    assert counted(result) == {
        ("All of these together", ""): (4, 1),
        ("port", "Article"): (2, 1),
        ("school", "Article"): (1, 0),
        ("city", "Section"): (2, 1),
        ("autumn", "Campaign"): (2, 1),
        ("Came otherwise", ""): (1, 0),
    }
    assert {row[-1] for row in result.table.rows} == {EARLY}
    assert (result.now, result.before) == (None, None)


def test_it_counts_on_the_day_that_it_was_begun_also_when_the_money_comes_later(ask):
    late = begin(kyiv("2026-11-03 23:59"), article="port")
    assert counted(ask("conversion", "2026-11-03", "2026-11-03"))["port", "Article"] == (1, 0)
    pay_for(late, kyiv("2026-11-06 10:00"))
    pay_for(late, kyiv("2026-12-06 10:00"))  # the renewal is no second one
    assert counted(ask("conversion", "2026-11-03", "2026-11-03"))["port", "Article"] == (1, 1)
    assert ("port", "Article") not in counted(ask("conversion", "2026-11-04", "2026-11-18"))


def test_a_renewal_has_no_day_of_long_ago_summed_anew(ask):
    old = begin(kyiv("2026-11-03 10:00"), article="port")
    pay_for(old, kyiv("2026-11-03 10:05"))
    rebuilding.roll(NOW)
    pay_for(old, NOW)
    assert days_not_looked_at(PAID_STARTS) == set()


def test_a_bank_transfer_has_no_payment_page(ask):
    begin(kyiv("2026-11-03 10:00"), way="bank")
    assert counted(ask("conversion", *NOVEMBER)) == {
        ("All of these together", ""): (0, 0), ("Came otherwise", ""): (0, 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("n", "n_paid", "share", "verdict"), [(39, 13, None, EARLY), (40, 10, Decimal("0.25"), "Enough people")]
)
def test_of_fewer_than_forty_it_is_too_early_to_say(ask, n, n_paid, share, verdict):
    for at in range(n):
        row = begin(kyiv("2026-11-03 10:00"), article="port")
        if at < n_paid:
            pay_for(row, kyiv("2026-11-03 10:05"))
    result = ask("conversion", *NOVEMBER)
    assert (result.now, result.table.rows[0][4], result.table.rows[0][7]) == (share, share, verdict)
    if n == 40:
        # By hand: z²/n = 0.0960365; the middle (0.25 + 0.0480182) / 1.0960365 = 0.2719053; half of the width
        # 1.959964 * sqrt(0.0046875 + 0.0006002) / 1.0960365 = 0.1300340.
        assert result.table.rows[1][5:7] == (Decimal("0.1419"), Decimal("0.4019"))


def test_it_is_compared_with_the_range_before(ask):
    for at in range(40):
        row = begin(kyiv("2026-11-01 10:00"), article="port")
        if at < 20:
            pay_for(row, kyiv("2026-11-01 10:05"))
    result = ask("conversion", "2026-11-02", "2026-11-02")
    assert (result.now, result.before, result.change) == (None, Decimal("0.5"), None)


def test_whoever_makes_up_names_of_articles_fills_one_row(ask):
    for n in range(30):
        begin(kyiv("2026-11-03 10:00"), article=f"made-up-{n:02}")
    for _ in range(2):
        begin(kyiv("2026-11-04 10:00"), article="real")
    rows = ask("conversion", *NOVEMBER).table.rows
    articles = [row for row in rows if row[1] == "Article"]
    assert (len(articles), articles[0][0], articles[-1][0]) == (26, "real", "All others")
    assert articles[-1][2] == 30 - 24
    assert sum(row[2] for row in articles) == 32


def test_who_is_forgotten_came_otherwise_and_no_name_of_theirs_is_left(ask):
    giver = make_giver(NOW)
    row = begin(kyiv("2026-11-03 10:00"), giver, article="a-word-of-theirs")
    pay_for(row, kyiv("2026-11-03 10:05"))
    assert counted(ask("conversion", *NOVEMBER))["a-word-of-theirs", "Article"] == (1, 1)
    with transaction("test.erase"):
        for eraser in wiring.ERASERS:
            eraser(giver, NOW)
    assert list(checks.unlike_rows(WHOLE)) == []
    assert counted(ask("conversion", *NOVEMBER)) == {
        ("All of these together", ""): (0, 0), ("Came otherwise", ""): (1, 1),
    }  # fmt: skip
    assert not [dim for (dim,) in db.session.query(DaySum.dim) if "a-word" in dim]
    assert list(checks.unlike_rows(WHOLE)) == []


def test_a_day_ends_at_midnight_in_the_newsroom(ask):
    begin(kyiv("2026-11-03 23:59:59"), article="port")
    begin(kyiv("2026-11-04 00:00"), article="port")
    assert counted(ask("conversion", "2026-11-03", "2026-11-03"))["port", "Article"] == (1, 0)
