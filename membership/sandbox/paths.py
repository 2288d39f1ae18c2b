"""Where the files beside the code are found."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def templates_dir() -> Path:
    """The folder that holds `sandbox/`: inside the package in a wheel, beside it in a checkout.

    Raises FileNotFoundError where neither exists, which means that the installation is damaged.
    """
    for candidate in (_PACKAGE / "templates", _PACKAGE.parent / "templates"):
        if (candidate / "sandbox").is_dir():
            return candidate
    raise FileNotFoundError(f"No templates/sandbox beside or inside {_PACKAGE.name}.")


def static_dir() -> Path:
    """The folder of the sandbox's own stylesheets."""
    return Path(__file__).resolve().parent / "static"
