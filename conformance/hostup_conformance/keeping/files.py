"""Writes and removes the files of a run. It must not know what they contain."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex


def write_whole(file: Path, parts: Iterable[str]) -> None:
    """Write a file atomically. A symbolic link in its place is replaced, not followed.

    Raises:
        OSError: it could not be written; nothing is left behind
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{token_hex(8)}")
    # O_EXCL: never write into a file or through a link that another user has put there.
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        # UTF-8 cannot encode half of a surrogate pair.
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.writelines(parts)
        partial.replace(file)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def remove(file: Path) -> None:
    """Remove a file or a symbolic link, if possible; if it is not, writing the new file will report why."""
    with suppress(OSError):
        file.unlink()


def is_among(file: Path, others: Collection[Path]) -> bool:
    """Whether a file is one of others, whatever the way each is written; a symbolic link is its name and its target."""
    here = {file.parent.resolve() / file.name, file.resolve()}
    return any(other.parent.resolve() / other.name in here for other in others)
