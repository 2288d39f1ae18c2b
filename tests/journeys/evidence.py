"""The published files of a poll agree: by our command, and by the checking program, which shares no code with us."""

import json
import subprocess
import sys

import requests

from tests.journeys.demo import Demo


def check_files(house: Demo, poll: str, command: str) -> None:
    """Fetch them as a reader does, run the program on the evidence and the `command` that the page shows."""
    place = house.folder
    for name in ("evidence.json", "ballots.json", "count.json"):
        (place / name).write_bytes(requests.get(f"{house.site}/polls/{poll}/{name}", timeout=60).content)
    (place / "verify.py").write_bytes(requests.get(f"{house.site}/polls/verify.py", timeout=60).content)
    checked = subprocess.run(
        [sys.executable, "-I", "verify.py", "evidence.json"],
        cwd=place, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    counted = subprocess.run(
        [sys.executable, "-m", "membership.cli", *command.split()[1:]],
        cwd=place, env=house.environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert json.loads(counted.stdout) == json.loads((place / "count.json").read_text()), counted.stderr
