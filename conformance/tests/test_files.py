"""What is given as a file is read, written, replaced or removed only if it is one."""

import errno
import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hostup_conformance.clients import recording as client_recording
from hostup_conformance.contract.target import Target
from hostup_conformance.front.cli import main
from hostup_conformance.front.preparation import check_outputs
from hostup_conformance.front.record import RunInfo, record_of
from hostup_conformance.front.reported_server import server
from hostup_conformance.http.route import Route
from hostup_conformance.judging.defects import Defects
from hostup_conformance.judging.verdict import nothing_judged
from hostup_conformance.judging.waivers import read_waivers
from hostup_conformance.keeping.files import append, read_plain, remove, unwritten, write_whole
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.reports import schema
from hostup_conformance.reports.files import REPORTS, is_strange, remove_reports, write_reports
from hostup_conformance.sources import recording

TARGET = Target("http://127.0.0.1:1", "server", "a-key-of-the-user", "vps_1")


def a_socket(file: Path) -> None:
    here = os.getcwd()
    os.chdir(file.parent)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(file.name)
    os.chdir(here)


def a_device(file: Path) -> None:
    try:
        os.mknod(file, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


#: What may stand where a file is expected.
THINGS: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a socket": a_socket,
    "a device": a_device,
    "a folder": Path.mkdir,
    "a link to nothing": lambda file: file.symlink_to("nowhere"),
    "a link to a device": lambda file: file.symlink_to("/dev/null"),
    "a link to a file": lambda file: file.symlink_to(__file__),
    "a link to itself": lambda file: file.symlink_to(file),
}


@pytest.fixture(params=THINGS)
def thing(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / "thing"
    THINGS[request.param](file)
    return file


def identity(file: Path) -> tuple[int, int, int]:
    found = file.lstat()
    return found.st_ino, found.st_mode, found.st_rdev


@pytest.mark.parametrize(
    "write",
    [lambda file: write_whole(file, ["text"]), lambda file: append(file, "text")],
    ids=["write_whole", "append"],
)
def test_nothing_but_a_plain_file_is_written(write: Callable[[Path], None], thing: Path) -> None:
    before = identity(thing), sorted(thing.parent.iterdir()), Path(__file__).read_bytes()
    with pytest.raises(OSError, match=r"it is a (pipe|socket|device|folder|symbolic link)"):
        write(thing)
    assert (identity(thing), sorted(thing.parent.iterdir()), Path(__file__).read_bytes()) == before


def test_nothing_but_a_plain_file_is_removed(thing: Path) -> None:
    before = identity(thing)
    remove(thing)
    assert identity(thing) == before


def test_nothing_but_a_plain_file_is_given_for_a_recording(thing: Path, tmp_path: Path) -> None:
    before = identity(thing)
    with pytest.raises(Misconfigured, match=r"thing cannot be written \(it is a .*\); give another --record"):
        check_outputs(tmp_path / "report", thing, {})
    assert identity(thing) == before


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("kind", THINGS)
def test_nothing_but_a_plain_file_stands_where_a_report_goes(kind: str, name: str, tmp_path: Path) -> None:
    report = tmp_path / name
    THINGS[kind](report)
    before = identity(report)
    remove_reports(tmp_path, ())
    with pytest.raises(Misconfigured, match="give another --report-dir"):
        check_outputs(tmp_path, None, {})
    assert len(write_reports(record_of_nothing(), tmp_path)) == 1
    assert identity(report) == before


READERS: dict[str, Callable[[Path], object]] = {
    "--har": lambda file: recording.read(file, TARGET),
    "--client": lambda file: client_recording.read(file, {}),
    "--waivers": lambda file: read_waivers(str(file)),
    "compare": schema.read,
    "--ca-file": lambda file: Route(ca=str(file), ca_named_by="--ca-file").context,
    "--client-cert": lambda file: Route(certificate=file).context,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", THINGS)
def test_nothing_but_a_plain_file_is_read(kind: str, reader: str, tmp_path: Path) -> None:
    if (kind, reader) == ("a folder", "--ca-file"):
        pytest.skip("a folder of CAs is one of its forms")
    file = tmp_path / "thing"
    THINGS[kind](file)
    with pytest.raises(Misconfigured, match=r"thing(/report\.json)?: "):
        READERS[reader](file)


@pytest.mark.parametrize("reader", READERS)
def test_a_device_without_end_is_not_read(reader: str) -> None:
    with pytest.raises(Misconfigured, match="/dev/zero: "):
        READERS[reader](Path("/dev/zero"))


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * (2 << 20))
    assert len(read_plain(file, 2 << 20)) == 2 << 20
    with pytest.raises(OSError, match="it is larger than 1 MiB"):
        read_plain(file, 1 << 20)


@pytest.mark.parametrize("name", REPORTS)
def test_files_of_others_are_not_removed(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("<testsuites/>, of another program")
    remove_reports(tmp_path, ())
    with pytest.raises(Misconfigured, match=f"{name} is no report of the suite"):
        check_outputs(tmp_path, None, {})
    assert "another program" in (tmp_path / name).read_text()


def test_its_own_reports_are_known_and_removed(tmp_path: Path) -> None:
    assert write_reports(record_of_nothing(), tmp_path) == []
    strange = [name for name in REPORTS if is_strange(tmp_path / name)]
    assert not strange, f"the next run will not know {strange} for its own: let the text say hostup-conformance"
    check_outputs(tmp_path, None, {})
    remove_reports(tmp_path, ())
    assert list(tmp_path.iterdir()) == []


def test_a_recording_is_for_its_owner_alone(tmp_path: Path) -> None:
    recording.write(tmp_path / "run.har", [], TARGET)
    assert stat.S_IMODE((tmp_path / "run.har").stat().st_mode) == 0o600
    assert json.loads((tmp_path / "run.har").read_text())["log"]["entries"] == []


def test_a_pipe_as_the_summary_of_a_job_blocks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "pipe"))
    assert write_reports(record_of_nothing(), tmp_path / "report") == []


def test_the_summary_of_a_job_is_no_file_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "waivers.yaml"
    file.touch()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    for others, appended in (([file], False), ([], True)):
        write_reports(record_of_nothing(), tmp_path / "report", others)
        assert bool(file.read_text()) == appended


def test_a_judged_device_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", "/dev/zero", "--client", "--report-dir", str(tmp_path / "report")]) == 4
    assert "/dev/zero: it is no plain file" in capsys.readouterr().err


def record_of_nothing() -> dict[str, object]:
    verdict = nothing_judged([], Defects())
    return record_of(verdict, [], server(TARGET), RunInfo(), lambda _verdict: {})


def test_what_cannot_be_written_is_told_with_a_remedy() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    assert unwritten(Path("a"), full) == "a could not be written (No space left on device); make room there"
    assert unwritten(Path("a"), IsADirectoryError(errno.EISDIR, "it is a folder")).endswith("; give another place")
