"""A stateful stand-in for Stripe's HTTP API: a program of its own, which knows nothing of our rooms.

It keeps its own books, which tests hold against ours. Nothing runs on import; start with `app.create_sandbox`
or with `membership sandbox`.
"""
