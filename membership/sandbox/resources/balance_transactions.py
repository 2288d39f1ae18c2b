"""Movements of the balance, and the balance itself."""

from stripe.params._balance_retrieve_params import BalanceRetrieveParams
from stripe.params._balance_transaction_list_params import BalanceTransactionListParams
from stripe.params._balance_transaction_retrieve_params import BalanceTransactionRetrieveParams

from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.listing import PAGING, page
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World

KIND = declare(
    Kind(
        "balance_transaction",
        "txn_",
        "/v1/balance_transactions",
        "balance transaction",
        filters={"currency": "$.currency", "source": "$.source", "type": "$.type"},
        indexed=("source",),
    )
)


def _settled(world: World, txn: Obj) -> Obj:
    """Money is pending for some days and then available, without an event."""
    return txn | {"status": "available" if txn["available_on"] <= world.now else "pending"}


@operation("GET /v1/balance_transactions/{id}", BalanceTransactionRetrieveParams, subject=KIND)
def retrieve(world: World, _params: Obj, txn: Obj) -> Obj:
    """A movement."""
    return _settled(world, txn)


@operation("GET /v1/balance_transactions", BalanceTransactionListParams, f"{PAGING} currency source type")
def list_all(world: World, params: Obj) -> Obj:
    """Movements, newest first."""
    answer = page(world, KIND, params)
    answer["data"] = [_settled(world, txn) for txn in answer["data"]]
    return answer


@operation("GET /v1/balance", BalanceRetrieveParams)
def balance(world: World, _params: Obj) -> Obj:
    """What is pending and what is available, by currency."""
    sql = (
        "SELECT json_extract(body, '$.currency'), json_extract(body, '$.available_on') <= ?,"  # noqa: S608 - our own names
        f" sum(json_extract(body, '$.net')) FROM {KIND.table} GROUP BY 1, 2 ORDER BY 1"
    )
    world.store.flush()
    rows = list(world.store.db.execute(sql, (world.now,)))

    def amounts(*, available: bool) -> list[Obj]:
        return [
            {"amount": net, "currency": currency, "source_types": {"card": net}}
            for currency, is_available, net in rows
            if bool(is_available) == available
        ]

    return {
        "object": "balance",
        "available": amounts(available=True),
        "livemode": False,
        "pending": amounts(available=False),
    }
