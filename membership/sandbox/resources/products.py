"""Products: what a price is a price of."""

from stripe.params._product_create_params import ProductCreateParams
from stripe.params._product_delete_params import ProductDeleteParams
from stripe.params._product_list_params import ProductListParams
from stripe.params._product_retrieve_params import ProductRetrieveParams
from stripe.params._product_update_params import ProductUpdateParams

from membership.sandbox.kinds import KINDS, Kind, Obj, declare
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.protocol.reading import listing, retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World, merge_metadata, snapshot

KIND = declare(
    Kind("product", "prod_", "/v1/products", "product", filters={"active": "$.active", "ids": "$.id", "url": "$.url"})
)
_ACCEPTS = "name active description images metadata statement_descriptor unit_label url shippable marketing_features"


def make(world: World, params: Obj) -> Obj:
    """A new product from the parameters of a call or of inline `product_data`, with its event."""
    product = world.add(
        KIND,
        {
            "active": True,
            "default_price": None,
            "description": None,
            "images": [],
            "marketing_features": [],
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "type": "service",
            "unit_label": None,
            "updated": world.now,
            "url": None,
            **params,
            "metadata": merge_metadata({}, params.get("metadata")),
        },
        id_length=14,
    )
    world.emit("product.created", product)
    return product


@operation("POST /v1/products", ProductCreateParams, f"{_ACCEPTS} id")
def create(world: World, params: Obj) -> Obj:
    """Create a product, under a name of one's own if `id` is given."""
    own = params.get("id")
    if own and (not own.startswith("prod_") or world.store.get(own)):
        code = "resource_already_exists" if own.startswith("prod_") else None
        raise ApiError(
            f"Product ids begin with prod_ in the sandbox and are used once: '{own}'.", code=code, param="id"
        )
    return make(world, params)


retrieval(KIND, ProductRetrieveParams)


@operation("POST /v1/products/{id}", ProductUpdateParams, _ACCEPTS, subject=KIND)
def update(world: World, params: Obj, product: Obj) -> Obj:
    """Change a product."""
    before = snapshot(product)
    product["metadata"] = merge_metadata(product["metadata"], params.pop("metadata", None))
    product.update({name: None if value == "" else value for name, value in params.items()})
    product["updated"] = world.now
    world.emit("product.updated", product, before)
    return product


@operation("DELETE /v1/products/{id}", ProductDeleteParams, subject=KIND)
def delete(world: World, _params: Obj, product: Obj) -> Obj:
    """Delete a product that has no price yet; ApiError 400 otherwise, as at Stripe."""
    if world.store.find(KINDS["price"], {"product": product["id"]}, limit=1):
        raise ApiError("This product cannot be deleted because it has one or more user-created prices.")
    world.emit("product.deleted", product)
    world.store.remove(product)
    return {"id": product["id"], "object": "product", "deleted": True}


listing(KIND, ProductListParams, "active ids url")
