"""Checks everything that the bot needs to run, and reports on each item in a sentence. Changes nothing."""

import asyncio
import errno
import os
import shutil
import socket
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

import aiohttp

from bot import library
from bot.clock import SystemClock
from bot.config import Config
from bot.crypto import MissingKey, WrongKey
from bot.healthcheck import ask
from bot.i18n import languages
from bot.opening import check_keys, find_keys, key_path, make_clock, open_store
from bot.proxy import is_this_machine
from bot.storage.endings import Gap, Journal, JournalAway
from bot.storage.engine import has_users
from bot.storage.migrate import HEAD, NewerSchema, NotOurs, known_version
from bot.storage.probing import try_to_write
from bot.storage.retention import KEPT_AT_MOST, backups_in, followed_at, made_at
from bot.storage.store import endings_noted
from bot.storage.troubles import trouble_of
from bot.tg.calls import UNAUTHORIZED, Refusal, WebhookInfo, host_of, result_of, unreachable, username_of, webhook_of
from bot.tg.registration import TOKEN_REFUSED, api_base, webhook_in_the_way
from bot.web.readiness import LEAST_ROOM

_SKEW: Final = 60
"""Seconds that the machine's clock may differ from Telegram's before we report it."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_TOKEN_MISSING: Final = (
    "AJAR_BOT_TOKEN is missing; ask @BotFather in Telegram for one and put AJAR_BOT_TOKEN=… into .env"  # noqa: S105
)

_BEFORE_THAT: Final = (
    "an older backup brings back users who erased everything since, and its unopened lines wait for a second yes"
)

_NIGHTLY: Final = timedelta(hours=26)
"""The greatest age of the newest backup: one is made every night, and some nights it takes longer."""
_START_IT: Final = "start it (docs/backups.md), or remove its folder beside the database and back up every night"
_EVERY_NIGHT: Final = "let a timer do that every night (docs/backups.md)"

Finding = tuple[bool, str]
"""True if it is well, and a sentence about it."""


async def examine(config: Config) -> list[Finding]:
    """Check content, folders, database, key, address and Telegram, in this order."""
    content = await asyncio.to_thread(_content, config)
    folders = await asyncio.to_thread(_folders, config)
    database = await _database(config)
    key = await _key(config, with_database=database[0])
    journal = await _journal(config) if database[0] else []
    backups = await _backups(config) if database[0] else []
    help_lines = await asyncio.to_thread(_help_lines, config) if content[0] else []
    told = [content, *help_lines, *folders, database, *journal, *backups, key, _operator(config)]
    return [*told, *_address(config), *await _telegram(config)]


def _content(config: Config) -> Finding:
    problems = library.check(library.content_folder(), config.support_file)
    if problems and library.check(library.content_folder()) == []:
        return False, f"help lines: {problems[0]}"
    if problems:
        return False, f"content: {len(problems)} to fix; type: ajar content check"
    return True, f"content: in order, in {', '.join(languages())}"


def _help_lines(config: Config) -> list[Finding]:
    """Check that there are help lines, and that nothing has been verified too long ago to be shown."""
    today = make_clock(config).now().date()
    found = library.load(library.content_folder(), config.support_file).support
    told: list[Finding] = []
    if any(not each.own and not each.fresh(today) for each in found):
        told.append(
            (False, "emergency numbers: those that Ajar ships are over twelve months old, so not shown; upgrade")
        )
    lines = sorted(each.country for each in found if each.kind.is_help_line and each.fresh(today))
    if old := [each.id for each in found if each.own and not each.fresh(today)]:
        what = f"{', '.join(old)} not shown: verified over twelve months ago; look them up again"
    elif not lines:
        what = (
            "none, so /support can only name emergency numbers and a directory; put those of your country into a copy "
            "of deploy/support.example.toml, check it (type: ajar content check --support FILE), and set "
            "AJAR_SUPPORT_FILE to it"
        )
    else:
        return [*told, (True, f"help lines: {len(lines)}, of {', '.join(dict.fromkeys(lines))}")]
    return [*told, (False, f"help lines: {what}")]


def _operator(config: Config) -> Finding:
    """Check that the privacy policy can name who is responsible, and how to reach them."""
    settings = {"AJAR_OPERATOR_NAME": config.operator_name, "AJAR_OPERATOR_CONTACT": config.operator_contact}
    missing = [name for name, value in settings.items() if not value]
    if missing:
        return False, f"privacy policy: {' and '.join(missing)} missing; without them, nobody learns who runs this bot"
    return True, f"privacy policy: it names {config.operator_name}, {config.operator_contact}"


# The database and its disk


def _folders(config: Config) -> list[Finding]:
    """Check the folders we write to: of an SQLite database, and of the journal of endings."""
    data = [("data folder", config.sqlite_file.parent)] if config.sqlite_file else []
    return [_folder(name, folder) for name, folder in (*data, ("journal of endings", config.endings))]


def _folder(name: str, folder: Path) -> Finding:
    """Check that the folder can be written to, or made, and has room."""
    there = next((each for each in (folder, *folder.absolute().parents) if each.exists()), folder)
    if not there.is_dir():
        return False, f"{name}: {there} is a file; name another folder"
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
        free = shutil.disk_usage(there).free
    except OSError as error:
        what = "can't be written to" if there == folder else f"can't be made in {there}"
        return False, f"{name}: {folder} {what} ({os.strerror(error.errno or 0)}); let this user write there"
    if free < LEAST_ROOM:
        return False, f"{name}: only {free // 2**20} MiB are free on the disk of {folder}; make room"
    return True, f"{name}: {folder}, {free // 2**20} MiB free"


async def _database(config: Config) -> Finding:
    try:
        version = await known_version(config.database_url)
        if config.sqlite_file and version is not None:
            await asyncio.to_thread(try_to_write, config.sqlite_file)
    except (NewerSchema, NotOurs) as error:
        return False, f"database: {error}"
    except Exception as error:  # noqa: BLE001  # whatever the database answers, the operator gets a sentence
        return False, f"database: {_trouble(config, error)}"
    if version == HEAD:
        return True, f"database: at version {HEAD}"
    return True, f"database: at version {version or 'none'}; `ajar run` brings it to {HEAD}"


async def _journal(config: Config) -> list[Finding]:
    """Check how far back the journal of endings goes, once the database has users."""
    try:
        if await known_version(config.database_url) != HEAD or not await has_users(config.database_url):
            return []
        journal = Journal(config.endings)
        found = await asyncio.to_thread(journal.since, await endings_noted(config.database_url))
        back_to = await asyncio.to_thread(journal.reaches_back_to)
    except JournalAway as away:
        return [(False, f"journal of endings: {away}")]
    except Exception as error:  # noqa: BLE001  # as above
        return [(False, f"database: {_trouble(config, error)}")]
    if found.gap is Gap.NEVER:
        return [(True, f"journal of endings: none yet; `ajar run` begins it, and {_BEFORE_THAT}")]
    if found.gap:
        return [
            (False, f"journal of endings: {found.gap}; put its file back, else `ajar run` begins anew: {_BEFORE_THAT}")
        ]
    since = f"since {back_to}; {_BEFORE_THAT}" if back_to else "since there is one"
    return [(True, f"journal of endings: it has all endings {since}")]


async def _backups(config: Config) -> list[Finding]:
    """Check that an SQLite database with users is backed up, by `ajar backup` or by Litestream."""
    if config.sqlite_file is None or not await has_users(config.database_url):
        return []
    now = make_clock(config).now()
    if followed := await asyncio.to_thread(followed_at, config.sqlite_file):
        return [_litestream(followed, now)]
    try:
        found = await asyncio.to_thread(backups_in, config.backups)
    except OSError as error:
        return [(False, f"backups: {config.backups} can't be read ({os.strerror(error.errno or 0)})")]
    return [_nightly(config, found, now)]


def _nightly(config: Config, found: Sequence[Path], now: datetime) -> Finding:
    """Check that the newest of the backups isn't old, and that none is too old."""
    if not found:
        return False, f"backups: there is none in {config.backups}; type: ajar backup, and {_EVERY_NIGHT}"
    newest = made_at(found[0])
    if now - newest > _NIGHTLY:
        when = f"the newest is from {_minute(newest)}"
        return False, f"backups: {when}; type: ajar backup, and {_EVERY_NIGHT}"
    if now - made_at(found[-1]) > KEPT_AT_MOST:
        too_old = f"the oldest is from {made_at(found[-1]):%Y-%m-%d}, and the journal of endings goes back only a year"
        return False, f"backups: {too_old}; type: ajar backup --keep-days 366"
    return True, f"backups: {len(found)} in {config.backups}, the newest of {_minute(newest)}"


