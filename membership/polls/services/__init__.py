"""Use cases of polls: drafting, opening, casting, closing, what comes after."""

from membership.polls.rules.drafts import PollFields
from membership.polls.services.after import resume_news, skip, stop_news
from membership.polls.services.cancelling import cancel
from membership.polls.services.casting import Saved, cast
from membership.polls.services.closing import close
from membership.polls.services.drafting import change, draft
from membership.polls.services.linking import link
from membership.polls.services.opening import open_poll
from membership.polls.services.trouble import Trouble, TroubleFound
from membership.polls.services.wiping import sweep_keys, wipe

__all__ = [
    "PollFields",
    "Saved",
    "Trouble",
    "TroubleFound",
    "cancel",
    "cast",
    "change",
    "close",
    "draft",
    "link",
    "open_poll",
    "resume_news",
    "skip",
    "stop_news",
    "sweep_keys",
    "wipe",
]
