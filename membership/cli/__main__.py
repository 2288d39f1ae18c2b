"""`python -m membership.cli`: the same as the console script, for processes that start others."""

from membership.cli import main

if __name__ == "__main__":
    main(prog_name="membership")
