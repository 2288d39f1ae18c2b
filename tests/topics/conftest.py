"""A newsroom with an editor, and members who follow."""

import pytest

from tests.factories.people import make_person, make_staff


@pytest.fixture
def editor(app):
    return make_staff("editor@example.org", "editor", "Iryna Bondar")


@pytest.fixture
def crowd(app):
    """Eight members."""
    return [make_person(f"reader{n}@example.org") for n in range(8)]
