"""What reconcile asks of contributions."""

from sqlalchemy import event

from membership.contributions.comparing import live_after
from membership.db import db, is_sqlite


def test_a_page_of_live_supports_is_read_in_order_and_not_sorted_out_of_all_of_them(app):
    """For 100,000 members every page of 500 cost a sort of all: half the speed of 10,000 members. On SQLite;
    PostgreSQL keeps count of its rows itself.
    """
    asked = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert live_after("", 500) == []
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    if is_sqlite():
        statement, parameters = asked[-1]
        with db.engine.connect() as connection:
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())
        assert "subscription_id>?" in plan
        assert "TEMP B-TREE" not in plan
