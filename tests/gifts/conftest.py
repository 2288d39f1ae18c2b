"""Gifts are tested against the sandbox over HTTP, as in tests/faults."""

import pytest

from tests.faults.conftest import sandbox, settings

__all__ = ["sandbox", "settings"]


@pytest.fixture(autouse=True)
def fresh_sandbox(request):
    if "sandbox" in request.fixturenames:
        request.getfixturevalue("sandbox").reset()
