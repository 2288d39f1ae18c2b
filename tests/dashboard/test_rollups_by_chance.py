"""Roll-ups say what the rows say, whatever happened in whatever order."""

from collections import Counter
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from membership.contributions.models import Contribution
from membership.contributions.services import owning as contributions_owning
from membership.dashboard.queries.sums import find_rolled_to
from membership.dashboard.services import owning, rebuilding
from membership.db import db, transaction
from membership.kernel.rhythm import Rhythm
from membership.patrons import services as patrons
from membership.patrons.models import Grace
from membership.patrons.queries import n_patrons
from tests.dashboard.conftest import NOW
from tests.dashboard.test_rollups import findings, kept, naive, naive_patrons
from tests.factories.money import book, cover, give_back, make_giver, support, trouble
from tests.factories.starts import begin, pay_for

MOMENTS = st.integers(0, 26 * 24 * 4).map(lambda n: NOW - timedelta(minutes=15 * n))
DEEDS = st.one_of(
    st.tuples(st.just("support"), MOMENTS, st.integers(0, 2), st.integers(0, 3), st.sampled_from(["EUR", "UAH"])),
    st.tuples(st.just("cover"), MOMENTS, st.integers(0, 2), st.integers(1, 40)),
    st.tuples(st.just("revoke"), MOMENTS, st.integers(0, 5)),
    st.tuples(st.just("grace"), MOMENTS, st.integers(0, 2), st.integers(1, 14)),
    st.tuples(st.just("close"), MOMENTS, st.integers(0, 2)),
    st.tuples(st.just("pay"), MOMENTS, st.sampled_from(list(Rhythm)), st.sampled_from(["card", "bank"])),
    st.tuples(st.just("return"), MOMENTS, st.integers(0, 5), st.integers(1, 100)),
    st.tuples(st.just("begin"), MOMENTS, st.sampled_from([{}, {"article": "a"}, {"article": "b", "section": "s"}])),
    st.tuples(st.just("pay begun"), MOMENTS, st.integers(0, 5), st.integers(0, 2)),
    st.tuples(st.just("erase"), MOMENTS, st.integers(0, 2)),
    st.tuples(st.just("give to"), MOMENTS, st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.just("trouble"), MOMENTS, st.sampled_from(["failed", "recovered"])),
    st.tuples(st.just("roll"), MOMENTS),
)


class History:
    """Three people to whom things happen, in any order."""

    def __init__(self) -> None:
        self.people = [make_giver(NOW) for _ in range(3)]
        self.causes, self.payments, self.begun, self.seen = [], [], [], Counter()

    def do(self, deed) -> None:  # noqa: C901, PLR0912 - a line for each deed
        what, at, *rest = deed
        self.seen[what] += 1
        match what:
            case "support":
                who, cups, currency = rest
                support(self.people[who], f"con_{who}", at, cups, currency)
            case "cover":
                self.causes.append(cover(self.people[rest[0]], at, rest[1]))
            case "revoke" if self.causes:
                patrons.revoke(self.causes[rest[0] % len(self.causes)], at)
            case "grace":
                patrons.open_grace(self.people[rest[0]], f"con_{rest[0]}", opened_at=at, days=rest[1])
            case "close":
                patrons.close_grace(f"con_{rest[0]}", at)
            case "pay":
                self.payments.append(book(at, rhythm=rest[0], way=rest[1]))
            case "return" if self.payments:
                give_back(self.payments[rest[0] % len(self.payments)], at, rest[1])
            case "begin":
                self.begun.append(begin(at, **rest[0]))
            case "pay begun" if self.begun:
                row = db.session.get_one(Contribution, self.begun[rest[0] % len(self.begun)].id)
                pay_for(row, at, row.person_id or self.people[rest[1]])
            case "erase":
                self.leave(self.people[rest[0]], at)
            case "give to" if rest[0] != rest[1]:
                self.become_one(*(self.people[each] for each in rest), at)
            case "trouble":
                trouble(rest[0], at)
            case "roll":
                rebuilding.roll(at)

    def leave(self, person_id, at) -> None:
        with transaction("test.erase"):
            contributions_owning.erase(person_id, at)
            owning.erase(person_id, at)

    def become_one(self, from_id, into_id, at) -> None:
        with transaction("test.merge"):
            contributions_owning.merge(from_id, into_id, at)
            owning.merge(from_id, into_id, at)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DEEDS, max_size=12))
def test_whatever_happens_in_whatever_order_roll_ups_are_what_the_rows_say(app, deeds):
    with app.app_context():
        db.session.remove()
        db.drop_all()
        db.create_all()
        history = History()
        for deed in deeds:
            history.do(deed)
        rebuilding.roll(NOW)
        assert kept() == naive()
        assert findings() == []
        n_by_days = sum(n for n, _ in kept("patrons").values())
        assert n_by_days == _naive_n() >= 0
        assert find_rolled_to() == NOW


def _naive_n() -> int:
    closed = select(Grace.person_id).where(Grace.closed_at > NOW, Grace.until > NOW, Grace.opened_at <= NOW)
    return n_patrons(NOW) if not db.session.scalars(closed).all() else sum(n for n, _ in naive_patrons().values())
