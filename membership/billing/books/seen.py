"""A memory for a great many names: their digests only."""

import hashlib

_DIGEST_BYTES = 8


class Seen:
    """Names that were met, in about 60 bytes each whatever their length.

    Two of a million names share a digest once in thirty million nights; then one that is missing is not missed.
    """

    def __init__(self) -> None:
        self._digests: set[int] = set()

    def add(self, name: str) -> bool:
        """Remember `name`; False where it was met before."""
        before = len(self._digests)
        self._digests.add(_digest(name))
        return len(self._digests) > before

    def __contains__(self, name: str) -> bool:
        return _digest(name) in self._digests

    def __len__(self) -> int:
        return len(self._digests)


def _digest(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=_DIGEST_BYTES).digest())
