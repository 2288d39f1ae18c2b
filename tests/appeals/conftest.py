"""What tests of counting share."""

import pytest

from tests.factories.counts import APPEAL, OTHER_APPEAL, know


@pytest.fixture
def known_appeals(app):
    """The two appeals of `factories.counts` run."""
    know(APPEAL, OTHER_APPEAL)
