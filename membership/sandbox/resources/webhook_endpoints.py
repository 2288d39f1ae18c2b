"""Webhook endpoints: to whom events are sent, and the secret with which they are signed."""

import secrets

from stripe.params._webhook_endpoint_create_params import WebhookEndpointCreateParams
from stripe.params._webhook_endpoint_delete_params import WebhookEndpointDeleteParams
from stripe.params._webhook_endpoint_list_params import WebhookEndpointListParams
from stripe.params._webhook_endpoint_retrieve_params import WebhookEndpointRetrieveParams
from stripe.params._webhook_endpoint_update_params import WebhookEndpointUpdateParams

from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import API_VERSION, World, merge_metadata

KIND = declare(Kind("webhook_endpoint", "we_", "/v1/webhook_endpoints", "webhook endpoint", filters={"url": "$.url"}))


def make(world: World, url: str, events: list[str], *, secret: str | None = None, fixed: bool = False) -> Obj:
    """A new endpoint; `fixed` ones come from the command line and survive a reset."""
    return world.add(
        KIND,
        {
            "api_version": API_VERSION,
            "application": None,
            "description": None,
            "enabled_events": events,
            "metadata": {},
            "status": "enabled",
            "url": url,
            "_secret": secret or "whsec_" + secrets.token_hex(16),
            "_fixed": fixed,
        },
    )


@operation(
    "POST /v1/webhook_endpoints", WebhookEndpointCreateParams, "url enabled_events description metadata api_version"
)
def create(world: World, params: Obj) -> Obj:
    """Create an endpoint; only this answer shows its secret. Another API version than ours is refused."""
    _check(params)
    if params.get("api_version", API_VERSION) != API_VERSION:
        raise ApiError(f"The sandbox sends events in {API_VERSION} only.", param="api_version")
    endpoint = make(world, params["url"], params["enabled_events"])
    endpoint["description"] = params.get("description") or None
    endpoint["metadata"] = merge_metadata({}, params.get("metadata"))
    return endpoint | {"secret": endpoint["_secret"]}


def _check(params: Obj) -> None:
    if "url" in params and not params["url"].startswith(("http://", "https://")):
        raise ApiError(
            "Invalid URL: An explicit scheme (such as https) must be provided.", code="url_invalid", param="url"
        )


retrieval(KIND, WebhookEndpointRetrieveParams)


@operation(
    "POST /v1/webhook_endpoints/{id}",
    WebhookEndpointUpdateParams,
    "url enabled_events description metadata disabled",
    subject=KIND,
)
def update(_world: World, params: Obj, endpoint: Obj) -> Obj:
    """Change an endpoint, or disable it."""
    _check(params)
    disabled = params.pop("disabled", None)
    endpoint["metadata"] = merge_metadata(endpoint["metadata"], params.pop("metadata", None))
    endpoint.update(params)
    if disabled is not None:
        endpoint["status"] = "disabled" if disabled else "enabled"
    return endpoint


@operation("DELETE /v1/webhook_endpoints/{id}", WebhookEndpointDeleteParams, subject=KIND)
def delete(world: World, _params: Obj, endpoint: Obj) -> Obj:
    """Delete an endpoint; what it has not taken yet is not sent any more."""
    world.store.remove(endpoint)
    world.store.db.execute("DELETE FROM delivery WHERE endpoint = ? AND state = 'waiting'", (endpoint["id"],))
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


listing(KIND, WebhookEndpointListParams)
