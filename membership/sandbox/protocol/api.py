"""The WSGI program behind /v1: who asks, what for, faults, idempotency, and the answer."""

import base64
import sys
import traceback
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from membership.sandbox.faults import ConnectionLost
from membership.sandbox.kinds import new_id, public
from membership.sandbox.protocol import forms, idempotency, params, routes
from membership.sandbox.protocol.errors import ApiError, Obj
from membership.sandbox.protocol.expand import expand
from membership.sandbox.protocol.idempotency import Answer
from membership.sandbox.store import dumps
from membership.sandbox.world import API_VERSION

if TYPE_CHECKING:
    from membership.sandbox.app import Sandbox

_MAX_BODY = 1_000_000
_MAX_KEY = 255


def respond(sandbox: "Sandbox", request: Request) -> Response:
    """Answer one API request."""
    request_id = new_id("req_", 14)
    key = request.headers.get("Idempotency-Key")
    headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION, "Stripe-Should-Retry": "false"}
    try:
        _authenticate(request)
        answer, more = _answer(sandbox, request, request_id, key)
        headers.update(more)
    except ApiError as error:
        answer = _refusal(sandbox, error, request_id)
        if error.code == "idempotency_key_in_use":
            headers["Stripe-Should-Retry"] = "true"
    except ConnectionLost:
        raise
    except Exception:  # noqa: BLE001 - the edge: it is printed, and answered or counted
        traceback.print_exc(file=sys.stderr)
        sandbox.watch.note(f"{request.method} {request.path}: the sandbox failed: {traceback.format_exc(limit=-1)!r}")
        failure = ApiError("The sandbox failed; its log says why.", status=500, kind="api_error")
        answer = Answer(failure.status, dumps(failure.envelope()), request_id)
    if key is not None and request.method == "POST":
        headers |= {"Idempotency-Key": key, "Original-Request": answer.request_id}
    return Response(answer.body, answer.status, headers, content_type="application/json")


def _refusal(sandbox: "Sandbox", error: ApiError, request_id: str) -> Answer:
    """The answer that is an error; it says where Stripe shows the request in its Dashboard, here the control page."""
    said = error.envelope(f"{sandbox.public_url}/_sandbox?request={request_id}")
    sandbox.watch.look(said, f"error {error.status}")
    return Answer(error.status, dumps(said), request_id)


def _authenticate(request: Request) -> None:
    """A secret or restricted test key, as Bearer or as Basic user name; ApiError 401 otherwise."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode().partition(":")[0]
        except ValueError:
            value = ""
    if not value:
        raise ApiError("You did not provide an API key.", status=401)
    if not value.startswith(("sk_test_", "rk_test_")):
        shown = value[:4] + "*" * max(len(value) - 4, 0)
        raise ApiError(f"Invalid API Key provided: {shown}", status=401)
    version = request.headers.get("Stripe-Version", API_VERSION)
    if version != API_VERSION:
        raise ApiError(f"Invalid Stripe API version: {version}. The sandbox speaks {API_VERSION} only.")


def _answer(sandbox: "Sandbox", request: Request, request_id: str, key: str | None) -> tuple[Answer, dict[str, str]]:
    body = request.get_data(cache=False)
    if len(body) > _MAX_BODY:
        raise ApiError("The request is too large.", status=413)
    method, path = request.method, request.path
    if key is not None and len(key) > _MAX_KEY:
        raise ApiError("The Idempotency-Key is longer than 255 characters.", param="idempotency_key")
    key = key if method == "POST" else None
    with sandbox.keys.under_way(key):
        wanted = idempotency.digest(method, path, body)
        if key is not None:
            with sandbox.store.transaction():
                kept = idempotency.recall(sandbox.store, key, wanted, sandbox.clock.now())
            if kept is not None:
                return kept, {"Idempotent-Replayed": "true"}
        fault = sandbox.faults.take(method, path)
        if fault is not None:
            made = fault.before(sandbox, key, wanted, request_id)
            if made is not None:
                return made
        raw = forms.parse((body if method == "POST" else request.query_string).decode("utf-8", "replace"))
        answer = _carry_out(sandbox, method, path, raw, request_id, key, wanted)
        if fault is not None:
            answer = fault.after(answer)
    return answer, {}


def _carry_out(  # noqa: PLR0917 - the parts of one thing
    sandbox: "Sandbox", method: str, path: str, raw: Obj, request_id: str, key: str | None, wanted: str
) -> Answer:
    entry, ids = routes.resolve(method, path)
    checked = params.check(entry.shape, raw, entry.accepts)
    paths = checked.pop("expand", [])
    store = sandbox.store
    try:
        with store.transaction(keeps=lambda error: isinstance(error, ApiError) and error.keeps_work):
            world = sandbox.world(request_id=request_id, idempotency_key=key)
            result = expand(world, public(routes.perform(world, entry, ids, checked)), paths)
            sandbox.watch.look(result, f"{method} {entry.template}")
            answer = Answer(200, dumps(result), request_id)
            if key is not None:
                idempotency.remember(store, key, wanted, answer, sandbox.clock.now())
    except ApiError as error:
        answer = _refusal(sandbox, error, request_id)
        if key is not None:
            with store.transaction():
                idempotency.remember(store, key, wanted, answer, sandbox.clock.now())
    return answer
