"""Appeals, as staff write them."""

from membership.appeals import queries, services
from membership.appeals.models import Appeal
from membership.appeals.rules import Plan, State, Variant

WORDS = {
    "title": "You could close this page now.",
    "body": "Or join the readers who make it possible.\nIt costs {amount} a month.",
    "button": "Join for {amount}",
}
SLOVA = {
    "title": "Ви можете закрити цю сторінку.",
    "body": "Або приєднатися до наших читачів.\nЦе коштує {amount} на місяць.",
    "button": "Приєднатися за {amount}",
}
OTHER = {
    "title": "What should we look into next?",
    "body": "Members choose, month by month.",
    "button": "Join and vote",
}


def make_variant(key="a", weight=1, *, en=WORDS, uk=SLOVA) -> Variant:
    """A variant in both languages; None leaves one out."""
    return Variant(key, weight, {code: words for code, words in (("en", en), ("uk", uk)) if words})


def make_appeal(*variants, actor=None, name="Foot of the article", **plan) -> Appeal:
    """A draft; with one variant where none is named."""
    return services.create(Plan(name, **plan), variants or [make_variant()], actor.id if actor else None)


def make_appeal_at(state, *variants, actor=None, **plan) -> Appeal:
    """An appeal that staff have taken to `state`."""
    appeal = make_appeal(*variants, actor=actor, **plan)
    actor_id = actor.id if actor else None
    if State(state) is not State.DRAFT:
        services.start(appeal.id, appeal.version, actor_id)
    if State(state) is State.STOPPED:
        services.stop(appeal.id, actor_id)
    return queries.get_by_public_id(appeal.public_id)
