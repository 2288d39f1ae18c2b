"""Exchange rates as central banks and tables write them: bytes in, quotes out. Pure; one file per way of writing."""

from collections.abc import Callable

from membership.dashboard.rates import ecb, nbu, table
from membership.dashboard.rules.rates import Quote

READERS: dict[str, Callable[[bytes], list[Quote]]] = {"ecb": ecb.read, "nbu": nbu.read, "csv": table.read}

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes: the whole history of the European Central Bank is below that."""


def read(raw: bytes) -> list[Quote]:
    """The quotes of a file, told by how it begins: XML of the ECB, JSON of the NBU, else a table (CSV).

    Raises InvalidInput `rates_…` with a sentence about what is wrong; then nothing of it may be used.
    """
    start = raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return READERS[{b"<": "ecb", b"[": "nbu", b"{": "nbu"}.get(start, "csv")](raw)


__all__ = ["LARGEST_FILE", "READERS", "read"]
