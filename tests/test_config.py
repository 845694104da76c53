"""Settings: all wrong ones are reported at once, each on its own line, and never with its value."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.engine import make_url

from bot.config import FIELDS, FILES, LONGEST_SHOWN, Config, Listen, WrongSettings, load

TOKEN = "123456789:AAF-" + "q" * 32
KEY = "b0TDv3uCqZJmWm7uQ1l1cJp3b8m9o1n0a2s4d6f8g0E="
SECRET = "between-us-and_Telegram"
WORKS = {"AJAR_BOT_TOKEN": TOKEN}
PATHS = ["AJAR_SUPPORT_FILE", "AJAR_DATA_DIR", "AJAR_ENDINGS_DIR", "AJAR_BACKUPS_DIR", "AJAR_CLOCK_FILE"]


def problems(environ: dict[str, str], env_file: Path | None = None, *, need_token: bool = True) -> list[str]:
    with pytest.raises(WrongSettings) as caught:
        load(environ, env_file, need_token=need_token)
    assert str(caught.value) == "\n".join(caught.value.problems)
    assert all("\n" not in line for line in caught.value.problems)
    return caught.value.problems


def setting(name: str, value: str) -> Config:
    return load(WORKS | {name: value}, None)


def test_token_is_enough() -> None:
    config = load(WORKS, None)
    assert config.bot_token is not None
    assert config.bot_token.get_secret_value() == TOKEN
    assert config.api_url == "https://api.telegram.org"
    assert config.database_url == "sqlite+aiosqlite:///var/ajar.db"
    assert config.sqlite_file == Path("var/ajar.db")
    assert config.listen is None
    assert (config.log_level, config.log_format) == ("INFO", "text")


def test_operator_name_holds_no_secret() -> None:
    config = load(WORKS | {"AJAR_OPERATOR_NAME": "Robin Vale", "AJAR_OPERATOR_CONTACT": "robin@example.org"}, None)
    assert (config.operator_name, config.operator_contact) == ("Robin Vale", "robin@example.org")
    for wrong in (TOKEN, f"me {KEY}", "x" * 101, "two\nlines"):
        (line,) = problems(WORKS | {"AJAR_OPERATOR_NAME": wrong})
        assert line.startswith("AJAR_OPERATOR_NAME ")
        assert "everybody is shown it" in line
        assert wrong not in line


def test_operator_chat_is_a_private_chat() -> None:
    assert load(WORKS | {"AJAR_OPERATOR_CHAT": "123456789"}, None).operator_chat == 123456789
    for wrong in ("-100123", "@robin", "0", "1" * 19):
        (line,) = problems(WORKS | {"AJAR_OPERATOR_CHAT": wrong})
        assert line.startswith("AJAR_OPERATOR_CHAT must be the id of your own private chat")


def test_some_commands_need_no_token() -> None:
    (line,) = problems({})
    assert line.startswith("AJAR_BOT_TOKEN is missing")
    assert "@BotFather" in line
    assert load({}, None, need_token=False).bot_token is None


def test_all_errors_are_reported_at_once() -> None:
    said = problems(
        {
            "AJAR_BOT_TOKN": TOKEN,
            "AJAR_API_URL": "telegram",
            "AJAR_DATA_DIR": "~nobody-of-this-name",
            "AJAR_DATABASE_URL": "mysql://root@localhost/ajar",
            "AJAR_MASTER_KEY": "short",
            "AJAR_WEBHOOK_URL": "http://example.org",
            "AJAR_LISTEN": "8080",
            "AJAR_LOG_LEVEL": "loud",
            "AJAR_LOG_FORMAT": "xml",
        }
    )
    named = [line.split()[0] for line in said]
    assert sorted(named) == sorted(
        [
            *("AJAR_BOT_TOKN", "AJAR_API_URL", "AJAR_DATA_DIR", "AJAR_DATABASE_URL", "AJAR_MASTER_KEY"),
            *("AJAR_WEBHOOK_URL", "AJAR_LISTEN", "AJAR_LOG_LEVEL", "AJAR_LOG_FORMAT"),
            *("AJAR_BOT_TOKEN", "AJAR_WEBHOOK_SECRET"),
        ]
    )


@hypothesis_settings(deadline=None)  # the machine may be busy
@given(
    name=st.sampled_from([n for n in [*FIELDS, *FILES] if n not in PATHS]),
    value=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=6, max_size=60),
)
def test_wrong_value_is_never_repeated(name: str, value: str) -> None:
    """A token easily ends up in the wrong variable, and a sentence about it in a log or a chat."""
    value = f"!{value}"  # no setting begins like this, but for what may be any text if it isn't too long
    if name in {"AJAR_OPERATOR_NAME", "AJAR_OPERATOR_CONTACT"}:
        value = value.ljust(LONGEST_SHOWN + 1, "!")
    said = problems(WORKS | {name: value}) if name != "AJAR_BOT_TOKEN" else problems({name: value})
    assert said
    assert all(value not in line for line in said)


@pytest.mark.parametrize("name", sorted({*FIELDS, *FILES}))
def test_misplaced_token_is_not_repeated(name: str) -> None:
    if name == "AJAR_BOT_TOKEN":
        assert TOKEN not in repr(load({name: TOKEN}, None))
    else:
        assert TOKEN not in "\n".join(problems({name: TOKEN}, need_token=False))


def test_unknown_setting_gets_a_suggestion() -> None:
    assert problems({"AJAR_BOT_TOKN": TOKEN}, need_token=False) == [
        "AJAR_BOT_TOKN is not a setting; did you mean AJAR_BOT_TOKEN?"
    ]
    assert problems(WORKS | {"AJAR_COLOUR": "red"}) == ["AJAR_COLOUR is not a setting; remove it"]


@pytest.mark.parametrize("secret", [TOKEN, KEY, f"1:{KEY}", f"1:{KEY},2:{KEY}", KEY.rstrip("=")])
@pytest.mark.parametrize("name", PATHS)
def test_secret_as_path_is_refused(name: str, secret: str) -> None:
    (line,) = problems(WORKS | {name: secret})
    assert line.startswith(f"{name} has a secret where a path belongs")
    assert secret not in line


def test_key_sized_path_is_accepted() -> None:
    path = "/srv/telegram/ajar/data/of/the/first/couple"
    assert load(WORKS | {"AJAR_DATA_DIR": path}, None).data_dir == Path(path)


@pytest.mark.parametrize(
    "name",
    [
        *(f"AJAR_MASTER_KEY:1:{KEY[:-1]}", f"AJAR_BOT_TOKEN:{TOKEN}", f"AJAR_WEBHOOK_SECRET_{'X7' * 12}"),
        *(f"AJAR_{TOKEN}", f"AJAR_{KEY}", "AJAR_DATABASE_URL:postgres://ajar:hunter2@db/ajar"),
    ],
)
def test_secret_as_name_is_not_repeated(name: str) -> None:
    (line,) = problems(WORKS | {name: ""})
    assert "is not a setting" in line
    shown = line.split(" (")[0].rpartition(" ")[0]
    assert name.startswith(shown.split()[5])
    assert not {name[at : at + 6] for at in range(20, len(name) - 5)} & {line[at : at + 6] for at in range(len(line))}


def test_empty_unknown_setting_is_reported() -> None:
    assert problems(WORKS | {"AJAR_COLOUR": ""}) == ["AJAR_COLOUR is not a setting; remove it"]


@pytest.mark.parametrize(
    "name",
    [
        *("AJAR_PORT", "AJAR_SERVICE_HOST", "AJAR_SERVICE_PORT", "AJAR_SERVICE_PORT_HTTP", "AJAR_PORT_8080_TCP"),
        *("AJAR_PORT_8080_TCP_ADDR", "AJAR_POSTGRES_SERVICE_HOST", "AJAR_POSTGRES_PORT_5432_TCP_PROTO"),
    ],
)
def test_kubernetes_service_variables_are_no_typos(name: str) -> None:
    load(WORKS | {name: "tcp://10.0.0.7:8080"}, None)


def test_foreign_and_empty_values_are_ignored() -> None:
    config = load(WORKS | {"PATH": "/bin", "LISTEN": "x", "AJAR_LISTEN": "", "AJAR_LOG_LEVEL": "  "}, None)
    assert config.listen is None
    assert config.log_level == "INFO"


class TestEnvFile:
    def test_environment_wins_over_the_file(self, tmp_path: Path) -> None:
        file = tmp_path / ".env"
        file.write_text(
            f'# mine\nexport AJAR_BOT_TOKEN="{TOKEN}"\nAJAR_LOG_LEVEL=debug\nAJAR_LOG_FORMAT=json\nOTHER=1\n'
        )
        file.chmod(0o600)
        config = load({"AJAR_LOG_LEVEL": "error"}, file)
        assert config.bot_token is not None
        assert config.bot_token.get_secret_value() == TOKEN
        assert (config.log_level, config.log_format) == ("ERROR", "json")

    def test_typo_in_the_file_is_reported(self, tmp_path: Path) -> None:
        file = tmp_path / ".env"
        file.write_text("AJAR_LISTN=1")
        assert problems(WORKS, file) == ["AJAR_LISTN is not a setting; did you mean AJAR_LISTEN?"]

    def test_binary_file_is_reported(self, tmp_path: Path) -> None:
        file = tmp_path / ".env"
        file.write_bytes(b"AJAR_LISTEN=\xff\xfe")
        assert problems(WORKS, file) == ["The file .env is not UTF-8 text; save it as UTF-8"]

    def test_missing_file_is_fine(self, tmp_path: Path) -> None:
        load(WORKS, tmp_path / "none")

    def test_env_file_is_found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / ".env").write_text("AJAR_LOG_LEVEL=warning")
        monkeypatch.chdir(tmp_path)
        assert load(WORKS).log_level == "WARNING"

    @pytest.mark.parametrize(
        "line",
        [
            f"AJAR_MASTER_KEY:1:{KEY}",
            f"export AJAR_MASTER_KEY: {KEY}",
            f"AJAR_MASTER_KEY {KEY}",
            f"AJAR_BOT_TOKEN:{TOKEN}",
            f"AJAR_BOT_TOKEN {TOKEN}",
            f'AJAR_BOT_TOKEN="{TOKEN}',
            f"AJAR_{TOKEN}",
            "AJAR_WEBHOOK_SECRET",
        ],
    )
    def test_malformed_line_is_not_repeated(self, tmp_path: Path, line: str, capfd: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / ".env"
        file.write_text(f"# mine\nAJAR_LOG_LEVEL=info\n{line}\n")
        file.chmod(0o600)
        said = problems(WORKS, file)
        assert said == ["Line 3 of .env gives no setting its value (it is not repeated); write NAME=VALUE"]
        assert not any(secret[:12] in text for secret in (KEY, TOKEN) for text in capfd.readouterr())

    @pytest.mark.parametrize(("bits", "fine"), [(0o666, False), (0o644, False), (0o620, False), (0o600, True)])
    def test_file_with_secrets_must_be_private(self, tmp_path: Path, bits: int, fine: bool) -> None:
        file = tmp_path / ".env"
        file.write_text(f"AJAR_BOT_TOKEN={TOKEN}")
        file.chmod(bits)
        if fine:
            load({}, file)
        else:
            (line,) = problems({}, file)
            assert line.endswith("Type: chmod 600 .env")
            subprocess.run(shlex.split(line.partition("Type: ")[2]), check=True, cwd=tmp_path)
            load({}, file)

    @pytest.mark.parametrize(("bits", "fine"), [(0o666, False), (0o664, False), (0o644, True)])
    def test_only_the_owner_may_write_it(self, tmp_path: Path, bits: int, fine: bool) -> None:
        """Whoever can write it could send the token to their own address."""
        file = tmp_path / ".env"
        file.write_text("AJAR_LOG_LEVEL=info")
        file.chmod(bits)
        if fine:
            load(WORKS, file)
        else:
            assert "chmod 600" in problems(WORKS, file)[0]


class TestSecretFiles:
    @pytest.mark.parametrize(
        ("name", "field", "value"),
        [
            ("AJAR_BOT_TOKEN", "bot_token", TOKEN),
            ("AJAR_MASTER_KEY", "master_key", KEY),
            ("AJAR_WEBHOOK_SECRET", "webhook_secret", SECRET),
        ],
    )
    def test_secret_is_read_from_its_file(self, tmp_path: Path, name: str, field: str, value: str) -> None:
        file = tmp_path / "secret"
        file.write_text(f"\ufeff{value}\n\n")
        file.chmod(0o600)
        config = load({f"{name}_FILE": str(file)}, None, need_token=False)
        assert getattr(config, field).get_secret_value() == value

    def test_database_url_has_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text("postgres://ajar:pw@db/ajar\n")
        file.chmod(0o600)
        config = load(WORKS | {"AJAR_DATABASE_URL_FILE": str(file)}, None)
        assert config.database_url == "postgresql+asyncpg://ajar:pw@db/ajar"

    def test_master_keys_source_is_kept(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text(KEY)
        file.chmod(0o600)
        assert load(WORKS | {"AJAR_MASTER_KEY_FILE": str(file)}, None).master_key_file == file
        assert load(WORKS | {"AJAR_MASTER_KEY": KEY}, None).master_key_file is None

    def test_home_folder_is_expanded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "token").write_text(TOKEN)
        (tmp_path / "token").chmod(0o600)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert load({"AJAR_BOT_TOKEN_FILE": "~/token"}, None).bot_token is not None

    def test_value_and_file_together_are_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text(TOKEN)
        file.chmod(0o600)
        assert problems(WORKS | {"AJAR_BOT_TOKEN_FILE": str(file)}) == [
            "AJAR_BOT_TOKEN and AJAR_BOT_TOKEN_FILE are both given; keep one of them"
        ]

    @pytest.mark.parametrize(
        ("content", "says"),
        [(b"", "empty"), (b" \n", "empty"), (b"\xff\xfe\x00", "not text"), (b"x" * 70_000, "too long")],
    )
    def test_empty_secret_file_is_reported(self, tmp_path: Path, content: bytes, says: str) -> None:
        file = tmp_path / "secret"
        file.write_bytes(content)
        file.chmod(0o600)
        (line,) = problems({"AJAR_BOT_TOKEN_FILE": str(file)})
        assert line.startswith("AJAR_BOT_TOKEN_FILE ")
        assert says in line

    def test_unreadable_secret_file_is_reported(self, tmp_path: Path) -> None:
        for path, why in [
            (tmp_path / "none", "No such file"),
            (tmp_path, "Is a directory"),
            ("a" * 300, "File name too long"),
        ]:
            (line,) = problems({"AJAR_BOT_TOKEN_FILE": str(path)})
            assert line.startswith("AJAR_BOT_TOKEN_FILE must name a file that this user can read")
            assert why in line

    def test_wrong_secret_names_its_variable(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text("not-a-token")
        file.chmod(0o600)
        (line,) = problems({"AJAR_BOT_TOKEN_FILE": str(file)})
        assert line.startswith("AJAR_BOT_TOKEN_FILE is not a bot token")
        assert "not-a-token" not in line

    @pytest.mark.parametrize("name", ["AJAR_BOT_TOKEN", "AJAR_WEBHOOK_SECRET", "AJAR_DATABASE_URL"])
    def test_readable_secret_file_is_refused(self, tmp_path: Path, name: str) -> None:
        file = tmp_path / "secret"
        file.write_text({"AJAR_BOT_TOKEN": TOKEN, "AJAR_WEBHOOK_SECRET": SECRET}.get(name, "postgres://h/d"))
        file.chmod(0o640)
        (line,) = problems({f"{name}_FILE": str(file)}, need_token=False)
        assert line == f"{name}_FILE names a file that others on this machine can read; type: chmod 600 and its path"
        file.chmod(0o400)
        load({f"{name}_FILE": str(file)}, None, need_token=False)


class TestApiUrl:
    @pytest.mark.parametrize("url", ["http://127.0.0.1:8081", "https://api.example.org/telegram/", "http://[::1]:9/"])
    def test_trailing_slash_is_removed(self, url: str) -> None:
        assert setting("AJAR_API_URL", url).api_url == url.rstrip("/")

    @pytest.mark.parametrize(
        "url",
        [
            *("telegram", "ftp://x", "https://", "https://u:p@x", "https://x/?a=1", "https://x#a", "https://x:99999"),
            *("https://a b", "http://api.telegram.org", "http://10.0.0.1:8081", "http://bots.example.org"),
            *("http://localhost.example.org", "http://127.0.0.1.example.org", f"https://api.telegram.org/bot{TOKEN}"),
        ],
    )
    def test_invalid_address_is_refused(self, url: str) -> None:
        (line,) = problems(WORKS | {"AJAR_API_URL": url})
        assert line.startswith("AJAR_API_URL ")


class TestDatabaseUrl:
    @pytest.mark.parametrize(
        ("given", "becomes"),
        [
            ("sqlite:///a/b.db", "sqlite+aiosqlite:///a/b.db"),
            ("sqlite:////a/b.db", "sqlite+aiosqlite:////a/b.db"),
            ("sqlite+aiosqlite:////a/b.db", "sqlite+aiosqlite:////a/b.db"),
            ("postgres://u:p%40w@h:5433/d", "postgresql+asyncpg://u:p%40w@h:5433/d"),
            ("postgresql:///d?host=/run/postgresql", "postgresql+asyncpg:///d?host=%2Frun%2Fpostgresql"),
            ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
            ("postgresql://u@h/d?sslmode=require", "postgresql+asyncpg://u@h/d?ssl=require"),
            ("postgresql://u@h/d?pgbouncer=p:6432", "postgresql+asyncpg://u@h/d?pgbouncer=p%3A6432"),
            (
                "postgresql://u:p@h,i:5433/d",
                "postgresql+asyncpg://u:p@/d?host=h%3A5432&host=i%3A5433&target_session_attrs=read-write",
            ),
            (
                "postgresql://h,i/d?target_session_attrs=primary",
                "postgresql+asyncpg:///d?host=h%3A5432&host=i%3A5432&target_session_attrs=primary",
            ),
        ],
    )
    def test_every_usual_spelling_works(self, given: str, becomes: str) -> None:
        assert setting("AJAR_DATABASE_URL", given).database_url == becomes

    @pytest.mark.parametrize(
        ("given", "host", "password"),
        [
            ("postgresql://u:p%40w%2F@h:5433/d?sslmode=require", "h", "p@w/"),
            ("postgresql:///d?host=/run/postgresql", "/run/postgresql", None),
        ],
    )
    def test_driver_understands_the_normalized_url(self, given: str, host: str, password: str | None) -> None:
        url = make_url(setting("AJAR_DATABASE_URL", given).database_url)
        _, arguments = PGDialect_asyncpg().create_connect_args(url)  # type: ignore[no-untyped-call]
        assert arguments["host"] == host
        assert arguments.get("password") == password
        assert arguments["database"] == "d"

    def test_driver_tries_several_hosts(self) -> None:
        url = make_url(setting("AJAR_DATABASE_URL", "postgresql://u:hush@h,i:5433/d").database_url)
        _, arguments = PGDialect_asyncpg().create_connect_args(url)  # type: ignore[no-untyped-call]
        assert (arguments["host"], arguments["port"]) == (["h", "i"], [5432, 5433])
        assert arguments["target_session_attrs"] == "read-write"
        assert setting("AJAR_DATABASE_URL", "postgresql://u:hush@h,i:5433/d").secrets[-1] == "hush"

    @pytest.mark.parametrize("path", ["ajar.db", "/srv/ajar/ajar.db", "/srv/a%20b/ä%3F.db"])
    def test_driver_opens_the_same_file(self, path: str) -> None:
        config = setting("AJAR_DATABASE_URL", f"sqlite:///{path}")
        assert str(config.sqlite_file) == make_url(config.database_url).database == unquote(path)

    @pytest.mark.parametrize("folder", ["data", "/srv/ajar", "/srv/what? 100%20 #1 ä"])
    def test_default_is_in_the_data_folder(self, folder: str) -> None:
        config = setting("AJAR_DATA_DIR", folder)
        assert config.sqlite_file == Path(folder) / "ajar.db"
        assert make_url(config.database_url).database == f"{folder}/ajar.db"

    def test_postgresql_has_no_file(self) -> None:
        assert setting("AJAR_DATABASE_URL", "postgres://h/d").sqlite_file is None

    @pytest.mark.parametrize(
        "url",
        [
            *(
                "ajar.db",
                "mysql://h/d",
                "sqlite://",
                "sqlite:///",
                "sqlite:///:memory:",
                "sqlite://h/x",
                "sqlite:///a/",
            ),
            *("sqlite:///a.db?mode=ro", "postgres://h", "postgres://h/", "postgres://h:x/d", "postgres://h:70000/d"),
            *("postgres://h/d?channel_binding=require&x=1", "postgres://h/d#f"),
            *("postgres://h,/d", "postgres://h:x,i/d", "postgres://h,i/d?target_session_attrs=standby"),
            "postgres://h/d?pgbouncer=p",
        ],
    )
    def test_url_without_a_database_is_refused(self, url: str) -> None:
        (line,) = problems(WORKS | {"AJAR_DATABASE_URL": url})
        assert line.startswith("AJAR_DATABASE_URL ")


class TestWebhook:
    GOOD = WORKS | {"AJAR_WEBHOOK_URL": "https://bot.example.org/hook", "AJAR_WEBHOOK_SECRET": SECRET}

    def test_webhook_with_secret_listens_on_loopback(self) -> None:
        config = load(self.GOOD, None)
        assert config.webhook_url == "https://bot.example.org/hook"
        assert config.listen == Listen("127.0.0.1", 8080)
        assert load(self.GOOD | {"AJAR_LISTEN": "0.0.0.0:80"}, None).listen == Listen("0.0.0.0", 80)  # noqa: S104

    def test_webhook_needs_a_secret(self) -> None:
        (line,) = problems(WORKS | {"AJAR_WEBHOOK_URL": "https://bot.example.org/hook"})
        assert line.startswith("AJAR_WEBHOOK_SECRET is missing")
        _, *arguments = shlex.split(line.partition(": ")[2])
        made = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout
        load(self.GOOD | {"AJAR_WEBHOOK_SECRET": made, "AJAR_MASTER_KEY": made}, None)

    @pytest.mark.parametrize("secret", ["a b", "ä", "s" * 257, "x\ny"])
    def test_secret_that_telegram_refuses_is_refused(self, secret: str) -> None:
        (line,) = problems(self.GOOD | {"AJAR_WEBHOOK_SECRET": secret})
        assert line.startswith("AJAR_WEBHOOK_SECRET must be 1 to 256")

    @pytest.mark.parametrize("secret", ["x", "hunter2", "s3cret_-", "a" * 40, "abababababababababab"])
    def test_guessable_secret_is_refused(self, secret: str) -> None:
        (line,) = problems(self.GOOD | {"AJAR_WEBHOOK_SECRET": secret})
        assert line.startswith("AJAR_WEBHOOK_SECRET can be guessed")
        assert len(secret) < 2 or secret not in line

    @pytest.mark.parametrize("url", ["http://127.0.0.1:5000/x", "http://[::1]/x", "http://localhost:1/x"])
    def test_http_is_for_loopback(self, url: str) -> None:
        assert load(self.GOOD | {"AJAR_WEBHOOK_URL": url}, None).webhook_url == url

    def test_path_is_registered_as_called(self) -> None:
        schoen = self.GOOD | {"AJAR_WEBHOOK_URL": "https://bot.example.org/schön/%3A{x}"}
        assert load(schoen, None).webhook_url == "https://bot.example.org/sch%C3%B6n/%3A{x}"

    @pytest.mark.parametrize("url", ["http://example.org", "http://10.0.0.1/x", "bot.example.org", "https://"])
    def test_http_elsewhere_is_refused(self, url: str) -> None:
        (line,) = problems(self.GOOD | {"AJAR_WEBHOOK_URL": url})
        assert line.startswith("AJAR_WEBHOOK_URL ")

    def test_unusual_port_needs_another_server(self) -> None:
        odd = self.GOOD | {"AJAR_WEBHOOK_URL": "https://bot.example.org:8080/hook"}
        assert problems(odd) == [
            "AJAR_WEBHOOK_URL has a port that Telegram does not call; use one of 80, 88, 443, 8443"
        ]
        load(odd | {"AJAR_API_URL": "http://127.0.0.1:8081"}, None)
        load(self.GOOD | {"AJAR_WEBHOOK_URL": "https://bot.example.org:8443/hook"}, None)


class TestListen:
    @pytest.mark.parametrize(
        ("given", "means"),
        [
            ("127.0.0.1:8080", ("127.0.0.1", 8080)),
            ("[::1]:8080", ("::1", 8080)),
            ("[::]:80", ("::", 80)),
            ("localhost:0", ("localhost", 0)),
        ],
    )
    def test_host_and_port_are_read(self, given: str, means: tuple[str, int]) -> None:
        assert setting("AJAR_LISTEN", given).listen == means

    @pytest.mark.parametrize(
        "value", ["8080", ":8080", "::1:8080", "[::1]", "[1.2.3.4:80", "[:::]:1", "h:65536", "h:x"]
    )
    def test_invalid_listen_address_is_refused(self, value: str) -> None:
        (line,) = problems(WORKS | {"AJAR_LISTEN": value})
        assert line.startswith("AJAR_LISTEN ")


class TestMasterKey:
    @pytest.mark.parametrize("value", [KEY, KEY.rstrip("="), f"1:{KEY}", f"1:{KEY}, 2:{KEY}"])
    def test_master_key_format_is_checked(self, value: str) -> None:
        assert setting("AJAR_MASTER_KEY", value).master_key is not None

    @pytest.mark.parametrize("value", ["x", KEY + KEY, f"{KEY},{KEY}", f"one:{KEY}", "ä" * 43])
    def test_invalid_master_key_is_refused(self, value: str) -> None:
        (line,) = problems(WORKS | {"AJAR_MASTER_KEY": value})
        assert line.startswith("AJAR_MASTER_KEY is not a master key; ")


def test_data_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    assert problems(WORKS | {"AJAR_DATA_DIR": str(tmp_path / "var")}) == [
        "AJAR_DATA_DIR names a file; type the path of a folder, which is made if it is not there"
    ]


def test_unknown_users_folder_is_refused() -> None:
    (line,) = problems(WORKS | {"AJAR_DATA_DIR": "~nobody-of-this-name/var"})
    assert line.startswith("AJAR_DATA_DIR begins with ~")


def test_settings_hide_secrets_and_are_frozen() -> None:
    environ = TestWebhook.GOOD | {"AJAR_DATABASE_URL": "postgres://u:hush%21word@h/d", "AJAR_MASTER_KEY": KEY}
    config = load(environ, None)
    assert config.secrets == (TOKEN, SECRET, KEY, "hush%21word", "hush!word")
    for shown in (repr(config), str(config), config.model_dump_json(), f"{config.model_dump()}"):
        assert all(secret not in shown for secret in config.secrets)
    with pytest.raises(ValidationError):
        config.log_level = "ERROR"
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"webhook_secret": "hush hush"})
    assert "hush" not in str(caught.value)


def test_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AJAR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AJAR_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("AJAR_CLOCK_FILE", str(tmp_path / "clock"))
    monkeypatch.chdir(tmp_path)
    assert load().clock_file == tmp_path / "clock"


def test_import_brings_nothing_heavy() -> None:
    code = "import sys, bot.config; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {
        "asyncio",
        "cryptography",
        "sqlalchemy",
        "telegram",
        "aiohttp",
        "pydantic_settings",
        "structlog",
    }
