"""An app on SQLite alone with rooms of the tests' own: what the plumbing does depends on no database."""

import pytest

from membership import db as database
from membership.app import create_app
from tests.conftest import Browser, make_settings


@pytest.fixture
def build(tmp_path):
    """Builds an app: `build(demo=True)`. Routes may be added until its first request."""
    built = []

    def _build(**changes):
        values = {"database_url": f"sqlite:///{tmp_path / 'web.db'}", "queue_path": str(tmp_path / "queue.db")}
        app = create_app(make_settings(**(values | changes)))
        app.test_client_class = Browser
        app.config["PROPAGATE_EXCEPTIONS"] = False
        with app.app_context():
            database.db.create_all()
        built.append(app)
        return app

    yield _build
    for app in built:
        with app.app_context():
            database.db.session.remove()
            database.db.engine.dispose()


@pytest.fixture
def web(build):
    app = build()
    with app.app_context():
        yield app
