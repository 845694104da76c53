"""Settings: environment variables AJAR_*, a `.env` file, or one file for each secret.

All problems are reported at once, one line each, with the variable and what to type. Such a line never repeats a value,
because a token can easily end up in the wrong variable, or after a name and a colon.
"""

import difflib
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from string import printable
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, ValidationError

from bot.private import what_to_chmod
from bot.proxy import WrongProxy, is_this_machine, proxy_for

PREFIX = "AJAR_"
SECRETS = ("bot_token", "master_key", "webhook_secret", "database_url")
TELEGRAM = "https://api.telegram.org"
SECRET_FILE_BYTES = 65_536
TELEGRAM_PORTS = (443, 80, 88, 8443)  # https://core.telegram.org/bots/api#setwebhook
# SQLAlchemy passes these options on to asyncpg unchanged, except the last; any other would cause a TypeError.
POSTGRES_OPTIONS = ("host", "port", "ssl", "prepared_statement_cache_size", "target_session_attrs", "pgbouncer")
SESSION_ATTRS = ("read-write", "primary", "any")
ONE_HOST = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
POOLER = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]|/[^:]+):[0-9]{1,5}")
# 32 random bytes in 43 characters, for a webhook's secret as well as for a master key.
MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
# Kubernetes and Docker links set these environment variables if a service is called "ajar" or "ajar-…".
SERVICE_LINK = re.compile(
    r"AJAR_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_[A-Z]+)?)?)"
)


# Unknown names that a message can repeat: words of capital letters. A whole key can end up in a name by mistake.
PLAIN_NAME = re.compile(r"AJAR(?:_[A-Z]{1,12}){1,5}")
ENV_LINE = re.compile(r"\s*(?:export\s+)?(AJAR_[^\s=]*)\s*(=?)")
BOT_TOKEN = r"[0-9]+:[A-Za-z0-9_-]{8,}"  # noqa: S105  # the pattern of one
ONE_KEY = r"[A-Za-z0-9+/_-]{43}=?"
KEY_RING = rf"{ONE_KEY}|[0-9]+:{ONE_KEY}(?:\s*,\s*[0-9]+:{ONE_KEY})*"
SHORTEST_SECRET = 16
FEWEST_CHARACTERS = 6
LONGEST_SHOWN = 100
MOST_A_SECOND = 1000  # what Telegram sells: https://core.telegram.org/bots/faq#how-can-i-message-all-of-my-bot-39s-subscribers-at-once


