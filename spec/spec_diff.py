"""What has changed between two versions of the contract, and whom it breaks: `make spec-diff BASE=REV`."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import yaml
from comparison import BOTH, CALLERS, NOBODY, SERVERS, Change, changes
from contract import Contract, Unusable
from hostup_conformance.judging.ledger import load_yaml
from packaging.version import Version

ROOT = Path(__file__).parents[1]


def git(*arguments: str) -> bytes:
    """Run git in this repository; raise `Unusable` with what it says."""
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, check=False)  # noqa: S603, S607
    if done.returncode:
        raise Unusable(done.stderr.decode(errors="replace").strip().partition("\n")[0] or "git failed")
    return done.stdout


def commit_of(revision: str) -> str:
    """Return the commit that a revision names."""
    try:
        return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    except Unusable:
        raise Unusable(
            f"BASE={revision} is not a commit of this repository; give a branch, tag or hash (git fetch may bring it)"
        ) from None


def last_step() -> str:
    """Return the first commit with the version of HEAD: what has broken anybody since then needs a new version."""
    if git("rev-parse", "--is-shallow-repository").strip() == b"true":
        raise Unusable("this clone lacks the commit that set the version; run git fetch --unshallow, or give BASE=REV")
    base, version = "HEAD", None
    for commit in git("log", "--first-parent", "--format=%H", "--", "spec/openapi.yaml").decode().split():
        try:
            document = load_yaml(git("show", f"{commit}:spec/openapi.yaml"))
            version = version or str(document["info"]["version"])
            if str(document["info"]["version"]) != version:
                break
        except (Unusable, yaml.YAMLError, TypeError, KeyError):  # there was none, or none that can be read
            break
        base = commit
    return base


def at(commit: str) -> Contract:
    """Read the contract as it was in a commit."""
    paths = [path for path in ("spec", "generated") if git("ls-tree", commit, path)]
    if not paths:
        raise Unusable(f"{commit[:7]} has no contract")
    archive = git("archive", commit, *paths)
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
        return Contract.read(Path(folder))


def main(arguments: list[str] | None = None) -> int:
    """Print what has changed; return 1 if it breaks anybody and the version does not say so, 2 if that is unknown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--base", metavar="REV", help="compare with this commit (default: the one that set the version of HEAD)"
    )
    base = parser.parse_args(arguments).base
    try:
        new = Contract.read(ROOT)
        commit = commit_of(base or last_step())
        old = at(commit)
    except Unusable as error:
        print(f"spec-diff: {error}", file=sys.stderr)
        return 2
    found = changes(old, new)
    why = "" if base else ", which set it"
    print(f"changes since version {old.version} (commit {commit[:7]}{why}); the working tree has {new.version}")
    for breaks in (BOTH, CALLERS, SERVERS, NOBODY):
        lines = [f"  {change}" for change in found if change.breaks == breaks and not change.unclear]
        if lines:
            print("", f"breaks {' and '.join(breaks) or 'nobody'}", *lines, sep="\n")
    if unclear := [f"  {change}" for change in found if change.unclear]:
        print("", "read these to see whom they break", *unclear, sep="\n")
    return verdict(old, new, found)


def verdict(old: Contract, new: Contract, found: list[Change]) -> int:
    """Say whether the version fits the changes; return 1 if it does not."""
    if not found:
        print("\nnothing changed")
    if not any(change.breaks for change in found):
        return 0
    was, now = Version(old.version), Version(new.version)
    advice = f"semantic versioning asks for {was.major + 1}.0.0 or later"
    if now > was:
        if now.major == was.major:
            print(f"\nsome of these changes break somebody, which {new.version} does not say: {advice}")
        else:
            print(f"\nsome of these changes break somebody, as {new.version} says")
        return 0
    print(
        f"\nsome of these changes break somebody, but the version is {new.version}, no later than before: raise "
        f"info.version in spec/openapi.yaml ({advice}) and version in pyproject.toml, run make generate, and describe "
        "the change in spec/CHANGELOG.md",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
