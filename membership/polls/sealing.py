"""What is done with the key of a poll: names for voters that only it can make, and ballots that only it can open.

All of it is worthless without the key, and the key dies at the close (ADR 0009).
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from membership.polls.rules import chain

KEY_BYTES = 32
# Of AES-GCM, and of the commitments.
NONCE_BYTES = 12
NONCE_BYTES_OF_COMMITMENT = 32
# Every ballot is padded to this length, so that the size of a sealed one says nothing.
PLAIN_BYTES = 512
MODULUS = 2**256

# Receipts: 20 characters of 32 are 100 bits. No i, l, o, u: they are misread.
RECEIPT_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
RECEIPT_LENGTH = 20
RECEIPT_GROUP = 5
MISREAD = str.maketrans("ilo", "110")


class SealBroken(Exception):  # noqa: N818 - reads as a sentence
    """A sealed ballot was not made with this key for this poll and this voter, or was changed since."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What stands in a sealed ballot.

    `choice` is canonical (`rules.choice_text`), `nonce` opens its commitment. `n_saves` is how often this voter saved,
    and `tags` the sum of the tags of all those commitments (see `PollKey.tag`).
    """

    choice: str
    nonce: str
    receipt_hash: str
    n_saves: int
    tags: int

    @property
    def commitment(self) -> str:
        """What the chain holds of this ballot."""
        return chain.commitment(self.nonce, self.choice)


class PollKey:
    """One poll's key; `poll` is the poll's public id, to which all it makes is bound."""

    __slots__ = ("_aes", "_key", "_poll")

    def __init__(self, raw: bytes, poll: str) -> None:
        if len(raw) != KEY_BYTES:
            raise ValueError("A poll's key has 32 bytes.")
        self._key, self._poll = raw, poll
        self._aes = AESGCM(self._mac("seal").digest())

    def voter_key(self, person_public_id: str) -> str:
        """The name under which a voter's ballot is kept while the poll is open."""
        return self._mac("voter", person_public_id).hexdigest()

    def receipt_key(self, receipt: str) -> str:
        """How an open poll recognises a receipt in canonical form."""
        return self._mac("receipt", receipt).hexdigest()

    def tag(self, commitment: str) -> int:
        """A number below 2^256 that only the key can work out for a commitment.

        The sum of the tags over a set shows whether it is the same set: a multiset hash under a secret key (Clarke,
        Devadas, van Dijk, Gassend, Suh, Incremental Multiset Hash Functions, ASIACRYPT 2003). So each ballot vouches
        for all commitments of its voter in 64 characters, however often they changed their mind.
        """
        return int.from_bytes(self._mac("tag", commitment).digest())

    def seal(self, voter_key: str, ballot: Ballot) -> bytes:
        """AES-256-GCM with a random nonce before it; as long for every ballot."""
        fields = [ballot.choice, ballot.nonce, ballot.receipt_hash, ballot.n_saves, f"{ballot.tags:064x}"]
        plain = json.dumps(fields).encode().ljust(PLAIN_BYTES)
        if len(plain) != PLAIN_BYTES:
            raise ValueError("This ballot is too long.")
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._aes.encrypt(nonce, plain, self._bound_to(voter_key))

    def open(self, voter_key: str, sealed: bytes) -> Ballot:
        """The ballot; raises SealBroken."""
        try:
            plain = self._aes.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound_to(voter_key))
        except (InvalidTag, ValueError) as error:
            raise SealBroken(voter_key) from error
        choice, nonce, receipt_hash, n_saves, tags = json.loads(plain)
        return Ballot(choice, nonce, receipt_hash, n_saves, int(tags, 16))

    def _bound_to(self, voter_key: str) -> bytes:
        return f"{self._poll}|{voter_key}".encode()

    def _mac(self, *parts: str) -> "hmac.HMAC":
        return hmac.new(self._key, "|".join((parts[0], self._poll, *parts[1:])).encode(), hashlib.sha256)

    def __repr__(self) -> str:
        return f"<the key of {self._poll}>"


def new_receipt() -> str:
    """A receipt as it is shown, once: "7k3mz-q0v8d-x2r9c-e5t1w", 100 random bits."""
    # 32 letters divide the 256 values of a byte evenly.
    drawn = [RECEIPT_ALPHABET[byte % len(RECEIPT_ALPHABET)] for byte in secrets.token_bytes(RECEIPT_LENGTH)]
    groups = ("".join(drawn[start : start + RECEIPT_GROUP]) for start in range(0, RECEIPT_LENGTH, RECEIPT_GROUP))
    return "-".join(groups)


def plain_receipt(typed: str) -> str:
    """A receipt in canonical form, however it was typed: capitals, spaces and dashes do not matter, nor i, l, o."""
    kept = "".join(letter for letter in typed.casefold() if letter.isalnum())
    return kept.translate(MISREAD)