class WrongSettings(Exception):
    """Some settings are wrong or missing; `problems` has one line for each, without any values."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Listen(NamedTuple):
    """Where the web part listens. Port 0 lets the operating system choose one."""

    host: str
    port: int


def _bot_token(value: str) -> str:
    if not re.fullmatch(BOT_TOKEN, value):
        raise ValueError("is not a bot token; copy it whole from @BotFather, it looks like 123456789:AAF-letters")
    return value


def _api_url(value: str) -> str:
    parts = _web_address(value)
    if parts.scheme == "http" and not is_this_machine(parts.hostname or ""):
        raise ValueError(
            f"would send the token unencrypted; type {TELEGRAM} or another https:// address "
            "(http:// only for this machine itself, like http://127.0.0.1:8081)"
        )
    if re.search(r"/bot(?:[0-9]+:[A-Za-z0-9_-]+)?/?$", parts.path):
        raise ValueError(f"ends in /bot, which Ajar adds itself, with the token; type it like {TELEGRAM}")
    if re.search(BOT_TOKEN, unquote(parts.path)):
        raise ValueError(f"has a bot token in it; type only the address, like {TELEGRAM}")
    return value.rstrip("/")


def _webhook_url(value: str) -> str:
    parts = _web_address(value)
    if parts.scheme == "http" and not is_this_machine(parts.hostname or ""):
        raise ValueError("must begin with https://, since Telegram calls nothing else")
    return value if parts.path.isascii() else str(parts._replace(path=quote(parts.path, safe=printable)).geturl())


def _web_address(value: str) -> Any:
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or re.search(r"\s", value):
        raise ValueError("is not a web address; type one like https://bot.example.org")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("takes no user name, password, ? or # part; type only https://host/path")
    return parts


def _webhook_secret(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value):
        raise ValueError(f"must be 1 to 256 of the characters A-Z a-z 0-9 _ -; make one with: {MAKE_ONE}")
    if len(value) < SHORTEST_SECRET or len(set(value)) < FEWEST_CHARACTERS:
        raise ValueError(f"can be guessed, and lets whoever guesses it pose as Telegram; make one with: {MAKE_ONE}")
    return value


def _master_key(value: str) -> str:
    # bot.crypto does the real parsing; this check lets us report all problems at once
    if not re.fullmatch(KEY_RING, value):
        raise ValueError(f"is not a master key; put back the one you had, or make the very first one: {MAKE_ONE}")
    return value


def _data_dir(value: object) -> object:
    path = _path(value)
    if isinstance(path, Path) and path.is_file():
        raise ValueError("names a file; type the path of a folder, which is made if it is not there")
    return path


def _path(value: object) -> object:
    """Return the path. A secret is refused, but a full path may look like one: base64 has slashes too."""
    if isinstance(value, str) and not value.startswith("/") and re.fullmatch(rf"{BOT_TOKEN}|{KEY_RING}", value):
        raise ValueError("has a secret where a path belongs, and paths are shown; type the path")
    try:
        return Path(value).expanduser() if isinstance(value, str) else value
    except RuntimeError:
        raise ValueError("begins with ~, but there is no such user's home folder; type the full path") from None


def _database_url(value: str) -> str:
    scheme = value.partition("://")[0]
    if scheme in ("sqlite", "sqlite+aiosqlite"):
        return _sqlite_url(value)
    if scheme in ("postgres", "postgresql", "postgresql+asyncpg"):
        return _postgres_url(value)
    raise ValueError("must be like sqlite:////srv/ajar/ajar.db or postgresql://user:password@host/ajar")


def _sqlite_url(value: str) -> str:
    path = value.partition("://")[2]
    if not path.startswith("/") or path in ("/", "/:memory:") or path.endswith("/") or re.search(r"[?#\0]", path):
        raise ValueError("names no file; type it like sqlite:////srv/ajar/ajar.db (four slashes for a full path)")
    return f"sqlite+aiosqlite://{path}"


def _postgres_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        user, at, place = parts.netloc.rpartition("@")
        several = place.split(",") if "," in place else []
        _ = None if several else parts.port  # raises if it is not a number
    except ValueError:
        parts, several = urlsplit(""), []
    if len(parts.path) < 2 or parts.fragment or not all(map(ONE_HOST.fullmatch, several)):  # noqa: PLR2004 - / and a letter
        raise ValueError(
            "is not whole; type it like postgresql://user:password@host:5432/ajar, "
            "and write # / ? @ : in a password as %23 %2F %3F %40 %3A"
        )
    # Providers use libpq's name for it; asyncpg takes the same values under a different name.
    options = [("ssl" if name == "sslmode" else name, text) for name, text in parse_qsl(parts.query)]
    _check_options(options)
    if not several:
        return f"postgresql+asyncpg://{parts.netloc}{parts.path}" + (f"?{urlencode(options)}" if options else "")
    hosts = [("host", host if ":" in host else f"{host}:5432") for host in several]
    if "target_session_attrs" not in dict(options):  # a bot needs the server that accepts writes
        hosts.append(("target_session_attrs", "read-write"))
    return f"postgresql+asyncpg://{user}{at}{parts.path}?{urlencode([*hosts, *options])}"


def _check_options(options: list[tuple[str, str]]) -> None:
    """Raises ValueError for options that asyncpg or Ajar doesn't know."""
    if unknown := sorted({name for name, _ in options} - set(POSTGRES_OPTIONS)):
        several = "" if len(unknown) == 1 else "s"
        raise ValueError(
            f"has {len(unknown)} unknown option{several} after the ?; only sslmode, host, port, target_session_attrs "
            "and pgbouncer work there"
        )
    given = dict(options)
    if given.get("target_session_attrs", "any") not in SESSION_ATTRS:
        raise ValueError(
            f"has a target_session_attrs that a bot can't work with; type one of {', '.join(SESSION_ATTRS)}"
        )
    if not POOLER.fullmatch(given.get("pgbouncer", "host:6432")):
        raise ValueError("has a pgbouncer that isn't a host and a port; type it like pgbouncer=host:6432")


