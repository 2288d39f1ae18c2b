"""What README and CONTRIBUTING say must be so."""

import re
from pathlib import Path

import pytest

from membership.cli import COMMANDS
from membership.config import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs" / "adr").glob("*.md"))]


def test_every_setting_stands_in_the_table_of_settings_and_no_other():
    table = README.partition("## Settings")[2].partition("## Run it")[0]
    named = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([A-Z_]+)`", line.split("|")[1])
    }
    assert named == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_path_that_a_document_names_exists(document):
    named = re.findall(r"`((?:membership|templates|tests|docs|migrations)/[\w./-]+)`", document.read_text())
    later = ("membership/polls/", "membership/dashboard/")
    missing = [path for path in named if not path.startswith(later) and not (ROOT / path).exists()]
    assert missing == []


def test_every_command_that_the_readme_names_exists():
    named = set(re.findall(r"membership ([a-z-]+)", README)) - {"and", "in"}
    assert {"serve", "worker", "db", "doctor", "check-books"} <= named <= set(COMMANDS)
