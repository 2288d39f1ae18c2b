"""Contributions are tested against the sandbox over HTTP, as in tests/faults."""

from tests.faults.conftest import sandbox, settings

__all__ = ["sandbox", "settings"]
