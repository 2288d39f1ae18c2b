"""A stateful stand-in for the HTTP API of Stripe: a program of its own that knows none of our rooms."""
