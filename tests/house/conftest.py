"""The whole app as it is today, with the demo's rooms open, and browsers that walk through it."""

import pytest
from werkzeug.routing import IntegerConverter, Rule

from membership import db as database
from membership.app import create_app
from membership.kernel import clock
from tests.conftest import Browser, make_settings
from tests.factories.people import make_person, sign_in

# Nobody listens there, so a page that asks the provider learns at once that it is down.
CLOSED_PORT = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def open_house(tmp_path_factory):
    """Builds an app of this house: `open_house(public_url=…)`."""
    built = []

    def _open(**changes):
        place = tmp_path_factory.mktemp("house")
        (place / "mail").mkdir()
        values = {
            "database_url": f"sqlite:///{place / 'house.db'}",
            "queue_path": str(place / "queue.db"),
            "demo": True,
            "demo_mailbox": str(place / "mail"),
            "stripe_api_base": CLOSED_PORT,
            "rate_limits": False,
        }
        app = create_app(make_settings(**(values | changes)))
        app.test_client_class = Browser
        with app.app_context():
            database.db.create_all()
        built.append(app)
        return app

    yield _open
    clock.use_offset(clock.no_offset)
    for app in built:
        with app.app_context():
            database.db.engine.dispose()


@pytest.fixture(scope="module")
def house(open_house):
    return open_house()


@pytest.fixture(scope="module")
def anybody(house):
    """Makes a browser in which nobody is signed in."""
    return house.test_client


@pytest.fixture(scope="module")
def member(house):
    """A browser in which a member is signed in."""
    browser = house.test_client()
    with house.app_context():
        make_person()
        sign_in(browser)
    return browser


def path_of(rule: Rule) -> str:
    """An address that this route matches; nothing is behind it."""
    values = {name: 1 if isinstance(rule._converters[name], IntegerConverter) else "x" for name in rule.arguments}
    return rule.build(values)[1]


def rules_of(app, *methods: str) -> list[tuple[Rule, str]]:
    """Every route of the app with each of its methods (or only with `methods`)."""
    wanted = set(methods) or {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
    return [(rule, method) for rule in app.url_map.iter_rules() for method in sorted(rule.methods & wanted)]
