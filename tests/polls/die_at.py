"""Does one step with a poll in a process of its own, which a fault point may kill: `die_at.py STEP POLL [PERSON]`."""

import sys
from datetime import timedelta

from membership.app import create_app
from membership.polls import jobs, services
from tests.factories.polls import CLOSES, NOW

if __name__ == "__main__":
    step, poll_id = sys.argv[1], int(sys.argv[2])
    with create_app().app_context():
        if step == "open":
            services.open_poll(poll_id, None, NOW)
        elif step == "cast":
            services.cast(poll_id, int(sys.argv[3]), [2], NOW)
        elif step == "link":
            jobs.link(NOW)
        elif step == "cancel":
            services.cancel(poll_id, "We asked the wrong question.", None)
            jobs.wipe(NOW + timedelta(hours=1))
        else:
            jobs.close_due(CLOSES)
            jobs.wipe(CLOSES)
