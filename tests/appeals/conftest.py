"""A newsroom with an editor, and the editor's browser."""

import pytest

from tests.factories.counts import APPEAL, OTHER_APPEAL, know
from tests.factories.people import make_staff, sign_in


@pytest.fixture
def editor(app):
    return make_staff("editor@example.org", "editor", "Iryna Bondar")


@pytest.fixture
def desk(app, client, editor):
    """The editor's browser."""
    sign_in(client, editor.email)
    return client


@pytest.fixture
def known_appeals(app):
    """The two appeals of `factories.counts` run."""
    know(APPEAL, OTHER_APPEAL)
