"""Where the keys of open polls lie: one small file each, in a folder that no backup holds (ADR 0009).

A key is made when its poll opens and destroyed after its close. It is read for each ballot and kept nowhere in
between, so that no process remembers the key of a closed poll. Beside it lies the last head that was linked: a database
that was put back to an earlier state is recognised by it.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from membership.kernel import faults
from membership.polls.sealing import KEY_BYTES, PollKey
from membership.web import settings

KEY, HEAD = ".key", ".head"
# It tells an empty folder from one that is not there at the moment: a disk that is not mounted, another machine.
MARK = "poll-keys-are-here"
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


def folder() -> Path:
    """The folder of this installation: as set, or beside the SQLite database, or `var/poll-keys`."""
    known = settings()
    if known.keys_path:
        return Path(known.keys_path)
    if known.database_url.startswith("sqlite:///"):
        database = Path(known.database_url.removeprefix("sqlite:///"))
        return database.with_name(f"{database.stem}-keys")
    return Path("var/poll-keys")


def create(poll: str) -> PollKey:
    """Make the key of a poll that is about to open. It is on the disk when this returns.

    What an opening that died left behind under this name is replaced. OSError where the folder cannot be written.
    """
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(PRIVATE_FOLDER)
    (place / MARK).touch(PRIVATE_FILE)
    destroy(poll)
    raw = secrets.token_bytes(KEY_BYTES)
    _write(place / f"{poll}{KEY}", raw)
    faults.point("polls.key:made")
    return PollKey(raw, poll)


def find(poll: str) -> PollKey | None:
    """The key of an open poll; None where it is missing."""
    try:
        raw = (folder() / f"{poll}{KEY}").read_bytes()
    except FileNotFoundError:
        return None
    return PollKey(raw, poll) if len(raw) == KEY_BYTES else None


def is_lost(poll: str) -> bool:
    """Whether the key is gone for good: the folder of keys is there, and the key is not in it."""
    return (folder() / MARK).exists() and not (folder() / f"{poll}{KEY}").exists()


def destroy(poll: str) -> None:
    """Overwrite and remove the key and the remembered head of a poll, as often as it is asked."""
    for suffix in (KEY, HEAD):
        path = folder() / f"{poll}{suffix}"
        try:
            with path.open("r+b", buffering=0) as file:
                file.write(secrets.token_bytes(max(KEY_BYTES, path.stat().st_size)))
                os.fsync(file.fileno())
        except FileNotFoundError:
            continue
        path.unlink(missing_ok=True)
        _settle(path.parent)
        faults.point(f"polls{suffix}:destroyed")


def remember_head(poll: str, seq: int, head: str) -> None:
    """Keep the last head outside the database, too."""
    path = folder() / f"{poll}{HEAD}"
    fresh = path.with_suffix(".new")
    _write(fresh, f"{seq} {head}\n".encode())
    fresh.replace(path)
    _settle(path.parent)


def find_head(poll: str) -> tuple[int, str] | None:
    """The last head that was remembered: (number of the link, head); None where there is none."""
    try:
        seq, head = (folder() / f"{poll}{HEAD}").read_text().split()
    except FileNotFoundError:
        return None
    return int(seq), head


def list_polls() -> Iterator[str]:
    """The public ids of all polls that have a file here."""
    place = folder()
    if place.is_dir():
        yield from sorted({path.stem for path in place.iterdir() if path.suffix in {KEY, HEAD}})


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        os.write(file, content)
        os.fsync(file)
    finally:
        os.close(file)
    _settle(path.parent)


def _settle(place: Path) -> None:
    """Make sure that what the folder lists is on the disk."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
