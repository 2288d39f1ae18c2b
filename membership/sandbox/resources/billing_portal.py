"""The customer portal: its configurations and sessions. The page itself is in `pages/portal.py`."""

from typing import Any

from stripe.params.billing_portal._configuration_create_params import ConfigurationCreateParams
from stripe.params.billing_portal._configuration_list_params import ConfigurationListParams
from stripe.params.billing_portal._configuration_retrieve_params import ConfigurationRetrieveParams
from stripe.params.billing_portal._configuration_update_params import ConfigurationUpdateParams
from stripe.params.billing_portal._session_create_params import SessionCreateParams

from membership.sandbox.kinds import Kind, Obj, declare, new_id
from membership.sandbox.protocol.errors import missing, unsupported
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World, merge_metadata, snapshot

CONFIGURATION = declare(
    Kind(
        "billing_portal.configuration",
        "bpc_",
        "/v1/billing_portal/configurations",
        "configuration",
        filters={"active": "$.active", "is_default": "$.is_default"},
    )
)
SESSION = declare(
    Kind(
        "billing_portal.session",
        "bps_",
        "/v1/billing_portal/sessions",
        "session",
        filters={"secret": "$._secret"},
        indexed=("secret",),
    )
)
_ACCEPTS = (
    "business_profile default_return_url metadata name features.invoice_history.enabled"
    " features.payment_method_update.enabled features.subscription_cancel.enabled features.subscription_cancel.mode"
    " features.subscription_pause.enabled features.subscription_update.enabled"
)
SESSION_SECONDS = 3600


def _features(wanted: Any) -> Obj:
    """All features are on unless they are turned off; a pause has no end, and changing the plan is never offered."""
    wanted = wanted or {}
    if (wanted.get("subscription_update") or {}).get("enabled"):
        raise unsupported("features[subscription_update][enabled]")
    cancel = wanted.get("subscription_cancel") or {}
    return {
        "customer_update": {"allowed_updates": [], "enabled": False},
        "invoice_history": {"enabled": (wanted.get("invoice_history") or {}).get("enabled", True)},
        "payment_method_update": {
            "enabled": (wanted.get("payment_method_update") or {}).get("enabled", True),
            "payment_method_configuration": None,
        },
        "subscription_cancel": {
            "cancellation_reason": {"enabled": False, "options": []},
            "enabled": cancel.get("enabled", True),
            "mode": cancel.get("mode", "at_period_end"),
            "proration_behavior": "none",
        },
        "subscription_pause": {
            "duration": {"interval_options": [], "type": "indefinite"},
            "enabled": (wanted.get("subscription_pause") or {}).get("enabled", True),
        },
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": [],
            "enabled": False,
            "proration_behavior": "none",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }


def _make(world: World, params: Obj, *, is_default: bool) -> Obj:
    profile = {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None}
    return world.add(
        CONFIGURATION,
        {
            "active": True,
            "application": None,
            "business_profile": profile | (params.get("business_profile") or {}),
            "default_return_url": params.get("default_return_url") or None,
            "features": _features(params.get("features")),
            "is_default": is_default,
            "login_page": {"enabled": False, "url": None},
            "metadata": merge_metadata({}, params.get("metadata")),
            "name": params.get("name") or None,
            "updated": world.now,
        },
    )


@operation("POST /v1/billing_portal/configurations", ConfigurationCreateParams, _ACCEPTS)
def create_configuration(world: World, params: Obj) -> Obj:
    """A configuration beside the default one."""
    configuration = _make(world, params, is_default=False)
    world.emit("billing_portal.configuration.created", configuration)
    return configuration


retrieval(CONFIGURATION, ConfigurationRetrieveParams)


@operation(
    "POST /v1/billing_portal/configurations/{id}",
    ConfigurationUpdateParams,
    f"{_ACCEPTS} active",
    subject=CONFIGURATION,
)
def update_configuration(world: World, params: Obj, configuration: Obj) -> Obj:
    """Change a configuration."""
    before = snapshot(configuration)
    configuration["metadata"] = merge_metadata(configuration["metadata"], params.get("metadata"))
    if "features" in params:
        configuration["features"] = configuration["features"] | _only(params["features"])
    configuration["business_profile"] |= params.get("business_profile") or {}
    configuration |= {k: params[k] for k in ("active", "name", "default_return_url") if k in params}
    configuration["updated"] = world.now
    world.emit("billing_portal.configuration.updated", configuration, before)
    return configuration


def _only(features: Obj) -> Obj:
    return {name: value for name, value in _features(features).items() if name in features}


listing(CONFIGURATION, ConfigurationListParams, "active is_default")


@operation("POST /v1/billing_portal/sessions", SessionCreateParams, "customer return_url configuration locale")
def create_session(world: World, params: Obj) -> Obj:
    """A page for one customer, open for an hour."""
    if not params.get("customer"):
        raise missing("customer")
    customer = world.need("customer", params["customer"], "customer")
    if params.get("configuration"):
        configuration = world.need(CONFIGURATION, params["configuration"], "configuration")
    else:
        found = world.store.find(CONFIGURATION, {"is_default": True}, limit=1)
        configuration = found[0] if found else _make(world, {}, is_default=True)
    secret = new_id("", 40)
    session = world.add(
        SESSION,
        {
            "configuration": configuration["id"],
            "customer": customer["id"],
            "customer_account": None,
            "flow": None,
            "locale": params.get("locale"),
            "on_behalf_of": None,
            "return_url": params.get("return_url") or configuration["default_return_url"],
            "url": f"{world.public_url}/p/session/{secret}",
            "_secret": secret,
            "_until": world.now + SESSION_SECONDS,
        },
    )
    world.emit("billing_portal.session.created", session)
    return session
