"""Limits are exact, shared, and closed when they cannot count (S8, S27)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, text
from werkzeug.exceptions import ServiceUnavailable

from membership.accounts.jobs import forget
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import TooMany
from membership.web import ratelimit
from membership.web.access import audience
from membership.web.models import RateCounter
from tests.conftest import make_settings


@pytest.mark.parametrize(
    ("rule", "n_allowed"), [("signin.address", 3), ("checkout.origin", 10), ("checkout.total", 30)]
)
def test_a_hundred_at_once_get_exactly_what_is_allowed(app, rule, n_allowed):
    def try_once(_):
        with app.app_context():
            try:
                ratelimit.hit(rule, "one")
            except TooMany:
                return False
            return True

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(try_once, range(100))) == n_allowed


def test_every_key_has_a_count_of_its_own(app):
    for key in ("a", "b"):
        for _ in range(3):
            ratelimit.hit("signin.address", key)
    with pytest.raises(TooMany):
        ratelimit.hit("signin.address", "a")


def test_at_most_so_many_in_any_span_of_that_length(app):
    with time_machine.travel("2026-11-01 12:00:00Z", tick=False) as traveller:
        for minutes in (0, 14, 0):
            traveller.shift(timedelta(minutes=minutes))
            ratelimit.hit("signin.address", "a")
        with pytest.raises(TooMany) as refused:
            ratelimit.hit("signin.address", "a")
        assert 60 <= refused.value.retry_after <= 61
        traveller.shift(timedelta(seconds=61))
        ratelimit.hit("signin.address", "a")
        with pytest.raises(TooMany) as refused:
            ratelimit.hit("signin.address", "a")
        assert 779 <= refused.value.retry_after <= 841


def test_a_large_total_counts_by_windows(app):
    with time_machine.travel("2026-11-01 12:00:00Z", tick=False) as traveller:
        for _ in range(30):
            ratelimit.hit("checkout.total")
        with pytest.raises(TooMany) as refused:
            ratelimit.hit("checkout.total")
        assert 60 <= refused.value.retry_after <= 61
        traveller.shift(61)
        ratelimit.hit("checkout.total")


def test_the_counters_keep_no_address(app):
    ratelimit.hit("signin.address", "olena@example.org")
    rows = db.session.execute(text("SELECT * FROM rate_counters")).all()
    assert len(rows) == 1
    assert "olena" not in str(rows)


def test_a_refused_hit_stays_counted_when_the_work_is_rolled_back(app):
    with pytest.raises(ZeroDivisionError):
        for _ in range(3):
            ratelimit.hit("signin.address", "a")
        with transaction("test"):
            1 / 0  # noqa: B018
    with pytest.raises(TooMany):
        ratelimit.hit("signin.address", "a")


def test_a_limit_is_not_asked_inside_a_transaction(app):
    with transaction("test"), pytest.raises(RuntimeError, match="before the transaction"):
        ratelimit.hit("signin.address", "a")


def test_what_cannot_be_counted_is_not_done(app):
    with transaction("test"):
        db.session.execute(text("DROP TABLE rate_counters"))
    with pytest.raises(ServiceUnavailable):
        ratelimit.hit("checkout.total")
    with pytest.raises(ServiceUnavailable):
        ratelimit.hit("signin.address", "a")


def test_reading_goes_on_when_nothing_can_be_counted(app, client):
    with transaction("test"):
        db.session.execute(text("DROP TABLE rate_counters"))
    assert client.get("/signin").status_code == 200


def test_counters_that_count_nothing_are_deleted(app):
    with time_machine.travel("2026-11-01 12:00:00Z", tick=False) as traveller:
        ratelimit.hit("signin.address", "a")
        ratelimit.hit("signin.origin", "a")
        traveller.shift(timedelta(minutes=16))
        forget(clock.now())
    db.session.rollback()  # the job's own reading began before the counters were deleted, on another connection
    assert db.session.scalar(select(func.count()).select_from(RateCounter)) == 1


def test_reading_pages_writes_nothing(app, client):
    for _ in range(5):
        client.get("/signin")
    assert db.session.scalar(select(func.count()).select_from(RateCounter)) == 0


def test_a_redis_that_is_down_closes_money_and_sign_in_only(build):
    web = build(redis_url="redis://127.0.0.1:9/0")
    with web.app_context():
        for rule in ("checkout.total", "signin.address"):
            with pytest.raises(ServiceUnavailable):
                ratelimit.hit(rule, "a")
    assert web.test_client().get("/signin").status_code == 200


class TestSwitchedOff:
    @pytest.fixture
    def settings(self, database_url, tmp_path):
        return make_settings(database_url=database_url, queue_path=str(tmp_path / "q.db"), rate_limits=False)

    def test_nothing_is_counted(self, app):
        for _ in range(10):
            ratelimit.hit("signin.address", "a")
        with pytest.raises(KeyError):
            ratelimit.hit("no.such.rule")


def test_the_first_brake_stops_one_origin_and_not_the_others(web, monkeypatch):
    monkeypatch.setitem(ratelimit.BRAKES, "read", 5)
    monkeypatch.setattr("membership.web.ratelimit.time.monotonic", lambda: 30.0)
    web.add_url_rule("/r", "r", audience("public")(lambda: "in"))
    client = web.test_client()
    statuses = [client.get("/r").status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert client.get("/r", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 200
    assert client.get("/r", headers={"X-Forwarded-For": "203.0.113.10"}).status_code == 429


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("nonsense", "nonsense"),
        ("", ""),
    ],
)
def test_neighbours_share_a_network(ip, network):
    assert ratelimit.network_of(ip) == network


def test_one_household_is_one_origin(web):
    for first, second in (("2001:db8:1:2::a", "2001:db8:1:2:ffff::b"), ("203.0.113.7", "203.0.113.7")):
        origins = set()
        for ip in (first, second):
            with web.test_request_context(environ_base={"REMOTE_ADDR": ip}):
                origins.add(ratelimit.origin())
        assert len(origins) == 1


def test_several_limits_are_counted_in_order_up_to_the_first_that_is_reached(app):
    wanted = (("signin.origin", "o"), ("signin.address", "a"), ("checkout.email", "e"))
    for _ in range(3):
        ratelimit.hit_all(*wanted)
    for _ in range(2):
        with pytest.raises(TooMany):
            ratelimit.hit_all(*wanted)
    counted = sorted(len(row.hits) for row in db.session.scalars(select(RateCounter)))
    assert counted == [3, 3, 5]