def _listen(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+(?:%\w+)?)\]|([A-Za-z0-9_.-]+)):([0-9]{1,5})", value)
    if not found or int(found[3]) > 65_535:  # noqa: PLR2004 - the highest port there is
        raise ValueError("must be host:port; type it like 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080")
    if found[1]:
        try:
            ipaddress.IPv6Address(found[1])
        except ValueError:
            raise ValueError("has no IPv6 address between [ and ]; type it like [::1]:8080") from None
    return Listen(found[1] or found[2], int(found[3]))


def _shown_to_all(value: str) -> str:
    if re.search(rf"{BOT_TOKEN}|{ONE_KEY}", value):
        raise ValueError("has a secret in it, and everybody is shown it; type a name or an address")
    if len(value) > LONGEST_SHOWN or not value.isprintable():
        raise ValueError(f"must be one line of at most {LONGEST_SHOWN} characters; everybody is shown it")
    return value


def _rate(value: object) -> object:
    if isinstance(value, str) and not (re.fullmatch(r"[0-9]{1,4}", value) and 1 <= int(value) <= MOST_A_SECOND):
        raise ValueError(f"must be a number from 1 to {MOST_A_SECOND}: how many messages a second Telegram allows")
    return float(value) if isinstance(value, str) else value


def _chat(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[1-9][0-9]{0,17}", value):
        raise ValueError("must be the id of your own private chat with the bot, a number like 123456789")
    return value


def _one_of(*choices: str, fold: Callable[[str], str]) -> Callable[[str], str]:
    def choose(value: str) -> str:
        if fold(value) not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return fold(value)

    return choose


class Config(BaseModel):
    """The operator's settings. Secrets show as asterisks; read one with `.get_secret_value()`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bot_token: Annotated[SecretStr, BeforeValidator(_bot_token)] | None = None
    api_url: Annotated[str, BeforeValidator(_api_url)] = TELEGRAM
    data_dir: Annotated[Path, BeforeValidator(_data_dir)] = Path("var")
    endings_dir: Annotated[Path, BeforeValidator(_data_dir)] | None = None
    backups_dir: Annotated[Path, BeforeValidator(_data_dir)] | None = None
    database: Annotated[SecretStr, BeforeValidator(_database_url)] | None = None
    master_key: Annotated[SecretStr, BeforeValidator(_master_key)] | None = None
    master_key_file: Path | None = None  # where master_key was read from: bot.keyfile reads the file itself
    webhook_url: Annotated[str, BeforeValidator(_webhook_url)] | None = None
    webhook_secret: Annotated[SecretStr, BeforeValidator(_webhook_secret)] | None = None
    listen: Annotated[Listen, BeforeValidator(_listen)] | None = None
    operator_name: Annotated[str, BeforeValidator(_shown_to_all)] = ""  # /privacy says who runs the bot
    operator_contact: Annotated[str, BeforeValidator(_shown_to_all)] = ""
    operator_chat: Annotated[int, BeforeValidator(_chat)] | None = None  # where the bot reports what only they can fix
    support_file: Annotated[Path, BeforeValidator(_path)] | None = None  # help lines of the operator's country
    rate: Annotated[float, BeforeValidator(_rate)] = 28.0  # messages a second, of all processes together
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        BeforeValidator(_one_of("DEBUG", "INFO", "WARNING", "ERROR", fold=str.upper)),
    ] = "INFO"
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_one_of("text", "json", fold=str.lower))] = "text"
    proxy: SecretStr | None = None  # the proxy for api_url; from HTTPS_PROXY and similar variables
    clock_file: Annotated[Path, BeforeValidator(_path)] | None = None  # the demo and the tests move the clock with it

    @property
    def database_url(self) -> str:
        """The URL for SQLAlchemy: sqlite+aiosqlite:// or postgresql+asyncpg://. It may contain a password."""
        if self.database is not None:
            return self.database.get_secret_value()
        return f"sqlite+aiosqlite:///{quote(str(self.data_dir / 'ajar.db'))}"

    @property
    def endings(self) -> Path:
        """The folder of the journal of endings, which must never be restored from a backup."""
        return self.endings_dir or self.data_dir / "endings"

    @property
    def backups(self) -> Path:
        """The folder of the backups, unless a command names another place."""
        return self.backups_dir or self.data_dir / "backups"

    @property
    def sqlite_file(self) -> Path | None:
        """The file of the SQLite database, or None with PostgreSQL."""
        found = re.fullmatch(r"sqlite\+aiosqlite:///(.+)", self.database_url)
        return Path(unquote(found[1])) if found else None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that must not reach a log, for `bot.logs.setup`."""
        held = [s.get_secret_value() for s in (self.bot_token, self.webhook_secret, self.master_key) if s is not None]
        addresses = [self.database_url] if self.sqlite_file is None else []
        addresses += [self.proxy.get_secret_value()] if self.proxy else []
        passwords = [password for address in addresses if (password := urlsplit(address).password)]
        return tuple(dict.fromkeys([*held, *passwords, *map(unquote, passwords)]))


# Field names are the variables' names in lower case, except if a property uses that name.
FIELDS = {
    PREFIX + name.upper(): ("database" if name == "database_url" else name)
    for name in (
        *(n for n in Config.model_fields if n not in ("database", "master_key_file", "proxy")),
        "database_url",
    )
}
FILES = {f"{PREFIX}{name.upper()}_FILE": f"{PREFIX}{name.upper()}" for name in SECRETS}


def load(
    environ: Mapping[str, str] | None = None, env_file: str | Path | None = ".env", *, need_token: bool = True
) -> Config:
    """Read and check all settings; the environment wins over `env_file`, and an empty value counts as not given.

    Raises WrongSettings with everything that is wrong. Only `run` needs a token.
    """
    problems: list[str] = []
    environ = os.environ if environ is None else environ
    given = _given(environ, env_file, problems)
    origin: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, field in FIELDS.items():
        if (found := _value(name, given, problems)) is not None:
            origin[field], values[field] = found
    if origin.get("master_key", "").endswith("_FILE"):
        values["master_key_file"] = Path(given[origin["master_key"]]).expanduser()
    if "webhook_url" in values:
        values.setdefault("listen", "127.0.0.1:8080")
    try:
        values["proxy"] = proxy_for(values.get("api_url", TELEGRAM), environ)
    except WrongProxy as wrong:
        problems.append(str(wrong))
    except ValueError:
        pass  # the check below says what is wrong with AJAR_API_URL
    try:
        config = Config(**values)
    except ValidationError as error:
        problems += [_line(each, origin) for each in error.errors(include_input=False, include_url=False)]
    problems += _missing(given, need_token=need_token)
    if problems:
        raise WrongSettings(problems)
    return config


def with_database(config: Config, *, url: str | None = None, file: str | None = None) -> Config:
    """Return the settings with another database: that of `url`, or of the URL in `file`. Raises WrongSettings."""
    try:
        given = _secret_file(file, check=True) if url is None and file is not None else url or ""
        return config.model_copy(update={"database": SecretStr(_database_url(given))})
    except ValueError as wrong:
        raise WrongSettings([f"{'--to' if url is not None else '--to-file'} {wrong}"]) from None


def _given(environ: Mapping[str, str], env_file: str | Path | None, problems: list[str]) -> dict[str, str]:
    """Return all AJAR_* values by their variable's name, and add a problem for every unknown name."""
    try:
        from_file = _env_file(env_file, problems)
    except UnicodeDecodeError:
        from_file = {}
        problems.append("The file .env is not UTF-8 text; save it as UTF-8")
    except OSError as error:
        from_file = {}
        problems.append(f"The file .env cannot be read ({os.strerror(error.errno or 0)}); let this user read it")
    both = {**from_file, **environ}
    ours = [name for name in sorted(both) if name.startswith(PREFIX) and not SERVICE_LINK.fullmatch(name)]
    problems += [_no_setting(name) for name in ours if name not in FIELDS and name not in FILES]
    return {name: value.strip() for name, value in both.items() if name.startswith(PREFIX) and value and value.strip()}


def _no_setting(name: str) -> str:
    near = difflib.get_close_matches(name, [*FIELDS, *FILES], n=1, cutoff=0.75)
    if PLAIN_NAME.fullmatch(name):
        return f"{name} is not a setting; " + (f"did you mean {near[0]}?" if near else "remove it")
    begins = max((known for known in FIELDS if name.startswith(known)), key=len, default=PREFIX)
    return f"A variable that begins with {begins} is not a setting (its name is not repeated); write NAME=VALUE"


def _env_file(path: str | Path | None, problems: list[str]) -> Mapping[str, str | None]:
    """Read `.env`, and add a problem for every line that doesn't give a setting a value."""
    if path is None or not (file := Path(path)).exists():
        return {}
    # Importing it takes a sixth of a second, and is often not needed.
    from pydantic_settings import BaseSettings, DotEnvSettingsSource

    values = DotEnvSettingsSource(BaseSettings, env_file=file, case_sensitive=True).env_vars
    if mode := _too_open(file, values):
        problems.append(f"The file .env can be read or changed by others on this machine. Type: chmod {mode} .env")
    whole = {name: value for name, value in values.items() if re.fullmatch("[A-Z0-9_]+", name)}
    for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
        if (found := ENV_LINE.match(line)) and not (found[2] and found[1] in whole):
            problems.append(f"Line {number} of .env gives no setting its value (it is not repeated); write NAME=VALUE")
    return whole


def _too_open(file: Path, values: Mapping[str, str | None]) -> str | None:
    """Return the mode for `chmod`, if others can read a file with a secret, or change one without."""
    secret = any(values.get(f"{PREFIX}{name.upper()}") for name in SECRETS)
    if secret or file.stat().st_mode & 0o022:
        return what_to_chmod(file)
    return None


def _value(name: str, given: Mapping[str, str], problems: list[str]) -> tuple[str, str] | None:
    """Return the variable that sets `name`, and its text."""
    file = f"{name}_FILE"
    if file not in FILES or file not in given:
        return (name, given[name]) if name in given else None
    if name in given:
        problems.append(f"{name} and {file} are both given; keep one of them")
        return None
    try:
        return file, _secret_file(given[file], check=name != "AJAR_MASTER_KEY")
    except ValueError as error:
        problems.append(f"{file} {error}")
        return None


def _secret_file(given: str, *, check: bool) -> str:
    """Read the text of a file that contains one secret. Errors don't repeat the path: it may be the secret itself.

    `check` is false for the master key, because bot.keyfile checks itself whether that file is private.
    """
    try:
        path = Path(given).expanduser()
        mode = what_to_chmod(path) if check else None
        with path.open("rb") as file:
            raw = file.read(SECRET_FILE_BYTES + 1)
        text = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError("names a file that is not text; put only the secret into it") from None
    except (OSError, ValueError, RuntimeError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a path"
        raise ValueError(f"must name a file that this user can read ({why}); type the path of a file") from None
    if mode:
        raise ValueError(f"names a file that others on this machine can read; type: chmod {mode} and its path")
    if not text or len(raw) > SECRET_FILE_BYTES:
        raise ValueError(f"names a file that is {'too long' if text else 'empty'}; put only the secret into it")
    return text


def _line(error: Any, origin: Mapping[str, str]) -> str:
    name = origin.get(str(error["loc"][0]), PREFIX + str(error["loc"][0]).upper())
    reason = error.get("ctx", {}).get("error")
    return f"{name} {reason if isinstance(reason, ValueError) else 'is wrong: ' + error['msg']}"


def _missing(given: Mapping[str, str], *, need_token: bool) -> list[str]:
    problems = []
    if need_token and not given.keys() & {"AJAR_BOT_TOKEN", "AJAR_BOT_TOKEN_FILE"}:
        problems.append(
            "AJAR_BOT_TOKEN is missing; ask @BotFather in Telegram for one and put AJAR_BOT_TOKEN=… into .env "
            "(to try the bot without a token: ajar demo)"
        )
    if "AJAR_WEBHOOK_URL" in given and not given.keys() & {"AJAR_WEBHOOK_SECRET", "AJAR_WEBHOOK_SECRET_FILE"}:
        problems.append(f"AJAR_WEBHOOK_SECRET is missing beside AJAR_WEBHOOK_URL; make one with: {MAKE_ONE}")
    if "AJAR_API_URL" not in given and _has_wrong_port(given.get("AJAR_WEBHOOK_URL", "")):
        ports = ", ".join(map(str, sorted(TELEGRAM_PORTS)))
        problems.append(f"AJAR_WEBHOOK_URL has a port that Telegram does not call; use one of {ports}")
    return problems


def _has_wrong_port(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        return False  # reported already
    return parts.scheme == "https" and port not in TELEGRAM_PORTS
