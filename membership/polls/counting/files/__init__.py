"""Elections in files: what the product publishes, and the formats of others. Text in, ballots out."""

from membership.polls.counting.files import abcvoting, blt, grouped_json, pabulib
from membership.polls.counting.files.election import Election, UnreadableElection

__all__ = ["Election", "UnreadableElection", "read"]

_BY_ENDING = {
    ".json": grouped_json.read,
    ".blt": blt.read,
    ".pb": pabulib.read,
    ".yaml": abcvoting.read,
    ".yml": abcvoting.read,
}


def read(name: str, content: bytes) -> Election:
    """The election in a file of that name; its format by the name's ending, else by how it begins.

    Raises UnreadableElection with a sentence that says what is wrong and where.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise UnreadableElection(f"The file is not text in UTF-8 (byte {fault.start + 1}).") from None
    for ending, reader in _BY_ENDING.items():
        if name.lower().endswith(ending):
            return reader(text)
    beginning = text.lstrip()
    if beginning.startswith("{"):
        return grouped_json.read(text)
    if beginning.upper().startswith("META"):
        return pabulib.read(text)
    return abcvoting.read(text) if "\nprofile:" in f"\n{text}" else blt.read(text)
