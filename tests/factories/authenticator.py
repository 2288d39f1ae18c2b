"""An authenticator in a few lines: what a security key or a phone answers, for tests without a browser.

Written after the WebAuthn specification, level 2 (§6.1 authenticator data, §6.5 attested credential data, §7).
"""

import base64
import hashlib
import json
import secrets
import struct

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Authenticator:
    """One credential of one site. Each answer counts up, unless `counts` is false (as synced passkeys do)."""

    def __init__(self, origin="http://localhost", rp_id="localhost", *, counts=True) -> None:
        self.origin, self.rp_id, self.counts = origin, rp_id, counts
        self.credential_id = secrets.token_bytes(32)
        self.n_used = 0
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: str, flags=PRESENT | VERIFIED, **client_data) -> str:
        """What the browser sends after `navigator.credentials.create`."""
        asked = json.loads(options)
        seen = self._client_data({"type": "webauthn.create", "challenge": asked["challenge"]} | client_data)
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + self._public()
        data = self._data(flags | HAS_CREDENTIAL) + attested
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(clientDataJSON=encoded(seen), attestationObject=encoded(statement))

    def get(self, options: str, flags=PRESENT | VERIFIED, **client_data) -> str:
        """What the browser sends after `navigator.credentials.get`."""
        seen = self._client_data({"type": "webauthn.get", "challenge": json.loads(options)["challenge"]} | client_data)
        self.n_used += self.counts
        data = self._data(flags)
        signature = self._key.sign(data + hashlib.sha256(seen).digest(), ec.ECDSA(SHA256()))
        parts = {"clientDataJSON": seen, "authenticatorData": data, "signature": signature}
        return self._answer(**{name: encoded(raw) for name, raw in parts.items()})

    def _client_data(self, values) -> bytes:
        return json.dumps({"origin": self.origin, "crossOrigin": False} | values).encode()

    def _data(self, flags) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", flags, self.n_used)

    def _public(self) -> bytes:
        numbers = self._key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})

    def _answer(self, **response) -> str:
        name = encoded(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
