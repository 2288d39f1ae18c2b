"""Exchanges that were recorded against Stripe's own test mode: requests, answers, and the objects in them."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import parse_qsl

SHARED = Path(__file__).resolve().parents[4] / "shared"
FOLDER = Path(os.environ.get("STRIPE_EXCHANGES") or SHARED / "data/stripe/recorded-exchanges")

_ID = re.compile(r"^[a-z]{2,8}_(?:test_|live_)?[A-Za-z0-9]{10,}$")


@dataclass(frozen=True)
class Exchange:
    """One request and Stripe's answer to it. `params` are form or query fields in Stripe's bracket notation."""

    file: str
    number: int
    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    version: str
    status: int
    answer: dict
    at: int

    def __str__(self):
        return f"{self.file}#{self.number} {self.method} {self.path}"

    @property
    def values(self):
        """Every word of the request that may be an id: parts of the path, and values."""
        return [*self.path.split("/"), *(value for _, value in self.params)]


def read(path):
    """The exchanges of one file, in order."""
    found = []
    for number, raw in enumerate(json.loads(path.read_text())["exchanges"]):
        address, _, query = raw["path"].partition("?")
        params = [*parse_qsl(query, keep_blank_values=True), *((name, value) for name, value in raw["form"] or [])]
        found.append(
            Exchange(
                path.stem,
                number,
                raw["method"],
                address,
                tuple(params),
                raw["request_headers"].get("Stripe-Version", ""),
                raw["status"],
                raw["response"],
                int(parsedate_to_datetime(raw["recorded_at"]).timestamp()) if raw.get("recorded_at") else 0,
            )
        )
    return found


def files(folder=FOLDER):
    """The files of recordings, in order of their names."""
    return sorted(path for path in folder.glob("*.json") if path.name != "INDEX.json")


def is_id(text):
    """Whether a text looks like an id that Stripe gave (tokens for tests, such as pm_card_visa, do not)."""
    return bool(_ID.match(text)) and not text.startswith(("pm_card_", "tok_"))


def objects(value) -> Iterator[dict]:
    """Every object inside an answer that says what it is."""
    if isinstance(value, list):
        for item in value:
            yield from objects(item)
    elif isinstance(value, dict):
        if isinstance(value.get("object"), str) and value.get("id"):
            yield value
        for item in value.values():
            yield from objects(item)
