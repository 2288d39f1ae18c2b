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


def test_who_was_here_before_is_found_and_sorted_afterwards(bare_app):
    """What 0007 fills in: words of names and addresses, cups, ends of accounts that are still known."""
    directory = str(resource_dir("migrations"))
    upgrade(directory, revision="0003")
    with db.engine.begin() as connection:
        for statement in BEFORE_0007:
            connection.execute(text(statement), {"at": NOON})
    upgrade(directory)
    with db.engine.connect() as connection:
        words = connection.execute(text("SELECT word FROM person_words ORDER BY word")).scalars().all()
        cups = connection.execute(text("SELECT n_cups FROM contributions ORDER BY id")).scalars().all()
        ends = connection.execute(text("SELECT account_end FROM known_payers")).scalars().all()
    assert sorted(words) == ["@example.org", "olena@example.org", "олена петренко", "петренко"]
    assert (cups, ends) == ([2, 3, 0], ["6001"])


NOON = "2026-11-01 12:00:00.000000"
_GIVES = (
    "INSERT INTO contributions (id, reference, form_token, form_try, person_id, email, locale, rhythm, currency, "
    "gift_minor, charge_minor, cup_minor, state, state_at, created_at, attribution) VALUES "
)
_LINE = (
    "INSERT INTO statement_lines (id, identity, way, source, kind, booked_on, amount_minor, currency, fee_minor,"
    " is_odd, payer_account, state, is_certain, n_bookings, imported_at) VALUES (1, 'x', 'bank', 'camt', 'credit',"
    " '2026-11-01', 400, 'EUR', 0, FALSE, 'UA213223130000026007233566001', 'new', FALSE, 0, :at)"
)
_PEOPLE = (
    "INSERT INTO people (id, public_id, email, public_name, locale, created_at) "
    "VALUES (1, 'per_1', 'olena@example.org', 'Олена Петренко', 'uk', :at), "
    "(2, 'per_2', 'erased-2@erased.invalid', NULL, 'en', :at)"
)
BEFORE_0007 = (
    _PEOPLE,
    _GIVES + "(1, 'con_1', 'f1', 1, 1, 'a', 'en', 'monthly', 'EUR', 800, 800, 400, 'active', :at, :at, '{}')",
    _GIVES + "(2, 'con_2', 'f2', 1, 1, 'a', 'en', 'yearly', 'EUR', 14400, 14400, 400, 'active', :at, :at, '{}')",
    _GIVES + "(3, 'con_3', 'f3', 1, 1, 'a', 'en', 'once', 'PLN', 800, 800, 0, 'paid', :at, :at, '{}')",
    _LINE,
    "INSERT INTO known_payers (account_digest, person_id, line_id) VALUES ('d', 1, 1)",
)
