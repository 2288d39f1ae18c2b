"""The errors that the API answers, in Stripe's envelope and with Stripe's codes."""

from http import HTTPStatus
from typing import Any

Obj = dict[str, Any]


class ApiError(Exception):
    """An answer other than 200.

    `keeps_work` is true where what was done before the error stays done (a declined card leaves a failed
    charge behind); otherwise the whole call is rolled back. `details` are further fields of the envelope.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = HTTPStatus.BAD_REQUEST,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        keeps_work: bool = False,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = int(status)
        self.kind = kind
        self.code = code
        self.param = param
        self.keeps_work = keeps_work
        self.details = details

    def envelope(self, log_url: str | None = None) -> Obj:
        """The body of the answer: `{"error": {…}}` without empty fields; `log_url` is where the request can be seen."""
        error: Obj = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param is not None:
            error["param"] = self.param
        if log_url is not None and self.status != HTTPStatus.UNAUTHORIZED:
            error["request_log_url"] = log_url
        error.update({name: value for name, value in self.details.items() if value is not None})
        return {"error": error}


def no_such(label: str, object_id: str, *, param: str = "id", in_path: bool = True) -> ApiError:
    """An id that names nothing: 404 where it stands in the address, 400 where it is a parameter."""
    status = HTTPStatus.NOT_FOUND if in_path else HTTPStatus.BAD_REQUEST
    return ApiError(f"No such {label}: '{object_id}'", status=status, code="resource_missing", param=param)


def missing(param: str) -> ApiError:
    """A parameter that this call needs was not sent."""
    return ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def unsupported(param: str) -> ApiError:
    """A parameter that Stripe knows and this sandbox does not act upon: refused rather than ignored."""
    return ApiError(
        f"The sandbox does not support the parameter '{param}' here.", code="parameter_unknown", param=param
    )


def unexpected_state(message: str, code: str | None = None) -> ApiError:
    """The object is in a state that does not allow this."""
    return ApiError(message, code=code)
