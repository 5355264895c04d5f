"""Before anything is sent, what a target lacks is named, and a target that cannot be judged safely is refused."""

import pytest
from hostup_conformance.contract.target import Target
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.mock import Mock

GOOD = Mock().environment()


def test_what_is_needed_is_named() -> None:
    with pytest.raises(Misconfigured, match="HOSTUP_API_KEY is not set"):
        Target.from_environment("http://127.0.0.1:9", {k: v for k, v in GOOD.items() if k != "HOSTUP_API_KEY"})
    with pytest.raises(Misconfigured, match=r"HOSTUP_API_KEY is not set; .* HOSTUP_VPS_ID"):
        Target.from_environment("http://127.0.0.1:9", {})


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://example.com", "plain http"),
        ("https://user:pass@example.com", "user or password"),
        ("ftp://example.com", "not an http"),
        ("example.com", "not an http"),
        ("https://example.com/?a=b", "query or fragment"),
        ("https://exam ple.com", "space"),
        ("https://bücher.example/x", "has a host outside ASCII; give it as xn--bcher-kva.example"),
        ("https://example.com/å", "outside ASCII; percent-encode it"),
        ("https://example.com/proxy/api/v2/", "has /api/v2, which is added"),
        ("https://example.com/api/v2/vps", "has /api/v2, which is added"),
        ("https://example.com/api/v2/vps/vps_a/agent/exec", "has /api/v2, which is added"),
        ("http://127.0.0.1:99999", "not a URL"),
        ("http://[::1", "not a URL"),
        ("", "not an http"),
    ],
)
def test_an_unfit_base_url_is_refused(url: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says) as caught:
        Target.from_environment(url, GOOD)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"HOSTUP_FINISHED_PID": "abc"}, "HOSTUP_FINISHED_PID is 'abc'"),
        ({"HOSTUP_RUNNING_PID": "0"}, "integer above 0"),
        ({"HOSTUP_RUNNING_PID": "7" * 10_000}, "HOSTUP_RUNNING_PID is '7{100,200}[.]{3}; give an integer above 0"),
        ({"HOSTUP_API_KEY": "a b"}, "HOSTUP_API_KEY contains a space"),
        ({"HOSTUP_API_KEY": f"Bearer {GOOD['HOSTUP_API_KEY']}"}, "HOSTUP_API_KEY .*without Bearer"),
        ({"HOSTUP_READ_API_KEY": f'"{GOOD["HOSTUP_READ_API_KEY"]}"'}, "HOSTUP_READ_API_KEY is in quotes"),
        ({"HOSTUP_API_KEY": "k" * 5000}, "HOSTUP_API_KEY has 5000 characters"),
        ({"HOSTUP_VPS_ID": "vps_1\x1b[2J"}, r"HOSTUP_VPS_ID is vps_1\\x1b\[2J, which is no id"),
        ({"HOSTUP_VPS_ID": "vps_\udc80"}, r"HOSTUP_VPS_ID is vps_\\udc80, which is no id"),
        ({"HOSTUP_FOREIGN_VPS_ID": ".."}, "HOSTUP_FOREIGN_VPS_ID is .., which is no id"),
        ({"HOSTUP_UNAVAILABLE_VPS_ID": "'vps_1'"}, "HOSTUP_UNAVAILABLE_VPS_ID is in quotes"),
        ({"HOSTUP_API_KEY": "127.0.0.1"}, "HOSTUP_API_KEY stands in --base-url"),
        ({"HOSTUP_API_KEY": GOOD["HOSTUP_VPS_ID"][4:].upper()}, "HOSTUP_API_KEY stands in HOSTUP_VPS_ID"),
        ({"HOSTUP_READ_API_KEY": "application/json"}, "HOSTUP_READ_API_KEY is an ordinary word"),
        ({"HOSTUP_API_KEY": "hostup-conformance"}, "HOSTUP_API_KEY is an ordinary word"),
        ({"HOSTUP_API_KEY": "my-conformance-key"}, "HOSTUP_API_KEY has letters of the name of a verdict"),
        ({"HOSTUP_READ_API_KEY": GOOD["HOSTUP_API_KEY"]}, "HOSTUP_API_KEY and HOSTUP_READ_API_KEY are the same"),
        ({"HOSTUP_FOREIGN_VPS_ID": GOOD["HOSTUP_VPS_ID"]}, "different VPS ids"),
        ({"HOSTUP_RUNNING_PID": GOOD["HOSTUP_FINISHED_PID"]}, "different pids"),
    ],
)
def test_unfit_fixtures_are_named(change: dict[str, str], says: str) -> None:
    with pytest.raises(Misconfigured, match=says) as caught:
        Target.from_environment("http://127.0.0.1:9", {**GOOD, **change})
    assert GOOD["HOSTUP_API_KEY"] not in str(caught.value)


def test_blanks_around_a_value_are_none_of_it() -> None:
    """Nor is a value of blanks one."""
    around = {name: f" {value}\r\n" for name, value in GOOD.items()} | {"HOSTUP_READ_API_KEY": "\n"}
    target = Target.from_environment("http://127.0.0.1:9", around)
    assert (target.key, target.vps) == (GOOD["HOSTUP_API_KEY"], GOOD["HOSTUP_VPS_ID"])
    assert target.finished_pid == int(GOOD["HOSTUP_FINISHED_PID"])
    assert target.read_key is None


def test_a_variable_of_somebody_else_is_not_taken() -> None:
    with pytest.raises(Misconfigured, match="HOSTUP_API_KEY is not set"):
        Target.from_environment("http://127.0.0.1:9", {"API_KEY": "somebody else's", "VPS_ID": "vps_1"})


def test_no_key_in_repr() -> None:
    target = Target.from_environment("http://127.0.0.1:9", GOOD)
    assert GOOD["HOSTUP_API_KEY"] not in repr(target)
    assert GOOD["HOSTUP_READ_API_KEY"] not in repr(target)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "http://[::1]:9", "http://localhost", "http://127.9.9.9/prefix/"]
)
def test_loopback_may_be_plain(url: str) -> None:
    target = Target.from_environment(url, GOOD)
    assert target.is_loopback
    assert not target.base_url.endswith("/")


def test_a_profile_says_what_is_missing() -> None:
    target = Target.from_environment("http://127.0.0.1:9", GOOD, profile="credentials,ids")
    assert [need for need in ("ids", "HOSTUP_FINISHED_PID", "scopes", "pids") if not target.has(need)] == [
        "scopes",
        "pids",
    ]
    assert not Target.from_environment("http://127.0.0.1:9", GOOD, profile="static").has("ids")
    with pytest.raises(Misconfigured, match="--profile x: x is unknown"):
        Target.from_environment("http://127.0.0.1:9", GOOD, profile="x")
