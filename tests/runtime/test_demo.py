"""The demo: one command, every address, and nothing left when it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.runtime.conftest import free_port, own_environment


@pytest.fixture
def demo(start):
    program = start(own_environment(), "demo", "--port", str(free_port()))
    program.wait_for_word("To stop:", 120)
    return program


def wait_until_gone(program) -> None:
    deadline = time.monotonic() + 30
    while program.family():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_every_address_that_the_demo_prints_answers_and_ctrl_c_ends_all(demo):
    addresses = re.findall(r"http://127\.0\.0\.1:\d+/\S*", demo.said)
    assert len(addresses) == 8
    for address in addresses:
        with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - http://127.0.0.1 by the pattern above
            assert answer.status == 200, address
    assert "4000 0000 0000 0002" in demo.said
    # Ctrl-C in a terminal reaches every process of the group.
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(30) == 0
    assert demo.family() == set()
    assert "Everything has stopped." in demo.said


def test_a_demo_that_is_killed_leaves_no_process_behind(demo):
    assert len(demo.family()) == 6
    demo.end(signal.SIGKILL)
    wait_until_gone(demo)


def test_a_part_that_dies_is_named_and_ends_the_demo(demo, tmp_path):
    worker = next(
        process for process in demo.family() if b"worker" in Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    )
    os.kill(worker, signal.SIGKILL)
    assert demo.process.wait(30) == 1
    assert "The worker ended (exit code -9)" in demo.said
    wait_until_gone(demo)


def test_secrets_are_made_once_and_nobody_else_may_read_them(demo, tmp_path, start):
    secrets = tmp_path / "var" / "demo" / "secrets.json"
    assert secrets.stat().st_mode & 0o777 == 0o600
    made = secrets.read_text()
    assert demo.end(signal.SIGTERM) == 0
    again = start(own_environment(), "demo", "--port", str(free_port()))
    again.wait_for_word("To stop:", 120)
    assert secrets.read_text() == made
    assert again.end(signal.SIGTERM) == 0


def test_a_second_demo_in_the_same_folder_is_refused(demo, run):
    answer = run(own_environment(), "demo", "--port", str(free_port()))
    assert answer.returncode == 2
    assert "Another demo is running" in answer.stderr
    assert "--data" in answer.stderr


def test_a_taken_port_is_named_with_the_way_out(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = run(own_environment(), "demo", "--port", str(port))
    assert answer.returncode == 2
    assert f"Port {port} is in use" in answer.stderr
    assert "PORT=" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_live_key_is_refused(run):
    answer = run(own_environment(STRIPE_SECRET_KEY="sk_live_123456789"), "demo", "--port", str(free_port()))
    assert answer.returncode == 2
    assert "live key" in answer.stderr


def test_an_own_test_key_needs_the_webhook_secret_and_says_how_to_get_it(run):
    answer = run(own_environment(STRIPE_SECRET_KEY="sk_test_123456789"), "demo", "--port", str(free_port()))
    assert answer.returncode == 2
    assert "stripe listen --forward-to" in answer.stderr


def test_commands_about_the_demo_find_its_settings(demo, tmp_path):
    settings = tmp_path / "var" / "demo" / "settings.sh"
    assert settings.stat().st_mode & 0o777 == 0o600
    script = f". {settings}; {sys.executable} -m membership.cli staff list"
    said = subprocess.run(
        ["sh", "-c", script], env=own_environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert said.returncode == 0, said.stderr
    assert "editor@example.org" in said.stdout
