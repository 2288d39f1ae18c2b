"""Roll-ups say what the rows say: built bit by bit, late or in any order, or all at once."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from membership.billing.books import WHOLE, Scope
from membership.billing.models import JournalEntry, JournalTransaction, Payment, PaymentReversal
from membership.contributions.models import Contribution, PaymentTrouble
from membership.dashboard import checks
from membership.dashboard.models import DaySum, FrozenRate, RollupMark, StaleDay
from membership.dashboard.rules.rates import Quote
from membership.dashboard.services import noticing, rating, rebuilding, summing
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries import day_of
from membership.newsroom.queries.snapshot import current, forget
from membership.newsroom.rules.subjects import Subject
from membership.newsroom.services import save
from membership.patrons.models import CoverageSpan, Grace, Movement, PatronChange
from tests.dashboard.conftest import DAY, NOW, kyiv, rate
from tests.factories.money import book, cover, give_back, make_giver, state_fee, support
from tests.factories.starts import begin, pay_for


def kept(*measures) -> dict:
    """Every sum that is kept: (measure, day, currency, dimension) -> (n, amount)."""
    query = select(DaySum)
    if measures:
        query = query.where(DaySum.measure.in_(measures))
    db.session.rollback()
    return {(r.measure, r.day_on, r.currency, r.dim): (r.n, r.amount) for r in db.session.scalars(query)}


def values(measure) -> dict:
    db.session.rollback()
    return {
        (r.day_on, r.currency): r.reporting_minor
        for r in db.session.scalars(select(DaySum).where(DaySum.measure == measure))
    }


def findings(scope=WHOLE) -> list[str]:
    db.session.rollback()
    return [finding.message for finding in checks.unlike_rows(scope)]


def naive() -> dict:
    """The same as `kept`, from all rows at once, in plain Python: the independent computation."""
    sums: dict = {}

    def add(measure, at, currency, dim, n, amount):
        key = (measure, day_of(at), currency, dim)
        old = sums.get(key, (0, 0))
        sums[key] = (old[0] + n, old[1] + amount)

    movements = list(db.session.scalars(select(Movement)))
    currencies = {
        (m.reference, m.at): {o.currency for o in movements if (o.reference, o.at) == (m.reference, m.at)}
        for m in movements
    }
    for m in movements:
        if m.at > NOW:
            continue
        is_half = len(currencies[m.reference, m.at]) > 1
        add("movements", m.at, m.currency, "currency" if is_half else m.kind, 1, m.yearly_delta_minor)
        if m.kind == "lost":
            add("losses", m.at, m.currency, m.cause, 1, m.yearly_delta_minor)
        step = {"new": 1, "back": 1, "lost": -1}.get(m.kind, 0)
        add("supports", m.at, m.currency, "", step, m.yearly_delta_minor)
        add("cups", m.at, m.currency, "", step, m.milli_cups_delta)
    payments = {p.id: p for p in db.session.scalars(select(Payment))}
    for p in payments.values():
        add("payments", p.paid_at, p.currency, f"{p.rhythm}:{p.way}", 1, p.charged_minor)
    for r in db.session.scalars(select(PaymentReversal)):
        p = payments[r.payment_id]
        add("returned", r.moved_at, p.currency, f"{p.rhythm}:{p.way}", 1, r.amount_minor)
    entries = select(
        JournalTransaction.kind, JournalTransaction.moved_at, JournalEntry.currency, JournalEntry.amount_minor
    )
    for kind, at, currency, minor in db.session.execute(
        entries.join(JournalEntry, JournalEntry.transaction_id == JournalTransaction.id).where(
            JournalEntry.account == "provider_fees"
        )
    ):
        add("fees", at, currency, kind, 1, minor)
    for t in db.session.scalars(select(PaymentTrouble)):
        add("troubles", t.at, t.currency, t.kind, 1, t.amount_minor)
    _naive_starts(add)
    return sums | naive_patrons()


def _naive_starts(add) -> None:
    """Who went to pay, who paid, and whose money was their first, contribution by contribution."""
    paid = {}
    for payment in db.session.scalars(select(Payment).order_by(Payment.id)):
        paid.setdefault(payment.reference, payment)
    first = {}
    rows = list(db.session.scalars(select(Contribution)))
    for row in rows:
        names = {
            kind: row.attribution.get(key)
            for kind, key in (("article", "article"), ("section", "section"), ("campaign", "utm_campaign"))
        }
        named = {kind: name for kind, name in names.items() if name}
        dims = [("", dim) for dim in ("all", *(["came"] if named else []), *named)]
        dims += [("_by_name", f"{kind}:{name}") for kind, name in named.items()]
        for measure, dim in dims if row.way == "card" and row.created_at <= NOW else []:
            add(f"starts{measure}", row.created_at, "", dim, 1, 0)
            if row.reference in paid:
                add(f"paid_starts{measure}", row.created_at, "", dim, 1, 0)
        if row.reference in paid and row.person_id:
            payment = paid[row.reference]
            theirs = first.setdefault(row.person_id, (payment, row))
            if payment.id < theirs[0].id:
                first[row.person_id] = (payment, row)
    for payment, row in first.values():
        add("first_gifts", payment.paid_at, "", row.attribution.get("article", ""), 1, 0)


def naive_patrons() -> dict:
    """Who is a patron at the last moment of each day, person by person, from coverage and graces alone."""
    times = [(s.person_id, s.starts_at, s.ends_at) for s in db.session.scalars(select(CoverageSpan))]
    times += [
        (g.person_id, g.opened_at, min(g.until, g.closed_at or g.until)) for g in db.session.scalars(select(Grace))
    ]
    if not times:
        return {}
    # The month in which the first thing that was written of somebody begins.
    since = {}
    for row in db.session.scalars(select(PatronChange).order_by(PatronChange.id)):
        since.setdefault(row.person_id, f"{day_of(row.starts_at):%Y-%m}")
    found, before = {}, Counter()
    day = day_of(min(start for _, start, _ in times))
    while day <= day_of(NOW):
        at = min(kyiv(f"{day + DAY} 00:00") - timedelta(microseconds=1), NOW)
        now = Counter(since[person] for person in {person for person, start, end in times if start <= at < end})
        for month in {*now, *before}:
            if now[month] != before[month]:
                found["cohorts", day, "", month] = (now[month] - before[month], 0)
        if now.total() != before.total():
            found["patrons", day, "", ""] = (now.total() - before.total(), 0)
        day, before = day + DAY, now
    return found


def live(person_id) -> None:
    """A little of everything, over a change of clocks."""
    support(person_id, "con_a", kyiv("2026-10-24 23:30"))
    payment = book(kyiv("2026-10-24 23:30"))
    cover(person_id, kyiv("2026-10-24 23:30"))
    book(kyiv("2026-10-25 03:30"), 10_000, "UAH", rhythm=Rhythm.ONCE, way="bank")
    give_back(payment, kyiv("2026-11-02 00:00"), 100)
    support(person_id, "con_a", kyiv("2026-11-10 12:00"), 3, "UAH")
    for day, names in ((25, {"article": "port", "utm_campaign": "autumn"}), (26, {"section": "city"}), (27, {})):
        begun = begin(kyiv(f"2026-10-{day} 03:30"), **names)
        pay_for(begun, kyiv(f"2026-11-{day - 20:02} 03:30"), person_id)


def test_bit_by_bit_and_all_at_once_come_to_the_same_and_to_the_rows(app):
    live(make_giver(NOW))
    for at in (kyiv("2026-10-25 00:10"), kyiv("2026-11-02 00:00"), NOW):
        rebuilding.roll(at)
    bit_by_bit = kept()
    assert bit_by_bit == naive()
    rebuilding.rebuild(NOW)
    assert kept() == bit_by_bit
    assert findings() == []


def test_twice_changes_nothing_and_a_quiet_minute_sums_only_today(app):
    live(make_giver(NOW))
    rebuilding.roll(NOW)
    before = kept()
    assert rebuilding.roll(NOW + timedelta(minutes=1)) == len(noticing.SOURCES)
    assert kept() == before


def test_a_late_row_touches_only_its_day(app):
    live(make_giver(NOW))
    rebuilding.roll(NOW)
    before = kept()
    book(kyiv("2026-10-31 23:59"), 777)
    noticing.notice(NOW)
    db.session.rollback()
    waiting = {(row.source, row.day_on) for row in db.session.scalars(select(StaleDay))}
    late, today = day_of(kyiv("2026-10-31 12:00")), day_of(NOW)
    assert {day for _, day in waiting} == {late, today}
    assert {source for source, day in waiting if day == late} == {"payments", "fees"}
    rebuilding.roll(NOW)
    changed = {key for key in kept().keys() | before.keys() if kept().get(key) != before.get(key)}
    assert {day for _, day, _, _ in changed} == {late}


def test_a_fee_that_comes_late_belongs_to_the_day_of_its_payment(app):
    payment = book(kyiv("2026-11-01 10:00"), fee=None)
    rebuilding.roll(NOW)
    state_fee(payment, 31)
    rebuilding.roll(NOW)
    assert kept("fees") == {("fees", day_of(payment.paid_at), "EUR", "fee"): (1, 31)}


def test_a_row_whose_number_was_given_out_before_and_committed_after_is_not_lost(app):
    """On PostgreSQL a slow transaction shows a lower number after a higher one was seen."""
    book(kyiv("2026-11-01 10:00"))
    rebuilding.roll(NOW)
    with transaction("test.slow"):  # as if its number had been taken before the last look
        db.session.execute(
            update(RollupMark).where(RollupMark.source == "payments").values(last_id=RollupMark.last_id + 1)
        )
    book(kyiv("2026-11-02 10:00"), 555)
    rebuilding.roll(NOW)
    assert kept("payments")[("payments", day_of(kyiv("2026-11-02 12:00")), "EUR", "monthly:card")] == (1, 555)


def test_marks_follow_once_nothing_before_them_can_be_on_its_way(app, monkeypatch):
    book(kyiv("2026-11-01 10:00"))
    rebuilding.roll(NOW)
    real = clock.real_now()
    for minutes in (11, 22):
        monkeypatch.setattr(clock, "real_now", lambda minutes=minutes: real + timedelta(minutes=minutes))
        rebuilding.roll(NOW + timedelta(minutes=minutes))
    mark = db.session.get(RollupMark, "payments")
    assert mark.sure_id == mark.seen_id == 1


def test_a_rebuild_that_is_killed_is_finished_by_the_next_roll(app):
    live(make_giver(NOW))
    noticing.begin_anew(NOW)
    summing.sum_some(NOW, limit=7)
    rebuilding.roll(NOW)
    assert kept() == naive()


def test_what_was_kept_and_has_no_rows_goes_with_a_rebuild(app):
    book(NOW - DAY)
    rebuilding.roll(NOW)
    with transaction("test.damage"):
        db.session.add(
            DaySum(measure="payments", day_on=day_of(NOW - 90 * DAY), currency="EUR", dim="once:card", n=1, amount=5)
        )
    rebuilding.rebuild(NOW)
    assert kept() == naive()


def test_another_time_zone_sums_everything_anew(app):
    book(kyiv("2026-11-01 00:30"))
    rebuilding.roll(NOW)
    known = app.extensions["membership.settings"]
    app.extensions["membership.settings"] = known.model_copy(update={"newsroom_zone": "Europe/London"})
    rebuilding.roll(NOW)
    assert {day for _, day, _, _ in kept("payments")} == {date(2026, 10, 31)}


def test_a_clock_that_is_set_back_leaves_nothing_of_days_that_are_yet_to_come(app):
    book(kyiv("2026-11-01 10:00"))
    book(NOW)
    rebuilding.roll(NOW + 3 * DAY)
    rebuilding.roll(kyiv("2026-11-02 10:00"))
    assert {day for _, day, _, _ in kept("payments")} == {day_of(kyiv("2026-11-01 10:00"))}
    rebuilding.roll(NOW)
    assert kept() == naive()


def test_coverage_from_before_this_was_written_down_is_caught_up_with(app):
    for _ in range(3):
        cover(make_giver(NOW), NOW - 10 * DAY)
    db.session.execute(text("DROP TRIGGER IF EXISTS patron_changes_no_delete" if db.engine.dialect.name == "sqlite" else
                            "DROP TRIGGER patron_changes_append_only ON patron_changes"))  # fmt: skip
    db.session.execute(delete(PatronChange))
    db.session.commit()
    rebuilding.roll(NOW)
    assert kept("patrons") == {("patrons", day_of(NOW - 10 * DAY), "", ""): (3, 0)}


# The check ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE day_sums SET amount = amount + 1 WHERE measure = 'payments'",
        "UPDATE day_sums SET n = n + 1 WHERE measure = 'patrons'",
        "DELETE FROM day_sums WHERE measure = 'movements'",
        "UPDATE day_sums SET dim = 'gift:card' WHERE measure = 'payments'",
    ],
)
def test_the_check_finds_what_is_not_as_the_rows_say(app, damage):
    person = make_giver(NOW)
    support(person, "con_a", NOW - DAY)
    cover(person, NOW - DAY)
    book(NOW - DAY)
    rebuilding.roll(NOW)
    assert findings() == []
    db.session.execute(text(damage))
    db.session.commit()
    assert len(findings()) == 1
    assert len(findings(Scope(NOW - 2 * DAY))) == 1
    assert findings(Scope(NOW + 2 * DAY)) == []
    rebuilding.rebuild(NOW)
    assert findings() == []


def test_rows_that_nobody_looked_at_yet_are_no_fault(app):
    book(NOW - DAY)
    rebuilding.roll(NOW)
    book(NOW - 2 * DAY)
    book(NOW - DAY)
    assert findings() == []


def test_before_the_first_roll_there_is_nothing_to_find(app):
    book(NOW)
    assert findings() == []


def test_the_commands_rebuild_and_check(app, monkeypatch):
    from membership.cli.rollups import rollups

    monkeypatch.setattr(clock, "now", lambda: NOW)
    live(make_giver(NOW))
    run = app.test_cli_runner()
    assert "were summed anew" in run.invoke(rollups, ["rebuild"]).output
    answer = run.invoke(rollups, ["check"])
    assert (answer.exit_code, "Every roll-up is what the rows say." in answer.output) == (0, True)
    db.session.execute(text("UPDATE day_sums SET amount = 1 WHERE measure = 'payments'"))
    db.session.commit()
    answer = run.invoke(rollups, ["check"])
    assert (answer.exit_code, "DIFFERENCE: payments of 2026-10-24" in answer.output) == (1, True)


# Rates -------------------------------------------------------------------------------------------------


def test_a_day_that_is_over_keeps_its_rate_whatever_is_imported_later(app):
    rate("EUR", "UAH", "40", "2026-10-01")
    book(kyiv("2026-10-15 10:00"), 40_000, "UAH")
    book(kyiv("2026-11-18 10:00"), 40_000, "UAH")
    rebuilding.roll(NOW)
    october, today = (day_of(kyiv("2026-10-15 12:00")), "UAH"), (day_of(NOW), "UAH")
    assert values("payments") == {october: 1000, today: 1000}
    rating.take_in([Quote("nbu", day, "EUR", "UAH", Decimal(50)) for day in (october[0], today[0])])
    rebuilding.roll(NOW)
    assert values("payments") == {october: 1000, today: 800}
    book(kyiv("2026-10-15 11:00"), 40_000, "UAH")  # heard late: at the rate that October had
    rebuilding.roll(NOW)
    assert values("payments")[october] == 2000
    rebuilding.rebuild(NOW)
    assert values("payments") == {october: 2000, today: 800}


def test_a_day_without_a_rate_gets_it_with_the_first_one_that_reaches_back_to_it(app):
    book(kyiv("2026-11-02 10:00"), 40_000, "UAH")
    book(kyiv("2026-11-12 10:00"), 40_000, "UAH")
    rebuilding.roll(NOW)
    assert set(values("payments").values()) == {None}
    rate("EUR", "UAH", "40", "2026-11-10")
    rebuilding.roll(NOW)
    second, twelfth = (date(2026, 11, 2), "UAH"), (date(2026, 11, 12), "UAH")
    assert values("payments") == {second: None, twelfth: 1000}
    rating.take_in([Quote("csv", date(2026, 11, 1), "EUR", "UAH", Decimal(50))])
    rebuilding.roll(NOW)
    assert values("payments") == {second: 800, twelfth: 1000}


def test_a_frozen_rate_cannot_be_changed(app):
    rate("EUR", "UAH", "40")
    book(NOW - DAY, 100, "UAH")
    rebuilding.roll(NOW)
    assert db.session.scalar(select(FrozenRate.rate).where(FrozenRate.currency == "UAH").limit(1)) == "0.025"
    with pytest.raises(DBAPIError, match="append-only"), transaction("test"):
        db.session.execute(update(FrozenRate).values(rate="1"))


def test_another_reporting_currency_values_everything_anew(app):
    rate("EUR", "UAH", "40")
    book(kyiv("2026-11-02 10:00"), 1000, "EUR")
    rebuilding.roll(NOW)
    was = current().values[Subject.PRICES]
    save(Subject.PRICES, replace(was, reporting_currency="UAH"), 0, "staff:per_1", NOW)  # as owners do at the desk
    forget()
    rebuilding.roll(NOW)
    assert list(values("payments").values()) == [40_000]
