"""Payouts: the sandbox makes none, so its balance only grows; the list is there and empty."""

from stripe.params._payout_list_params import PayoutListParams
from stripe.params._payout_retrieve_params import PayoutRetrieveParams

from membership.sandbox.kinds import Kind, declare
from membership.sandbox.protocol.reading import listing, retrieval

KIND = declare(Kind("payout", "po_", "/v1/payouts", "payout", filters={"status": "$.status"}))


retrieval(KIND, PayoutRetrieveParams)


listing(KIND, PayoutListParams, "status")
