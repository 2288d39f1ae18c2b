"""The colours of the style sheet, as they are in its file."""

from functools import lru_cache
from pathlib import Path

from flask import current_app

from membership.newsroom.rules.faults import Tokens
from membership.newsroom.rules.tokens import read_tokens


def tokens() -> Tokens:
    """Those of this installation."""
    return read_file(tokens_path())


def tokens_path() -> str:
    """Where the file is."""
    return str(Path(current_app.static_folder or "") / "tokens.css")


@lru_cache(maxsize=4)
def read_file(path: str) -> Tokens:
    """Those of one file, read once per process."""
    return read_tokens(Path(path).read_text(encoding="utf-8"))
