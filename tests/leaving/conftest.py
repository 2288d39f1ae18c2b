"""Leaving is tested with the real SDK against the sandbox over HTTP, and with a real mail server."""

import pytest

from tests.contributions.conftest import sandbox, settings
from tests.factories.smtp import MailServer, running, use_server

__all__ = ["sandbox", "settings"]


@pytest.fixture(autouse=True)
def fresh_sandbox(sandbox):
    sandbox.reset()


@pytest.fixture
def server(app):
    """A mail server that accepts everything, already set for the app."""
    handler = MailServer()
    with running(handler) as url:
        use_server(app, url)
        yield handler
