"""Reads, writes and removes the files that a run is given. It must not know what they contain.

Only plain files are read, written, replaced or removed: where a link, a device, a pipe or a folder stands, it stays.
"""

import errno
import os
import stat
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

#: What may stand in the place of a file, by the form of its mode.
KINDS = {
    stat.S_IFDIR: "it is a folder",
    stat.S_IFLNK: "it is a symbolic link",
    stat.S_IFIFO: "it is a pipe",
    stat.S_IFSOCK: "it is a socket",
}
#: The modes of new files: for everybody whom the umask lets, and for the user alone.
FOR_ALL, FOR_ME = 0o666, 0o600
#: How a file is opened so that a pipe does not block, and that no link is followed; not every system has these.
AT_ONCE: int = getattr(os, "O_NONBLOCK", 0)
NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)


def obstacle(file: Path) -> str | None:
    """Return in words what stands in a file's place, unless it is a plain file or nothing."""
    try:
        mode = file.lstat().st_mode
    except FileNotFoundError:
        return None
    return None if stat.S_ISREG(mode) else KINDS.get(stat.S_IFMT(mode), "it is a device")


def write_whole(file: Path, parts: Iterable[str], mode: int = FOR_ALL) -> None:
    """Write a file atomically; raise `OSError`, and leave nothing behind, if it cannot be, or is no plain file."""
    check_place(file)
    make_folder(file.parent)
    partial = file.with_name(f".{file.name}.{token_hex(8)}")
    # O_EXCL: never write into a file or through a link that another user has put there.
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        # UTF-8 cannot encode half of a surrogate pair.
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.writelines(parts)
        check_place(file)
        partial.replace(file)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it is in, unless it is there; raise `OSError` if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except RecursionError:  # each folder is made by a call within that for the next
        raise OSError(errno.ENAMETOOLONG, "it is in too many folders", str(folder)) from None


def check_place(file: Path) -> None:
    """Raise `OSError` if something else than a plain file stands in the place of a file to be written."""
    if what := obstacle(file):
        raise OSError(errno.EEXIST, what, str(file))


def append(file: Path, text: str) -> None:
    """Append to a plain file, or make one; raise `OSError` if that is not possible, or something else stands there."""
    check_place(file)
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | AT_ONCE | NO_LINK, FOR_ALL)
    with open(descriptor, "a", encoding="utf-8", errors="backslashreplace") as stream:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            stream.write(text)


def read_plain(file: Path, largest: int) -> bytes:
    """Return the content of a plain file, or of one that a link names.

    Raise `OSError` if it cannot be read, is no plain file, or has more than so many bytes.
    """
    data = beginning_of(file, largest + 1)
    if len(data) > largest:
        raise OSError(errno.EFBIG, f"it is larger than {largest >> 20} MiB", str(file))
    return data


def beginning_of(file: Path, most: int) -> bytes:
    """Return the first bytes of a plain file, or of one that a link names; raise `OSError` if there is none."""
    with open(os.open(file, os.O_RDONLY | AT_ONCE), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(file))
        return stream.read(most) or b""  # some files of the kernel have nothing to say yet


def unwritten(file: Path, error: OSError) -> str:
    """Return in words that a file could not be written, why, and what to do."""
    remedy = "make room there" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "give another place"
    return f"{file} could not be written ({error.strerror}); {remedy}"


def remove(file: Path) -> None:
    """Remove a plain file, if possible; if it is not, writing the new file will report why."""
    with suppress(OSError):
        if obstacle(file) is None:
            file.unlink()


def is_among(file: Path, others: Collection[Path]) -> bool:
    """Whether a file is one of others, whatever the way each is written; a symbolic link is its name and its target."""
    here = {os.path.realpath(file.parent) + os.sep + file.name, os.path.realpath(file)}  # of a loop of links too
    return any(os.path.realpath(other.parent) + os.sep + other.name in here for other in others)
