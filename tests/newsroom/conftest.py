"""A newsroom whose settings are changed by somebody who works there."""

import pytest

from membership.kernel import clock
from membership.newsroom import services
from membership.newsroom.rules.subjects import Subject
from tests.factories.people import make_staff, sign_in

ACTOR = "staff:per_00000000000000000000000001"


@pytest.fixture
def save(app):
    """Saves a setting, by default upon what counts: `save(Subject.GOAL, values)`."""

    def _save(subject: Subject, values, base=None, actor=ACTOR, at=None):
        from membership.newsroom.queries.snapshot import current

        base = current().number(subject) if base is None else base
        return services.save(subject, values, base, actor, at or clock.now())

    return _save


@pytest.fixture
def owner(app):
    make_staff("boss@example.org", "owner", "Olena")
    browser = app.test_client()
    sign_in(browser, "boss@example.org", next="staff")
    return browser
