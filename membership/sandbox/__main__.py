"""`python -m membership.sandbox` does the same as `membership sandbox`."""

from membership.sandbox.run import sandbox_command

if __name__ == "__main__":
    sandbox_command()
