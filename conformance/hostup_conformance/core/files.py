"""Writes and removes the files of a run; it must not know what is in them."""

from __future__ import annotations

import os
from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def write_whole(file: Path, parts: Iterable[str]) -> None:
    """Write a file that appears whole or not at all; a symbolic link in its place is replaced, not followed.

    Raises:
        OSError: it could not be written; nothing is left behind
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{token_hex(8)}")
    # A new file, whatever somebody else may have put there.
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        # Half of a surrogate pair cannot be written; as an escape it can.
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.writelines(parts)
        partial.replace(file)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def remove(file: Path) -> None:
    """Remove a file, or the symbolic link in its place; what cannot be removed shows when it is written."""
    with suppress(OSError):
        file.unlink()
