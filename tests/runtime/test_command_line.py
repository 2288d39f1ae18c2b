"""The group of commands, and what it says when it cannot start."""

import importlib.metadata

import pytest

from membership.cli import COMMANDS
from tests.runtime.conftest import good_settings, own_environment


def test_help_needs_no_settings_and_lists_every_command_that_is_not_hidden(run):
    answer = run(own_environment(), "--help")
    assert answer.returncode == 0
    listed = {line.split()[0] for line in answer.stdout.partition("Commands:")[2].splitlines() if line.strip()}
    assert set(COMMANDS) - {"demo-prepare"} <= listed


def test_version_is_that_of_the_package(run):
    assert importlib.metadata.version("reader-membership") in run(own_environment(), "--version").stdout


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["db", "upgrade"], ["routes"]])
def test_wrong_settings_are_listed_all_at_once_in_words(run, tmp_path, command):
    environment = good_settings(
        tmp_path, SECRET_KEY="short", PUBLIC_URL="http://example.org", STRIPE_WEBHOOK_SECRET="", CUP_PRICES="XXX=1"
    )
    answer = run(environment, *command)
    assert answer.returncode == 2
    assert answer.stdout == ""
    faults = [line for line in answer.stderr.splitlines() if line.startswith("  * ")]
    named = {fault.removeprefix("  * ").partition(" ")[0].rstrip(":") for fault in faults}
    assert named == {"SECRET_KEY", "PUBLIC_URL", "STRIPE_WEBHOOK_SECRET", "CUP_PRICES"}
    assert "Traceback" not in answer.stderr


def test_a_live_key_beside_the_sandbox_is_refused(run, tmp_path):
    environment = good_settings(
        tmp_path, STRIPE_SECRET_KEY="sk_live_123456789", STRIPE_API_BASE="http://127.0.0.1:12111"
    )
    answer = run(environment, "serve")
    assert answer.returncode == 2
    assert "live key" in answer.stderr
    assert "sk_live_123456789" not in answer.stderr
