import pytest
from sqlalchemy import text

from membership import db as database
from membership.db import ClockOffset, db, outside_call, transaction
from membership.kernel import clock


def test_a_failed_transaction_leaves_nothing(app):
    with pytest.raises(RuntimeError, match="no"), transaction("test"):
        db.session.add(ClockOffset(id=1, seconds=5))
        db.session.flush()
        raise RuntimeError("no")
    assert db.session.get(ClockOffset, 1) is None


def test_an_outside_call_inside_a_transaction_is_refused(app):
    with transaction("test"), pytest.raises(database.OutsideCallInTransaction), outside_call("stripe"):
        pass


def test_an_inner_transaction_joins_the_outer_one(app):
    with pytest.raises(ZeroDivisionError), transaction("outer"):
        with transaction("inner"):
            db.session.add(ClockOffset(id=1, seconds=5))
        1 / 0  # noqa: B018
    assert db.session.get(ClockOffset, 1) is None


def test_sqlite_waits_for_the_disk_and_checks_foreign_keys(app):
    if not database.is_sqlite():
        assert db.session.scalar(text("SHOW timezone")) == "UTC"
        return
    assert db.session.scalar(text("PRAGMA journal_mode")) == "wal"
    assert db.session.scalar(text("PRAGMA synchronous")) == 2
    assert db.session.scalar(text("PRAGMA foreign_keys")) == 1


def test_the_movable_clock_moves_every_reader(app):
    database.follow_movable_clock(app)
    try:
        database.set_clock_offset(86_400)
        assert 86_390 < (clock.now() - clock.real_now()).total_seconds() < 86_410
    finally:
        clock.use_offset(clock.no_offset)
