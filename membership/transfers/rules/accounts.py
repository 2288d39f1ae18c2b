"""Accounts of payers, as far as anything is kept of them."""

END_LENGTH = 4
# Shorter ones would be kept whole, or nearly: an end is not to give the account away.
SHORTEST_ACCOUNT = 10


def compact(text: str) -> str:
    """An account as statements write it: without blanks, in capitals."""
    return "".join(text.split()).upper()


def end_of(account: str) -> str | None:
    """The last four characters, by which somebody knows their own account; None for an address (PayPal), for none, and
    for one so short that its end would be most of it.
    """
    plain = compact(account)
    if "@" in plain or len(plain) < SHORTEST_ACCOUNT:
        return None
    return plain[-END_LENGTH:]
