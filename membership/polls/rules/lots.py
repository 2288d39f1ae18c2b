"""Orders that anybody can draw again from a published seed: sorted by SHA-256 over text in UTF-8, smallest first."""

import hashlib


def lot_order(seed: str, n: int) -> tuple[int, ...]:
    """The lot of a poll: all positions 0 … n-1; of options that tie, the one that stands first here wins.

    Position p stands where SHA-256("<seed>|lot|<p>") puts it, the smallest digest first.
    """
    return tuple(sorted(range(n), key=lambda position: _digest(f"{seed}|lot|{position}")))


def shown_order(order_seed: str, person_public_id: str, n: int) -> list[int]:
    """The order in which one voter sees the options, always the same: by SHA-256("<seed>|<person>|<p>")."""
    return sorted(range(n), key=lambda position: _digest(f"{order_seed}|{person_public_id}|{position}"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
