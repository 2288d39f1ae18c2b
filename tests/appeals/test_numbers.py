"""The desk's page of what came of an appeal."""

import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from membership.appeals.rules.evidence import Arm, Interval, State, compare
from membership.appeals.services import counting
from membership.billing.models import Payment
from membership.dashboard.queries import appeals
from membership.dashboard.queries.appeals import Paid, VariantNumbers
from membership.dashboard.services import rating
from membership.dashboard.views.appeals import lift_words, verdict_words
from membership.db import db, transaction
from membership.kernel.money import Money
from tests.factories.counts import APPEAL, NOON, OTHER_APPEAL, received
from tests.factories.money import give_back, make_giver
from tests.factories.people import make_staff, sign_in
from tests.factories.starts import begin, pay_for

pytestmark = pytest.mark.usefixtures("known_appeals")

AT = NOON + timedelta(hours=2)
PATH = f"/staff/appeals/{APPEAL}/numbers"


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(AT, tick=False):
        yield


def seen(event: str, variant: str, n: int, appeal=APPEAL) -> None:
    """So many of an event, as whole batches of the largest weight and the rest."""
    weights = [1000] * (n // 1000) + ([n % 1000] if n % 1000 else [])
    counting.count([received((event, variant, weight), appeal=appeal) for weight in weights])


def paid(variant: str, n=1, appeal=APPEAL, at=NOON) -> list[Payment]:
    giver = make_giver(at)
    return [pay_for(begin(at, giver, appeal=appeal, variant=variant), at, giver) for _ in range(n)]


def of(variant: str) -> VariantNumbers:
    return next(row for row in appeals.numbers_of(APPEAL, AT) if row.variant == variant)


def page(client, path=PATH, status=200, **headers) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == status
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True))))


@pytest.fixture
def viewer(app, client):
    make_staff("viewer@example.org", "viewer")
    sign_in(client, "viewer@example.org")
    return client


def test_each_variant_with_what_was_seen_and_what_was_paid(app):
    seen("view", "a", 4200)
    seen("click", "a", 30)
    seen("close", "a", 7)
    seen("already", "a", 2)
    seen("view", "b", 4100)
    seen("view", "a", 999, appeal=OTHER_APPEAL)
    paid("a", 3)
    paid("b", 5)
    paid("a", 9, appeal=OTHER_APPEAL)
    begin(NOON, appeal=APPEAL, variant="a")  # never paid
    begin(NOON, appeal=APPEAL, variant="nonsense")
    a = of("a")
    assert (a.n_views, a.n_clicks, a.n_closed, a.n_already) == (4200, 30, 7, 2)
    assert a.paid == Paid(3, Money(1200, "EUR"))
    assert a.against is None
    assert a.worth_per_1000 == Money(286, "EUR")  # 1,200 * 1,000 / 4,200 = 285.7
    assert of("b").against == compare(Arm(4200, 3), Arm(4100, 5))
    assert [row.variant for row in appeals.numbers_of(APPEAL, AT)] == ["a", "b"]


def test_only_the_first_payment_counts_and_what_was_given_back_is_not_worth_anything(app):
    seen("view", "a", 1000)
    giver = make_giver(NOON)
    support = begin(NOON, giver, appeal=APPEAL, variant="a")
    first = pay_for(support, NOON, giver)
    pay_for(support, NOON + timedelta(minutes=5), giver)
    assert of("a").paid == Paid(1, Money(400, "EUR"))
    give_back(first, AT, 150)
    assert of("a").paid == Paid(1, Money(250, "EUR"))


def test_other_currencies_are_worth_what_they_were_that_day_or_are_named_as_left_out(app, viewer):
    seen("view", "a", 1000)
    one, two = paid("a", 2)
    with transaction("test.currency"):
        db.session.get_one(Payment, one.id).currency = "USD"
    assert of("a").paid == Paid(2, Money(400, "EUR"), 1)
    assert "1 payment has no exchange rate" in page(viewer)
    rating.set_by_hand("USD", "EUR", Decimal("0.5"), NOON.date())
    assert of("a").paid == Paid(2, Money(600, "EUR"))
    assert two.currency == "EUR"


