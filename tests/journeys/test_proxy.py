"""Telegram is reached only through the environment's proxy: no other machine here can resolve its host's name."""

import asyncio
import base64
import contextlib
import os
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import connector
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.demo.runner import BOT
from tests.forks import ajar, run_beside
from tests.journeys.house import AGREE
from tests.standin import Telegram, stand_in, start_bot

HOST = "api.telegram.test"
MEMBER = "member:open-sesame"


@dataclass
class Proxy:
    """Forwards every CONNECT to Telegram, whatever its host."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    certificate: Path = Path()

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which the machine names it."""
        address = f"http://{MEMBER}@127.0.0.1:{self.port}"
        return {"HTTPS_PROXY": address, "AJAR_API_URL": f"https://{HOST}", "SSL_CERT_FILE": str(self.certificate)}


def _certify(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for HOST, trusted by whoever is told to trust it, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]), datetime.now(UTC)  # noqa: TID251  # TLS goes by the machine's clock
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return certificate, secret


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    there, back = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))


@contextlib.asynccontextmanager
async def _proxied(telegram: Telegram, folder: Path) -> AsyncIterator[Proxy]:
    proxy = Proxy()
    proxy.certificate, key = _certify(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(proxy.certificate, key)
    under_way: set[asyncio.Task[None]] = set()

    async def encrypted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join(reader, writer, int(telegram.url.rpartition(":")[2]))

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            under_way.add(task)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        proxy.asked.append(head.partition("\r\n")[0])
        if f"Basic {base64.b64encode(MEMBER.encode()).decode()}" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _join(reader, writer, inner.sockets[0].getsockname()[1])

    async with (
        await asyncio.start_server(encrypted, "127.0.0.1", 0, ssl=context) as inner,
        await asyncio.start_server(connect, "127.0.0.1", 0) as outer,
    ):
        proxy.port = outer.sockets[0].getsockname()[1]
        yield proxy
        if under_way:
            await asyncio.wait(under_way, timeout=20)


async def test_updates_and_answers_use_the_proxy(tmp_path: Path) -> None:
    async with stand_in() as telegram, _proxied(telegram, tmp_path) as proxy:
        # Not forked, since certificates that are relied on are read while aiohttp is loaded.
        bot = start_bot(telegram, tmp_path / "bot", command=BOT, AJAR_LOG_LEVEL="DEBUG", **proxy.environ)
        async with bot:
            alice = await telegram.person("Alice")
            await alice.says("/start")
            await alice.taps(AGREE)
            await telegram.confirmed()
    assert set(proxy.asked) == {f"CONNECT {HOST}:443 HTTP/1.1"}
    assert "open-sesame" not in bot.output


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, "ok  Telegram: the token is @"),
        ({"NO_PROXY": HOST}, "!!  Telegram: "),
        ({"HTTPS_PROXY": "http://stranger:x@127.0.0.1:{port}"}, "the proxy that the environment names refuses (407)"),
        ({"HTTPS_PROXY": "http://127.0.0.1:1"}, "the proxy that the environment names does not answer"),
    ],
    ids=["by the proxy", "directly", "refused", "away"],
)
async def test_doctor_uses_the_proxy(tmp_path: Path, changed: dict[str, str], says: str) -> None:
    async with stand_in() as telegram, _proxied(telegram, tmp_path) as proxy:
        changed = {name: value.format(port=proxy.port) for name, value in changed.items()}
        said = await _doctor(tmp_path, {**proxy.environ, "AJAR_BOT_TOKEN": telegram.token, **changed})
    assert says in said
    assert bool(proxy.asked) is ("NO_PROXY" not in changed and "127.0.0.1:1" not in changed.get("HTTPS_PROXY", ""))
    assert "open-sesame" not in said


async def test_loopback_bypasses_the_proxy(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:1"
    everything = {"HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "ALL_PROXY": nowhere}
    async with stand_in() as telegram, start_bot(telegram, tmp_path, **everything):
        alice = await telegram.person("Alice")
        await alice.says("/help")
        await telegram.confirmed()


async def _doctor(folder: Path, environ: dict[str, str]) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AJAR_")}
    environ = {**kept, "XDG_CONFIG_HOME": str(folder), **environ}
    ended = await run_beside(_asks_the_doctor, cwd=folder, env=environ)
    return ended.stdout + ended.stderr


def _asks_the_doctor() -> None:
    """Rely on the certificates that the environment names, which aiohttp read before this process was forked."""
    connector._SSL_CONTEXT_VERIFIED = connector._make_ssl_context(verified=True)
    ajar(("doctor",))
