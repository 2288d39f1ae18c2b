"""Parts of addresses, as routes name them."""

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

LARGEST_ID = 2**31 - 1


class Number(IntegerConverter):
    """A whole number. One that no row can have leads nowhere, like any other address that does not exist."""

    def __init__(self, map: Map, **more: Any) -> None:  # noqa: A002 - werkzeug's own name
        super().__init__(map, **{"max": LARGEST_ID} | more)


def install(app: Flask) -> None:
    """Before any route is added."""
    app.url_map.converters["int"] = Number
