"""`membership sandbox`: the stand-in for Stripe as a program of its own (it is defined where it can also run alone)."""

from membership.sandbox.run import sandbox_command

__all__ = ["sandbox_command"]
