"""Saves, undos and races in any order: there is always an offer that somebody can take, and history tells it all."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from membership.app import create_app
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.kernel.rhythm import Rhythm
from membership.newsroom import queries, services
from membership.newsroom.queries.history import values_at, versions_of
from membership.newsroom.queries.snapshot import current, forget
from membership.newsroom.rules.plain import Languages
from membership.newsroom.rules.prices import CurrencyPrices, Prices
from membership.newsroom.rules.subjects import Subject
from tests.conftest import make_settings
from tests.newsroom.conftest import ACTOR

CODES = ("EUR", "USD", "UAH", "PLN", "JPY")
# Now and then too little, too much or nothing at all.
minors = strategies.sampled_from([0, 1, 50, 100, 399, 400, 5000, 3_000_000])
rows = strategies.builds(
    CurrencyPrices, strategies.sampled_from(CODES), minors, minors, minors, minors, strategies.booleans()
)
prices = strategies.builds(
    Prices,
    strategies.lists(rows, max_size=4, unique_by=lambda row: row.currency).map(tuple),
    strategies.sampled_from(CODES),
    strategies.integers(-1, 201),
)
good_rows = strategies.builds(
    lambda code, cup, is_open: CurrencyPrices(code, cup, cup, min(cup, 500), 10, is_open),
    strategies.sampled_from(CODES),
    strategies.integers(500, 20_000),
    strategies.booleans(),
)
good_prices = strategies.builds(
    lambda rows, place: Prices(rows, rows[place % len(rows)].currency, 15),
    strategies.lists(good_rows, min_size=1, max_size=4, unique_by=lambda row: row.currency).map(tuple),
    strategies.integers(0, 3),
)
languages = strategies.builds(
    Languages,
    strategies.lists(strategies.sampled_from(["en", "uk"]), unique=True).map(tuple),
    strategies.sampled_from(["en", "uk"]),
)
subjects = strategies.sampled_from([Subject.PRICES, Subject.LANGUAGES])


class Changing(RuleBasedStateMachine):
    """`counted` is what the model says that each version of each subject held, 0 being the environment's."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        place = Path(self.folder.name)
        known = make_settings(database_url=f"sqlite:///{place / 'x.db'}", queue_path=str(place / "queue.db"))
        self.app = create_app(known)
        self.context = self.app.app_context()
        self.context.push()
        db.create_all()
        self.counted = {subject: [current().values[subject]] for subject in Subject}
        self.priced = {row.currency for row in current().prices.currencies}

    def _save(self, subject, values, base):
        """What became of it: the model says what it must be."""
        history = self.counted[subject]
        wanted = values.keeping(history[-1])
        try:
            number = services.save(subject, values, base, ACTOR, clock.now())
        except Conflict:
            assert base != len(history) - 1
            assert wanted != history[-1]
        except InvalidInput:
            assert wanted.faults(queries.bounds())
        else:
            if wanted != history[-1]:
                assert base == len(history) - 1
                assert wanted.faults(queries.bounds()) == []
                history.append(wanted)
            assert number == len(history) - 1
        self._note_priced()

    def _note_priced(self):
        self.priced |= {row.currency for row in self.counted[Subject.PRICES][-1].currencies}

    @rule(values=prices | good_prices)
    def set_prices(self, values):
        self._save(Subject.PRICES, values, len(self.counted[Subject.PRICES]) - 1)

    @rule(values=languages)
    def set_languages(self, values):
        self._save(Subject.LANGUAGES, values, len(self.counted[Subject.LANGUAGES]) - 1)

    @rule(values=good_prices, other=good_prices)
    def race(self, values, other):
        """Two people had the same page before them."""
        base = len(self.counted[Subject.PRICES]) - 1
        self._save(Subject.PRICES, values, base)
        self._save(Subject.PRICES, other, base)

    @rule(subject=subjects, share=strategies.floats(0, 1, exclude_max=True), is_stale=strategies.booleans())
    def go_back(self, subject, share, is_stale):
        history = self.counted[subject]
        to, base = int(share * len(history)), len(history) - 1 - is_stale
        wanted = history[to].keeping(history[-1])
        try:
            number = services.go_back(subject, to, base, ACTOR, clock.now())
        except Conflict:
            assert is_stale
        except InvalidInput:
            raise AssertionError("Whatever counted once may count again.") from None
        else:
            if number == len(history):
                history.append(wanted)
            assert history[-1] == wanted
            assert number == len(history) - 1
        self._note_priced()

    @invariant()
    def somebody_can_give_something(self):
        forget()
        known = queries.prices()
        assert known.reporting_currency in queries.offered_currencies()
        for code in queries.offered_currencies():
            offer = queries.offer_in(code)
            assert offer.currencies == queries.offered_currencies()
            assert 0 < offer.minimum[Rhythm.MONTHLY].minor <= offer.cup.minor
            assert 0 < offer.minimum[Rhythm.ONCE].minor <= offer.cup.minor
            assert offer.price(Rhythm.YEARLY, 4).minor <= 99_999_999
            assert offer.fee_for(offer.cup).minor >= 0
        house = queries.house()
        assert house.default_language in house.languages

    @invariant()
    def every_price_that_ever_was_is_known(self):
        assert set(queries.priced_currencies()) == self.priced
        assert all(queries.offer_in(code).cup.minor > 0 for code in self.priced)

    @invariant()
    def history_says_how_it_came(self):
        for subject, history in self.counted.items():
            versions = versions_of(subject, 1000)
            assert [version.number for version in versions] == list(range(len(history) - 1, 0, -1))
            assert current().values[subject] == history[-1]
            assert current().number(subject) == len(history) - 1
            for version in versions:
                assert version.before == history[version.number - 1].to_json()
                assert values_at(subject, version.number) == history[version.number]

    def teardown(self):
        if hasattr(self, "context"):
            self.app.extensions["membership.hints"].close()
            db.session.remove()
            db.engine.dispose()
            self.context.pop()
            self.folder.cleanup()


def test_any_order_of_saves_undos_and_races_leaves_a_valid_offer():
    few = settings(
        max_examples=12,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Changing, settings=few)
