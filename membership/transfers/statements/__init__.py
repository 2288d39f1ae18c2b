"""Statements of banks and of PayPal, read into lines: `camt` (ISO 20022 camt.053), `table` (CSV by a mapping).

Nothing here knows a database: bytes in, `Statement`s out; `UnreadableStatement` says in one sentence why not.
"""

from datetime import date

from membership.transfers.statements.camt import read_camt
from membership.transfers.statements.lines import Kind, Line, Statement, UnreadableStatement, identities
from membership.transfers.statements.mappings import BUILT_IN, Mapping
from membership.transfers.statements.table import read_table

__all__ = [
    "BUILT_IN",
    "LARGEST_FILE",
    "Kind",
    "Line",
    "Mapping",
    "Statement",
    "UnreadableStatement",
    "identities",
    "read",
]

LARGEST_FILE = 5 * 1024 * 1024


def read(raw: bytes, mapping: Mapping | None, today: date) -> list[Statement]:
    """The statements in a file, at least one; XML is read as camt.053, everything else by `mapping`.

    Raises UnreadableStatement where it is neither, too large, damaged, or speaks of days after `today` (then the
    order of day and month was mistaken, or the clock is wrong).
    """
    if len(raw) > LARGEST_FILE:
        raise UnreadableStatement("too_large", "The file is larger than 5 MB; export a shorter time.")
    is_xml = raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or raw[:2] in {b"\xff\xfe", b"\xfe\xff"}
    if not is_xml and mapping is None:
        raise UnreadableStatement(
            "no_mapping", "This is no camt.053 file. For a table (CSV), say which mapping it needs."
        )
    statements = read_table(raw, mapping) if mapping is not None and not is_xml else read_camt(raw)
    late = [line.booked_on for each in statements for line in each.lines if line.booked_on > today]
    if late:
        raise UnreadableStatement(
            "future", f"The file has a line of {max(late)}, which is still to come. Is the form of its dates right?"
        )
    return statements
