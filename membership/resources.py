"""Finds the folders that stand beside the package in a checkout and inside it in a wheel."""

from pathlib import Path


def resource_dir(name: str) -> Path:
    """Where the folder `name` ("templates" or "migrations") lies; FileNotFoundError where it is missing."""
    package = Path(__file__).parent
    for place in (package / name, package.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"The folder {name} is missing from this installation.")