def _litestream(followed: datetime, now: datetime) -> Finding:
    if now - followed > _NIGHTLY:
        return False, f"backups: Litestream hasn't followed the database since {_minute(followed)}; {_START_IT}"
    return True, f"backups: Litestream follows the database, and last noted a change {_minute(followed)}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _trouble(config: Config, error: Exception) -> str:
    trouble = trouble_of(error, config.sqlite_file)
    return trouble.sentence if trouble else f"it can't be examined ({type(error).__name__})"


async def _key(config: Config, *, with_database: bool) -> Finding:
    """Check that there is a usable key, or that one can be made, and that it fits the database if that is well."""
    used = False
    try:
        used = with_database and await has_users(config.database_url)
        found = await asyncio.to_thread(find_keys, config, used=used, may_make=False)
        if with_database:
            async with open_store(config, found.ring) as store:
                await check_keys(store, found)
    except MissingKey as missing:
        return await asyncio.to_thread(_key_to_make, config, missing, used=used)
    except WrongKey as wrong:
        return False, f"master key: {wrong}"
    except Exception as error:  # noqa: BLE001  # as above
        return False, f"database: {_trouble(config, error)}"
    compared = "" if with_database else ", not compared with the database yet"
    return True, f"master key: {found.file or 'AJAR_MASTER_KEY'}, version {found.ring.current}{compared}"


