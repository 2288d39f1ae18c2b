"""The demo's appeal: it runs, in two wordings of a small independent newsroom."""

from membership.appeals import services as appeals
from membership.appeals.rules import Plan, Variant

# Two wordings of one appeal: about what readers make possible, and about what they decide.
ASKS = {
    "a": {
        "en": {
            "title": "You could close this page now.",
            "body": "Or, for the price of one cup of coffee a month ({amount}), you could join the readers who make "
            "reporting like this possible.\nEverything we publish stays free for everyone, whether you join or not.",
            "button": "Join from {amount} a month",
        },
        "uk": {
            "title": "Ви можете просто закрити цю сторінку.",
            "body": "А можете за ціною однієї чашки кави на місяць ({amount}) приєднатися до читачів, завдяки яким "
            "існують такі матеріали.\nУсе, що ми публікуємо, лишається безкоштовним для всіх — "
            "і для тих, хто не приєднається.",
            "button": "Приєднатися від {amount} на місяць",
        },
    },
    "b": {
        "en": {
            "title": "What should we look into next?",
            "body": "Our members choose. They pay the price of one cup of coffee a month ({amount}), and each has one "
            "vote, however much they give.\nWe are a small newsroom: you would help to decide what our time goes into.",
            "button": "Join and vote",
        },
        "uk": {
            "title": "Про що нам писати далі?",
            "body": "Це вирішують ті, хто нас підтримує: ціна однієї чашки кави на місяць ({amount}) — і один голос, "
            "скільки б ви не давали.\nМи невелика редакція: ви допомогли б вирішити, на що піде наш час.",
            "button": "Приєднатися і голосувати",
        },
    },
}


def run_appeal(editor: int) -> None:
    """Write it and start it, as the editor of the demo (the id of a person)."""
    plan = Plan("Foot of the article, winter")
    draft = appeals.create(plan, [Variant(key, 1, texts) for key, texts in ASKS.items()], editor)
    appeals.start(draft.id, draft.version, editor)
