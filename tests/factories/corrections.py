"""Reports of mistakes, as readers send them, and passages that staff have decided about."""

from membership.corrections import queries, services
from membership.corrections.models import CorrectionPassage, CorrectionReport
from membership.corrections.rules import State, clean_article, clean_report
from membership.kernel import clock

SITE = "https://www.harbourpost.example"
ARTICLE = f"{SITE}/2026/11/dredging"
QUOTE = "pays 1.2 million a year"
PREFIX, SUFFIX = "Since the flood the port of our town ", " for the dredging of its basin, says the council."
NOTE = "It is 2.1 million; see the budget, page 12."


def make_report(
    quote=QUOTE, note=NOTE, email="olena@example.org", *, article=ARTICLE, prefix=PREFIX, suffix=SUFFIX, person=None,
    locale="en", way="embed",
) -> CorrectionReport:  # fmt: skip
    """One report, taken down."""
    return services.report(
        clean_article(article, {SITE}), clean_report(quote, prefix, suffix, note), email, locale, way, clock.now(),
        person_id=person.id if person else None,
    )  # fmt: skip


def make_passage(quote=QUOTE, **report) -> CorrectionPassage:
    """A passage that somebody reported."""
    return queries.get(make_report(quote, **report).passage_id)


def make_passage_at(state, actor=None, **report) -> CorrectionPassage:
    """A passage that staff have taken to `state`."""
    passage, actor_id = make_passage(**report), actor.id if actor else None
    match State(state):
        case State.FIXED:
            services.fix(passage.id, "1.2 million", "2.1 million", "Ten years of dredging", "Well read.", actor_id)
        case State.DECLINED:
            services.decline(passage.id, "The budget was changed in May.", actor_id)
        case State.DUPLICATE:
            other = make_passage("dredgnig", prefix="Nobody knows who bids for the ", suffix=" and who wins each year.")
            services.mark_duplicate(passage.id, other.id, actor_id)
        case State.SPAM:
            services.mark_spam(passage.id, actor_id)
    return queries.get(passage.id)
