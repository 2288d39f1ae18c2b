"""Small signed notes that travel through a browser: readable by anyone, changeable by nobody. And what is sealed: to be
read by this installation alone.

Notes say what we said earlier; using one only once is the duty of the table that stores its use.
"""

import hashlib
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import BadData, URLSafeSerializer

from membership.kernel import clock
from membership.kernel.errors import InvalidInput
from membership.web import settings

NONCE_BYTES = 12


def signed(purpose: str, payload: Any, max_age: int) -> str:
    """`payload` (plain JSON values) as text that `read_signed` accepts for `max_age` seconds.

    A note for one `purpose` is worth nothing for another.
    """
    expires = int(clock.real_now().timestamp()) + max_age
    return _serializer(purpose).dumps([expires, payload])


def read_signed(purpose: str, text: str) -> Any:
    """The payload of a note; InvalidInput `token_invalid` (not ours) or `token_expired` (too old)."""
    try:
        expires, payload = _serializer(purpose).loads(text)
    except (BadData, TypeError, ValueError) as error:
        raise InvalidInput("token_invalid", "This form was not made by this page.") from error
    if clock.real_now().timestamp() >= expires:
        raise InvalidInput("token_expired", "This form was open for too long.")
    return payload


def seal(purpose: str, owner: str, secret: bytes) -> bytes:
    """`secret` as bytes that only `unseal` with the same purpose, owner and SECRET_KEY opens (AES-256-GCM).

    `owner` ties them to whose they are: copied into somebody else's row they open nothing.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(_sealing_key(purpose)).encrypt(nonce, secret, owner.encode())


def unseal(purpose: str, owner: str, sealed: bytes) -> bytes | None:
    """What was sealed; None for anything else, above all after SECRET_KEY was changed."""
    try:
        return AESGCM(_sealing_key(purpose)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner.encode())
    except (InvalidTag, ValueError):
        return None


def _sealing_key(purpose: str) -> bytes:
    secret = settings().secret_key.get_secret_value().encode()
    return HKDF(SHA256(), 32, salt=None, info=f"membership.seal.{purpose}".encode()).derive(secret)


def _serializer(purpose: str) -> URLSafeSerializer:
    secret = settings().secret_key.get_secret_value()
    return URLSafeSerializer(secret, salt=f"membership.{purpose}", signer_kwargs={"digest_method": hashlib.sha256})
