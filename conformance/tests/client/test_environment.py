"""Key and base URL, given or from the environment, and what is refused of them at once."""

import pytest
from client.voices import BASE_URL, KEY
from hostup_agent_exec import AuthenticatedClient, Client


def test_key_and_base_url_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTUP_API_KEY", KEY)
    monkeypatch.delenv("HOSTUP_BASE_URL", raising=False)
    client = AuthenticatedClient()
    assert (client.token, repr(client)) == (KEY, f"AuthenticatedClient(URL('{BASE_URL}'))")
    monkeypatch.setenv("HOSTUP_BASE_URL", "https://h.test/x/")
    assert repr(AuthenticatedClient(token="other")) == "AuthenticatedClient(URL('https://h.test/x'))"


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("HOSTUP_API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("HOSTUP_API_KEY", value)
    with pytest.raises(ValueError, match=r"^token: give an API key, or set HOSTUP_API_KEY$"):
        AuthenticatedClient()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("a-key b", "expected visible ASCII characters alone"),
        ("a-key\n", "it ends in a newline"),
        ("a-key\r\n", "it ends in a newline"),
        ("a-key ", "it ends in a blank"),
        ("\ta-key", "it begins with a blank"),
        (" \n", "it is empty"),
        ("Bearer a-key", "give the key alone, without Bearer"),
        ("bearer a-key\n", "give the key alone, without Bearer"),
        ("å-key", "expected visible ASCII characters alone"),
    ],
)
def test_a_wrong_key_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, value: str, says: str) -> None:
    monkeypatch.setenv("HOSTUP_API_KEY", value)
    with pytest.raises(ValueError, match=f"^HOSTUP_API_KEY: {says}$") as caught:
        AuthenticatedClient()
    assert "a-key" not in str(caught.value)
    with pytest.raises(ValueError, match=f"^token: {says}$"):
        AuthenticatedClient(token=value)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "it is empty; unset it to send to https://cloud.hostup.se"),
        ("h.test", "expected http or https"),
        ("http://h.test", "expected https, or a host on loopback"),
    ],
)
def test_a_wrong_base_url_names_its_variable(monkeypatch: pytest.MonkeyPatch, value: str, says: str) -> None:
    monkeypatch.setenv("HOSTUP_BASE_URL", value)
    with pytest.raises(ValueError, match=f"^HOSTUP_BASE_URL: {says}"):
        AuthenticatedClient(token=KEY)


@pytest.mark.parametrize(
    "url", ["http://h.test", "http://10.0.0.1", "http://127.0.0.1.h.test", "http://[2001:db8::1]", "http://a.localhost"]
)
def test_plain_http_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="allow_plain_http=True"):
        AuthenticatedClient(url, KEY)
    AuthenticatedClient(url, KEY, allow_plain_http=True)


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.9.9.9", "http://[::1]:80"])
def test_plain_http_to_this_host_is_not(url: str) -> None:
    AuthenticatedClient(url, KEY)


def test_a_plain_client_needs_its_url_alone() -> None:
    assert repr(Client("https://h.test")) == "Client(URL('https://h.test'))"
