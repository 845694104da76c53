"""The proxy that the environment names for an address."""

import pytest

from bot.config import WrongSettings, load
from bot.proxy import WrongProxy, proxy_for

TELEGRAM = "https://api.telegram.org"
PROXY = "http://proxy.example.org:3128"
OTHER = "http://other.example.org:3128"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY}, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": OTHER}, PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": OTHER}, None),
        ({"ALL_PROXY": PROXY}, PROXY),
        ({"all_proxy": PROXY, "HTTPS_PROXY": OTHER}, OTHER),
        ({"HTTP_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": "proxy.example.org:3128"}, PROXY),
        ({"HTTPS_PROXY": f" {PROXY} "}, PROXY),
    ],
)
def test_proxy_is_found_as_elsewhere(environ: dict[str, str], expected: str | None) -> None:
    assert proxy_for(TELEGRAM, environ) == expected


@pytest.mark.parametrize(
    ("exempt", "url", "direct"),
    [
        ("api.telegram.org", TELEGRAM, True),
        ("telegram.org", TELEGRAM, True),
        (".telegram.org", TELEGRAM, True),
        ("*.telegram.org", TELEGRAM, True),
        ("example.org, API.TELEGRAM.ORG", TELEGRAM, True),
        ("*", TELEGRAM, True),
        ("api.telegram.org:443", "https://api.telegram.org:443", True),
        ("api.telegram.org:8443", TELEGRAM, False),
        ("gram.org", TELEGRAM, False),
        ("", TELEGRAM, False),
        (" , ", TELEGRAM, False),
        ("10.0.0.0/8", "https://10.1.2.3:8081", True),
        ("10.0.0.0/8", "https://11.1.2.3:8081", False),
        ("10.1.2.3", "https://10.1.2.3:8081", True),
        ("fd00::/8", "https://[fd00::7]", True),
    ],
)
def test_no_proxy_lists_exceptions(exempt: str, url: str, *, direct: bool) -> None:
    assert (proxy_for(url, {"HTTPS_PROXY": PROXY, "NO_PROXY": exempt}) is None) is direct
    assert (proxy_for(url, {"HTTPS_PROXY": PROXY, "no_proxy": exempt, "NO_PROXY": "x"}) is None) is direct


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "[::1]", "localhost", "bot.localhost"])
def test_loopback_never_uses_a_proxy(host: str) -> None:
    everything = {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "ALL_PROXY": PROXY}
    for scheme in ("http", "https"):
        assert proxy_for(f"{scheme}://{host}:8081", everything) is None


@pytest.mark.parametrize(
    "value", ["socks5://u:open-sesame@h:1080", "https://h:3128", "http://", "http://h:99999", "http://[h"]
)
def test_unusable_proxy_is_reported(value: str) -> None:
    with pytest.raises(WrongProxy) as wrong:
        proxy_for(TELEGRAM, {"ALL_PROXY": value})
    assert str(wrong.value).startswith("ALL_PROXY ")
    assert value == "http://" or value not in str(wrong.value)
    assert "open-sesame" not in str(wrong.value)
    with pytest.raises(WrongSettings, match="ALL_PROXY"):
        load({"ALL_PROXY": value}, None, need_token=False)


def test_proxy_password_is_not_logged() -> None:
    settings = load({"HTTPS_PROXY": "http://member:open%2Dsesame@proxy.example.org:3128"}, None, need_token=False)
    assert {"open%2Dsesame", "open-sesame"} <= set(settings.secrets)
    assert "sesame" not in repr(settings)
