"""Names for things: unguessable secrets, public ids and the hashes under which secrets are kept."""

import hashlib
import hmac
import secrets


def new_public_id(prefix: str) -> str:
    """A random name for a thing, such as `con_3f…`: `prefix`, an underscore and 26 characters, 130 bits.

    Safe in addresses and in the provider's metadata. It names; it does not authorise (ASVS 11.5.1).
    """
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    return f"{prefix}_" + "".join(secrets.choice(alphabet) for _ in range(26))


def new_secret() -> str:
    """A token that opens something: 256 bits, URL-safe (ASVS 6.5.3). Keep only its `digest`."""
    return secrets.token_urlsafe(32)


def new_code(n_digits: int = 8) -> str:
    """A code for people to type: `n_digits` decimal digits, uniformly drawn."""
    return "".join(secrets.choice("0123456789") for _ in range(n_digits))


def digest(secret: str) -> str:
    """SHA-256 of a high-entropy secret, as 64 hex characters: what a database may hold of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def keyed_digest(key: str, *parts: str) -> str:
    """HMAC-SHA-256 over `parts`, as 64 hex characters: for low-entropy values (codes, addresses).

    Parts are length-prefixed, so ("ab", "c") and ("a", "bc") differ.
    """
    mac = hmac.new(key.encode(), digestmod=hashlib.sha256)
    for part in parts:
        raw = part.encode()
        mac.update(len(raw).to_bytes(4, "big") + raw)
    return mac.hexdigest()
