"""What somebody can do who owns the database: triggers off, any statement, triggers on again."""

from sqlalchemy import text

from membership.db import db


def tamper(*statements: str, **values) -> None:
    """Run statements past every trigger, as the owner of the database can."""
    db.session.rollback()
    with db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            triggers = connection.execute(text(query)).all()
            for name, _ in triggers:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement), values)
        if connection.dialect.name == "sqlite":
            for _, sql in triggers:
                connection.exec_driver_sql(sql)
