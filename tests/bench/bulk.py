"""What PostgreSQL has to be told once rows with numbers of their own were written in bulk; SQLite needs nothing."""

from collections.abc import Iterable

from membership.db import db, is_sqlite


def settle(tables: Iterable[str]) -> None:
    """The next row of each of these tables has the next number; and how full all tables are, for the planner."""
    if is_sqlite():
        return
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in tables:
            last = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"  # noqa: S608
            connection.exec_driver_sql(last)
        connection.exec_driver_sql("VACUUM ANALYZE")
