"""Invoice payments: which payment intent pays for which invoice."""

from stripe.params._invoice_payment_list_params import InvoicePaymentListParams
from stripe.params._invoice_payment_retrieve_params import InvoicePaymentRetrieveParams

from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.errors import missing
from membership.sandbox.protocol.listing import PAGING, page
from membership.sandbox.protocol.reading import retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World

KIND = declare(
    Kind(
        "invoice_payment",
        "inpay_",
        "/v1/invoice_payments",
        "invoice payment",
        filters={"invoice": "$.invoice", "status": "$.status", "intent": "$.payment.payment_intent"},
        indexed=("invoice", "intent"),
    )
)


retrieval(KIND, InvoicePaymentRetrieveParams)


@operation(
    "GET /v1/invoice_payments", InvoicePaymentListParams, f"{PAGING} invoice status payment.type payment.payment_intent"
)
def list_all(world: World, params: Obj) -> Obj:
    """Invoice payments, newest first; by `payment[type]=payment_intent` and `payment[payment_intent]` as well."""
    payment = params.pop("payment", None)
    if payment is None:
        return page(world, KIND, params)
    if not payment.get("payment_intent"):
        raise missing("payment[payment_intent]")
    return page(world, KIND, params, {"intent": payment["payment_intent"]})
