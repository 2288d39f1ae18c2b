"""Ctrl-C and a parent's SIGTERM arrive together; Python programs with threads may miss both (cli/signals.py)."""

import signal
import time

import pytest

from tests.runtime.conftest import free_port, good_settings


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
        command = [part.format(port=free_port()) for part in command]
        program = start(good_settings(tmp_path), *command)
        program.wait_for_word(word)
        time.sleep(0.2 if word else 1.5)
        program.process.send_signal(signal.SIGINT)
        began = time.monotonic()
        program.end(signal.SIGTERM)
        assert time.monotonic() - began < 8
        assert program.family() == set()
