"""Tells where the system has no more threads, processes, open files or memory: that is nobody's defect."""

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: What a function of the system has no more of, by the number of its error.
LACKING = {
    errno.EAGAIN: "processes",
    errno.EMFILE: "open files",
    errno.ENFILE: "open files",
    errno.ENOMEM: "memory",
    errno.ENOBUFS: "memory",
}
#: What a run needs at least: open files, and bytes of address space, without which libraries abort.
LEAST_FILES, LEAST_MEMORY = 64, 512 << 20
#: What Python raises where there is no more of something.
SHORTAGES = (OSError, RuntimeError, MemoryError)


def shortage(error: BaseException) -> str | None:
    """Return in words what the system has no more of, if an exception says that, and what to do."""
    what: str | None = None
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):
        return "no folder for temporary files can be written to; set TMPDIR to one that can"
    if isinstance(error, MemoryError):
        what = "memory"
    elif isinstance(error, RuntimeError):
        what = "threads" if "can't start new thread" in str(error) else None
    elif isinstance(error, OSError):
        what = LACKING.get(error.errno or 0)
    return what and f"the system has no more {what} for the run; raise its limit (ulimit -a), or end other programs"


def too_low() -> str | None:
    """Return in words which limit of the system is too low for any run, and what to do."""
    if sys.platform == "win32":
        return None
    import resource

    needs = (
        (resource.RLIMIT_NOFILE, LEAST_FILES, "open files", f"ulimit -n {LEAST_FILES}"),
        (resource.RLIMIT_AS, LEAST_MEMORY, "bytes of memory", f"ulimit -v {LEAST_MEMORY >> 10}"),
    )
    for limit, least, what, remedy in needs:
        allowed, _ = resource.getrlimit(limit)
        if allowed != resource.RLIM_INFINITY and allowed < least:
            return f"the system allows {allowed} {what}, and a run needs {least}; raise its limit ({remedy})"
    return None


@contextmanager
def told_of_shortage(tell: Callable[[str], object]) -> Iterator[None]:
    """End the block where the system has no more of something, and call a function with the words for that."""
    try:
        yield
    except SHORTAGES as error:
        if (why := shortage(error)) is None:
            raise
        tell(why)
