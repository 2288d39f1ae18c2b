"""Ctrl-C and a parent's SIGTERM arrive together; Python programs with threads may miss both (cli/signals.py)."""

import signal
import time
import urllib.request

import pytest

from tests.runtime.conftest import free_port, good_settings


def wait_until_it_listens(port: int) -> None:
    """The server says nothing when it is ready; before that, its parent waits ten seconds for a child that is born."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (["mailbox", "--port", "{port}", "--maildir", "mail"], "Mail for"),
        (["sandbox", "--port", "{port}"], "ready on"),
        (["worker", "--no-periodic"], "worker is ready"),
        (["serve", "--port", "{port}"], ""),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_two_signals_at_once_end_a_program_as_one_does(start, tmp_path, command, word):
    for _ in range(5):
        port = free_port()
        program = start(good_settings(tmp_path), *(part.format(port=port) for part in command))
        program.wait_for_word(word)
        if not word:
            wait_until_it_listens(port)
        time.sleep(0.2)
        program.process.send_signal(signal.SIGINT)
        began = time.monotonic()
        program.end(signal.SIGTERM)
        assert time.monotonic() - began < 8
        assert program.family() == set()
