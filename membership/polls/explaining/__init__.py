"""From a count to what its page says and draws: pure functions of `Count`, no words, no language.

`explain` answers a `Story`; the templates in `templates/polls/count/` put it into sentences.
"""

from membership.polls.explaining.story import Story, TopicKey, explain

__all__ = ["Story", "TopicKey", "explain"]