def test_the_holdout_says_what_showing_anything_brings(app):
    seen("view", "a", 9000)
    seen("view", "b", 9000)
    seen("withheld", "-", 2000)
    paid("a", 20)
    paid("b", 30)
    paid("-", 2)
    held = of("-")
    assert (held.n_views, held.paid.n, held.is_holdout) == (2000, 2, True)
    assert held.against == compare(Arm(2000, 2), Arm(18000, 50))
    assert [row.variant for row in appeals.numbers_of(APPEAL, AT)] == ["a", "b", "-"]


def test_several_variants_have_to_be_that_much_surer(app):
    for variant in "abcd":
        seen("view", variant, 5000)
        paid(variant, 5)
    assert of("d").against == compare(Arm(5000, 5), Arm(5000, 5), 0.05 / 3)


def test_without_a_single_view_there_is_a_page(app, viewer):
    seen("close", "a", 1)
    text = page(viewer)
    assert "Too early" not in text
    assert "The others are compared with this one" in text
    paid("b")
    paid("-")
    assert "Too early to say" in page(viewer)
    assert of("b").worth_per_1000 is None
    assert of("-").against.state is State.EARLY


@pytest.mark.parametrize("name", ["apl_x", "con_1", "0", "apl_" + "0" * 26])
def test_an_appeal_that_is_not_there_has_no_page(app, viewer, name):
    seen("view", "a", 1)
    page(viewer, f"/staff/appeals/{name}/numbers", 404)


@pytest.mark.parametrize("role", ["owner", "finance", "editor", "viewer"])
def test_everybody_who_works_here_may_look_and_nobody_else(app, client, role):
    seen("view", "a", 1)
    assert client.get(PATH).status_code == 303
    make_staff(f"{role}@example.org", role)
    sign_in(client, f"{role}@example.org")
    assert client.get(PATH).status_code == 200


def test_a_page_says_who_is_ahead_in_both_languages(app, viewer):
    seen("view", "a", 20_000)
    seen("view", "b", 20_000)
    seen("withheld", "-", 3_000)
    counting.count([received(("view", "c", 1000)) for _ in range(20)])
    paid("a", 20)
    paid("b", 95)
    paid("c", 19)
    text = page(viewer)
    assert "B is ahead of A" in text
    assert "€19.00" in text  # 95 * 400 * 1000 / 20,000
    assert "Shown nothing" in text
    ours = page(viewer, PATH + "?lang=uk")
    assert "B випереджає A" in ours
    assert "€19.00" not in ours


@pytest.mark.parametrize(
    ("lift", "words"),
    [
        (Interval(None, None), ""),
        (Interval(-1, None), ""),
        (Interval(-0.5, None), "more than −50%"),
        (Interval(0.25, 1e9), "more than +25%"),
        (Interval(-0.0512, 0.1), "−5.1% to +10%"),
        (Interval(0.0001, 0.0301), "0% to +3%"),
        (Interval(-1, 0.5), "−100% to +50%"),
    ],
)
def test_a_lift_in_words(app, lift, words):
    with app.test_request_context():
        assert lift_words(lift) == words


@pytest.mark.parametrize(
    ("variant", "a", "b", "words"),
    [
        ("b", (20_000, 100), (20_000, 220), "B is ahead of A"),
        ("c", (20_000, 220), (20_000, 100), "A is ahead of C"),
        ("-", (20_000, 100), (20_000, 220), "Showing it brings more"),
        ("-", (20_000, 220), (20_000, 100), "Showing it brings less"),
        ("b", (4_000_000, 20_000), (4_000_000, 20_000), "No difference worth waiting for"),
        ("b", (0, 0), (0, 0), "Too early to say"),
    ],
)
def test_a_verdict_in_words(app, variant, a, b, words):
    nothing = Paid(0, Money(0, "EUR"))
    with app.test_request_context():
        row = VariantNumbers(variant, 0, 0, 0, 0, nothing, compare(Arm(*a), Arm(*b)))
        assert verdict_words(row) == words


def test_worth_is_rounded_half_to_even():
    def worth(minor, n):
        return VariantNumbers("a", n, 0, 0, 0, Paid(1, Money(minor, "EUR")), None).worth_per_1000.minor

    assert [worth(1, 2000), worth(3, 2000), worth(5, 2000), worth(-1, 2000), worth(0, 7)] == [0, 2, 2, 0, 0]
