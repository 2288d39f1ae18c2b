"""The migrations make what the models say, can be undone, and come to the same again, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from membership.app import create_app
from membership.db import db
from membership.resources import resource_dir
from tests.conftest import make_settings


@pytest.fixture
def bare_app(empty_database_url, tmp_path):
    app = create_app(make_settings(database_url=empty_database_url, queue_path=str(tmp_path / "queue.db")))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def differences():
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, db.metadata)


def triggers():
    """Name, table and what each refuses, to the letter."""
    if db.engine.dialect.name == "sqlite":
        query = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname, tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
    with db.engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(text(query)))


def test_up_down_and_up_again_ends_in_what_the_models_say(bare_app):
    directory = str(resource_dir("migrations"))
    upgrade(directory)
    assert differences() == []
    guarded = triggers()
    downgrade(directory, revision="base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    upgrade(directory)
    assert differences() == []
    assert triggers() == guarded


def checks():
    """Every CHECK of every table as this database keeps it, in one spelling of blanks and brackets."""
    found = inspect(db.engine)
    return {
        (table, check["name"], "".join(char for char in check["sqltext"] if char not in " \n()"))
        for table in found.get_table_names()
        for check in found.get_check_constraints(table)
    }


def test_migrations_check_the_same_as_the_models(bare_app):
    upgrade(str(resource_dir("migrations")))
    migrated = checks()
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    db.drop_all()
    db.create_all()
    assert migrated == checks()
    assert len(migrated) > 50


def test_migrations_guard_the_same_tables_as_the_models(bare_app):
    upgrade(str(resource_dir("migrations")))
    migrated = triggers()
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    db.drop_all()
    db.create_all()
    assert triggers() == migrated
    assert {table for _, table, _ in migrated} >= {"journal_entries", "movements", "timeline_entries"}
