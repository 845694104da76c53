"""The proxy that the environment names for an address: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.

aiohttp's own `trust_env` ignores ALL_PROXY, sends requests for this machine to the proxy too, and reads the environment
and ~/.netrc at every request. All of Ajar's calls go to one address, so it is enough to look once.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


class WrongProxy(ValueError):
    """A variable doesn't name a usable proxy; the message begins with the variable's name and contains no value."""


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """Return the proxy's address for `url`, or None if it is called directly. Raises WrongProxy.

    As with curl, a lower-case name has priority over an upper-case one, and an empty value means no proxy.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    name = next((n for scheme in (parts.scheme, "all") for n in _spellings(scheme) if n in environ), None)
    if name is None or not (proxy := environ[name].strip()):
        return None
    if is_this_machine(host) or _is_exempt(host, parts.port, environ):
        return None
    return _checked(name, proxy)


def is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _spellings(scheme: str) -> tuple[str, str]:
    return f"{scheme}_proxy", f"{scheme}_proxy".upper()


def _is_exempt(host: str, port: int | None, environ: Mapping[str, str]) -> bool:
    exempt = next((environ[name] for name in _spellings("no") if name in environ), "")
    return any(_covers(entry.strip().lower(), host, port) for entry in exempt.split(","))


def _covers(entry: str, host: str, port: int | None) -> bool:
    """Return whether an entry of NO_PROXY covers this host: its name or a parent's, its address or network, or `*`."""
    if not entry or entry == "*":
        return bool(entry)
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        name, colon, number = entry.rpartition(":")
        if colon and number.isdecimal():
            entry = name if int(number) == port else "\0"
        entry = entry.removeprefix("*").lstrip(".")
        return host == entry or host.endswith(f".{entry}")


def _checked(name: str, proxy: str) -> str:
    whole = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(whole)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise WrongProxy(f"{name} is not a proxy's address; type one like http://proxy.example.org:3128")
    if parts.scheme != "http":
        raise WrongProxy(
            f"{name} names a proxy that isn't reached over http://; name one that is in HTTPS_PROXY, "
            "or put Telegram's host into NO_PROXY to call it directly"
        )
    return whole
