"""The errors of the house. The kernel knows no HTTP status; `web/errors.py` holds that table."""

from typing import Any


class MembershipError(Exception):
    """Something a person must be told.

    `code` is a stable machine name (snake case), `message` a whole sentence in English for logs and the
    command line; pages translate by `code` and fill in `details` (plain values, no personal data).
    """

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class InvalidInput(MembershipError):  # noqa: N818 - reads as a sentence: raise InvalidInput(...)
    """What was typed cannot be accepted; nothing was written. `field` names the input, where there is one."""

    def __init__(self, code: str, message: str, *, field: str | None = None, **details: Any) -> None:
        super().__init__(code, message, **details)
        self.field = field


class Refused(MembershipError):  # noqa: N818 - reads as a sentence
    """The request is understood, and this person may not do it (now)."""


class TooMany(Refused):
    """A limit was reached; `retry_after` is in seconds."""

    def __init__(self, code: str, message: str, *, retry_after: int) -> None:
        super().__init__(code, message, retry_after=retry_after)
        self.retry_after = retry_after


class NotFound(MembershipError):  # noqa: N818 - reads as a sentence
    """There is no such thing, or this person may not know of it."""


class Conflict(MembershipError):  # noqa: N818 - reads as a sentence
    """The state of things does not allow it (any more); reading again shows why."""


class ProviderFailed(MembershipError):  # noqa: N818 - reads as a sentence
    """A company outside did not do its part.

    `retryable` is true where the same call may go through later. `outcome_unknown` is true where the call
    may have been carried out although its answer was lost: repeat it with the same idempotency key only.
    """

    def __init__(
        self, code: str, message: str, *, retryable: bool, outcome_unknown: bool = False, **details: Any
    ) -> None:
        super().__init__(code, message, **details)
        self.retryable = retryable
        self.outcome_unknown = outcome_unknown