def _key_to_make(config: Config, missing: MissingKey, *, used: bool) -> Finding:
    """Check whether a start can make the missing key."""
    try:
        path = key_path(config)
    except MissingKey as homeless:
        return False, f"master key: {homeless}"
    if used or path is None or config.sqlite_file is None:
        return False, f"master key: {missing}"
    there = next(each for each in path.absolute().parents if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return False, f"master key: {path} can't be made, as this user can't write in {there}; set AJAR_MASTER_KEY_FILE"
    return True, f"master key: {path} is made when the bot first starts with an empty database"


# The web part's address


def _address(config: Config) -> list[Finding]:
    """Check that AJAR_LISTEN is free, or that it is the bot itself that listens there."""
    if config.listen is None:
        return []
    host, port = config.listen
    read_by = (
        "" if is_this_machine(host) else "; whoever reaches it can read /metrics, so let a proxy pass on nothing else"
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE and ask(config, "/health/live"):
            return [(True, f"address: {host}:{port}, where an Ajar is running{read_by}")]
        reason = os.strerror(error.errno) if error.errno else "no such host"
        return [(False, f"address: AJAR_LISTEN {host}:{port} can't be used: {reason}; name another one")]
    return [(True, f"address: {host}:{port} is free{read_by}")]


# Telegram


async def _telegram(config: Config) -> list[Finding]:
    if config.bot_token is None:
        return [(False, f"Telegram: {_TOKEN_MISSING}")]
    proxy = config.proxy.get_secret_value() if config.proxy else None
    async with aiohttp.ClientSession(timeout=_TIMEOUT, proxy=proxy) as session:
        try:
            me, date = await _ask(session, config, "getMe")
            username = username_of(me)
        except Refusal as refusal:
            return [(False, f"Telegram: {_refused(refusal)}")]
        except (aiohttp.ClientError, TimeoutError) as error:
            return [(False, f"Telegram: {config.api_url} can't be reached: {unreachable(error)}")]
        if skew := _skew(date):
            return [(False, f"Telegram: the token is good, but this machine's clock is off by {skew} s; set it")]
        found: list[Finding] = [(True, f"Telegram: the token is @{username}'s"), await _chat(session, config, username)]
        try:
            info = webhook_of((await _ask(session, config, "getWebhookInfo"))[0])
        except (Refusal, aiohttp.ClientError, TimeoutError):
            return [*found, (False, "webhook: Telegram does not say whether one is set; try again")]
        return [*found, _webhook(config, info)]


async def _chat(session: aiohttp.ClientSession, config: Config, username: str) -> Finding:
    """Check that the bot can write to its operator."""
    if config.operator_chat is None:
        how = f"to hear of what only you can fix, write to @{username} and set AJAR_OPERATOR_CHAT to your account's id"
        return True, f"operator's chat: none; {how}"
    try:
        chat, _ = await _ask(session, config, f"getChat?chat_id={config.operator_chat}")
    except Refusal as refusal:
        said = f"Telegram doesn't let the bot write to AJAR_OPERATOR_CHAT: {_refused(refusal)}"
        return False, f"operator's chat: {said}; write /start to @{username} from that account"
    except (aiohttp.ClientError, TimeoutError) as error:
        return False, f"operator's chat: Telegram can't be asked about it: {unreachable(error)}"
    if not isinstance(chat, dict) or chat.get("type") != "private":
        return False, "operator's chat: AJAR_OPERATOR_CHAT is not a private chat; others could read it"
    return True, "operator's chat: AJAR_OPERATOR_CHAT is one that the bot can write to"


async def _ask(session: aiohttp.ClientSession, config: Config, method: str) -> tuple[Any, str | None]:
    async with session.get(f"{api_base(config)}/{method}", allow_redirects=False) as response:
        return result_of(response.status, await response.read()), response.headers.get("Date")


def _refused(refusal: Refusal) -> str:
    if refusal.code == UNAUTHORIZED:
        return TOKEN_REFUSED
    wait = f"; ask again in {refusal.retry_after:g} s" if refusal.retry_after else ""
    return f"{refusal.sentence}{wait}"


def _webhook(config: Config, info: WebhookInfo) -> Finding:
    url, waiting = info.url, info.waiting
    if not config.webhook_url:
        if url:
            return False, f"webhook: {webhook_in_the_way(url)}"
        return True, f"webhook: none, as polling needs; {waiting} updates wait"
    if url and url != config.webhook_url:
        return False, f"webhook: one at {host_of(url)} is set instead of yours; `ajar run` sets yours"
    if not url:
        return True, "webhook: not set yet; `ajar run` sets it"
    if info.failure:
        return False, f"webhook: Telegram could not deliver lately: {info.failure} ({waiting} updates wait)"
    return True, f"webhook: set; {waiting} updates wait"


def _skew(date: str | None) -> int:
    try:
        theirs = parsedate_to_datetime(date or "").astimezone(UTC)
    except (ValueError, OverflowError):  # there is no date, or not one we can read
        return 0
    off = abs(int((SystemClock().now() - theirs).total_seconds()))
    return off if off > _SKEW else 0
