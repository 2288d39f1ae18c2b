"""Small signed notes that travel through a browser: readable by anyone, changeable by nobody.

They say what we said earlier; using one only once is the duty of the table that stores its use.
"""

import hashlib
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from membership.kernel import clock
from membership.kernel.errors import InvalidInput
from membership.web import settings


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


def _serializer(purpose: str) -> URLSafeSerializer:
    secret = settings().secret_key.get_secret_value()
    return URLSafeSerializer(secret, salt=f"membership.{purpose}", signer_kwargs={"digest_method": hashlib.sha256})
