"""Two topics that are one. Their followers stay where they are and count once; unmerging forgets the pointer."""

from membership.db import transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict
from membership.topics import queries
from membership.topics.models import Topic
from membership.topics.rules import MERGE_TARGETS, UNMERGED, Stage
from membership.topics.services.steps import FOLLOWERS, locked, move, take_turns_merging, tell, write_down


def merge(topic_id: int, into_id: int, actor: int | None) -> Topic:
    """Make a topic part of another (or of what that one was merged into); that other topic.

    The followers of both are told, each once. Merging the same again changes nothing. Conflict: `merged_elsewhere`
    where it is part of a third, `merge_into_itself`, `merge_target_closed` where the other is done with or not public
    yet, and `wrong_stage` where the topic has gone too far to be merged.
    """
    with transaction("topics.merge"):
        take_turns_merging()
        target_id = queries.root_of(queries.get(into_id)).id
        if target_id == topic_id:
            raise Conflict("merge_into_itself", "A topic cannot be merged into itself or into a part of itself.")
        first, second = (locked(row_id) for row_id in sorted((topic_id, target_id)))
        topic, target = (first, second) if first.id == topic_id else (second, first)
        if topic.stage == Stage.MERGED:
            if queries.root_of(topic).id == target.id:
                return target
            raise Conflict("merged_elsewhere", "This topic is part of another one already.")
        if Stage(target.stage) not in MERGE_TARGETS:
            raise Conflict(
                "merge_target_closed",
                "Nothing can become part of the other topic: it is over, or not on the shortlist yet.",
            )
        before = topic.stage
        topic.merged_into_id, topic.stage_before_merge = target.id, before
        event = move(topic, Stage.MERGED, clock.now(), actor, into=target.id)
        target.n_followers = queries.n_followers(target.id)
        tell(event, "topics/merged", FOLLOWERS, besides=target.id)
    return target


def unmerge(topic_id: int, actor: int | None) -> Topic:
    """Part a topic from the one that it was merged into, back to its stage before; the topic.

    The followers of both are told: who followed it follows it alone again. One that is not merged stays as it is.
    """
    with transaction("topics.unmerge"):
        take_turns_merging()
        target_id = queries.get(topic_id).merged_into_id
        if target_id is None:
            return queries.get(topic_id)
        root_id = queries.root_of(queries.get(target_id)).id
        rows = {row_id: locked(row_id) for row_id in sorted({topic_id, root_id})}
        topic, root = rows[topic_id], rows[root_id]
        now = clock.now()
        topic.merged_into_id, topic.stage_at = None, now
        topic.stage, topic.stage_before_merge = topic.stage_before_merge or Stage.SHORTLISTED.value, None
        event = write_down(topic, UNMERGED, now, actor, out_of=root.id)
        topic.n_followers, root.n_followers = queries.n_followers(topic.id), queries.n_followers(root.id)
        tell(event, "topics/merged", FOLLOWERS, besides=root.id)
    return topic
