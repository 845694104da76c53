"""The command line: `ajar`. The only place that prints."""

import asyncio
import re
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NoReturn, TypeVar

import click

from bot import __version__
from bot.config import Config, WrongSettings, load

if TYPE_CHECKING:  # loading them would slow down the commands that don't need them
    from bot.i18n import Say
    from bot.library import Library

T = TypeVar("T")
_MAYBE_SECRET: Final = re.compile(r"[^\s'\"()]{16,}")


class _Sentences(click.Group):
    """Commands that report every error as a sentence and never as a traceback. Nothing else turns errors into text."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        try:
            return super().make_context(*args, **more)
        except click.UsageError as error:
            raise _without_secrets(error) from None

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except click.UsageError as error:
            raise _without_secrets(error) from None
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, the operator gets a sentence
            _stop(*_in_sentences(error, context.obj))


def _without_secrets(error: click.UsageError) -> click.UsageError:
    """Remove from a message anything that may be a key or a token, typed in place of a command or a number."""
    if isinstance(error, click.BadParameter) and error.param and isinstance(error.param.type, click.Path):
        return error
    return click.UsageError(_MAYBE_SECRET.sub("…", error.format_message()), error.ctx)


def _in_sentences(error: Exception, config: Config | None) -> tuple[list[str], int]:
    """Return what to print about an error that ended a command, and the exit code: 2 if only a person can fix it."""
    from bot.crypto import CannotOpen, WrongKey
    from bot.export_document import WrongDocument
    from bot.library import ContentError
    from bot.operating import Unfit
    from bot.storage.backup import BackupError, InUse
    from bot.storage.database_lock import LockLost
    from bot.storage.migrate import NewerSchema, NotOurs
    from bot.storage.moved import Moved
    from bot.storage.troubles import trouble_of
    from bot.watchdog import Stuck

    code = 2 if isinstance(error, WrongSettings | WrongKey | NewerSchema | NotOurs | Moved) else 1
    if isinstance(error, WrongSettings | ContentError):
        return error.problems, code
    if isinstance(error, WrongDocument):
        return [f"This can't be imported: {error}."], code
    if isinstance(
        error, WrongKey | NewerSchema | NotOurs | BackupError | CannotOpen | InUse | LockLost | Stuck | Unfit | Moved
    ):
        return [str(error)], code
    if trouble := trouble_of(error, config.sqlite_file if config else None):
        return [trouble.sentence], code
    if isinstance(error, OSError) and error.strerror:
        place = error.filename2 or error.filename
        return [f"{place}: {error.strerror}" if place else error.strerror], code
    return [_unexpected(error)], code


def _unexpected(error: Exception) -> str:
    """Log an unexpected error with its place but without its message, and return a sentence that names the log line."""
    import structlog

    from bot import logs

    code = logs.incident(structlog.stdlib.get_logger("bot.cli"), error)
    return f"Something unforeseen went wrong. The log line of incident {code} says where; please report it."


@click.group(cls=_Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ajar")
def main() -> None:
    """Ajar asks one small question a day and keeps the answer private until you share it."""
    from bot import logs

    logs.setup("INFO", "text", ())  # until the settings are known


@main.command()
@click.option("--take-over", is_flag=True, help="Remove a webhook that is set for this bot, and fetch updates here.")
@click.option(
    "--role", type=click.Choice(["web", "worker", "all"]), default="all", show_default=True,
    help="With several processes on PostgreSQL: receive updates by webhook, handle them and send, or both.",
)  # fmt: skip
def run(*, take_over: bool, role: str) -> None:
    """Run the bot. The token comes from AJAR_BOT_TOKEN, or a file named by AJAR_BOT_TOKEN_FILE."""
    from bot import app
    from bot.presence import Role

    _event_loop(app.run(_config(need_token=True), take_over=take_over, role=Role(role)))


@main.command()
def healthcheck() -> None:
    """Ask the bot at AJAR_LISTEN whether it is healthy. A container's health check can use it."""
    from bot.healthcheck import is_well

    try:
        well, sentence = is_well(_config())
    except Exception as error:  # noqa: BLE001  # as above; a container's health check only knows 0 and 1
        _stop(_in_sentences(error, None)[0], 1)
    click.echo(sentence, err=not well)
    sys.exit(0 if well else 1)


@main.command()
@click.option("--fresh", is_flag=True, help="Start over instead of continuing the last demo.")
@click.option("--port", default=8088, show_default=True, help="Port of the page; the next free one if it is taken.")
@click.option("--no-browser", is_flag=True, help="Don't open a browser.")
@click.option(
    "--folder", default="var/demo", show_default=True, type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo keeps its state.",
)  # fmt: skip
def demo(*, fresh: bool, port: int, no_browser: bool, folder: Path) -> None:
    """Run the whole bot in a browser. It needs neither Telegram nor a token."""
    from bot import app, private

    private.no_core_dumps()  # the umask stays, because the browser it opens inherits it
    sys.exit(_event_loop(app.demo(folder, port=port, fresh=fresh, open_browser=not no_browser, say=click.echo)))


@main.command()
def migrate() -> None:
    """Upgrade the database to this version. `run` does so automatically."""
    from bot import copies
    from bot.storage.migrate import HEAD

    before = _event_loop(copies.bring_up(_config()))
    was = " already" if before is None else f", from {before or 'none'}"
    click.echo(f"The database is at version {HEAD}{was}.")


@main.group()
def content() -> None:
    """Check and print the questions."""


@content.command("check")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--support",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="AJAR_SUPPORT_FILE",
    help="Also check this file with help lines.",
)
def check_content(folder: Path | None, support: Path | None) -> None:
    """Check the content folder. Prints every mistake and every warning with its file and line.

    Only mistakes make it fail. A warning, like two questions that say nearly the same, is for a person to judge.
    """
    from bot import library
    from bot.library.review import review

    mistakes, warnings = review(folder or library.content_folder(), support)
    for mistake in mistakes:
        click.echo(mistake)
    for file, line, sentence in warnings:
        click.echo(f"{file}:{line}: warning: {sentence}")
    if mistakes:
        click.echo(f"{len(mistakes)} to fix.", err=True)
        sys.exit(1)
    click.echo(library.summary(library.load(folder or library.content_folder())))


@content.command("stats")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def content_stats(folder: Path | None) -> None:
    """Count the questions. By theme, depth, role, format and tag; also says how their examples sound."""
    from bot import library
    from bot.library.review import table

    found = _library(folder)
    click.echo(f"{library.summary(found)}\n\n{table(found)}")


@content.command("show")
@click.option(
    "--depth", "depths", type=click.IntRange(1, 5), multiple=True, help="Only of this depth; can be repeated."
)
@click.option("--theme", "themes", multiple=True, help="Only of this theme, like worry; repeatable.")
@click.option("--lang", default="en", show_default=True, help="In this language.")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def show_content(depths: tuple[int, ...], themes: tuple[str, ...], lang: str, folder: Path | None) -> None:
    """Print questions and examples. They look the way a person sees them."""
    from bot.library.printing import cards

    found = _library(folder)
    known = [theme.id for theme in found.themes]
    for theme in themes:
        if theme not in known:
            raise click.BadParameter(f"there is no theme {theme}; known are {', '.join(known)}")
    for card in cards(found, _say_in(lang), depths=depths, themes=themes):
        click.echo(card)


@content.command("year")
@click.option("--ceiling", type=click.IntRange(1, 5), default=2, show_default=True, help="The deepest they allow.")
@click.option("--paired", is_flag=True, help="They are in a Pair.")
@click.option("--zone", default="Europe/Berlin", show_default=True, help="Where they live, for free days and seasons.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day; today if not given.")
@click.option("--lang", default="en", show_default=True, help="In this language.")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def content_year(ceiling: int, paired: bool, zone: str, first: datetime | None, lang: str, folder: Path | None) -> None:
    """Print a year of questions. They follow the rule by which the bot chooses."""
    from bot.clock import SystemClock
    from bot.domain.times import is_zone
    from bot.library.printing import year

    if not is_zone(zone):
        raise click.BadParameter(f"there is no time zone {zone}")
    day = (first or SystemClock().now()).date()
    for line in year(_library(folder), _say_in(lang), ceiling=ceiling, paired=paired, zone=zone, first=day):
        click.echo(line)


@content.command("train")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def train_content(folder: Path | None) -> None:
    """Learn the weights of the safety card. Do it after changing the sentences or kinds of words in safety/."""
    from bot import library
    from bot.library.training import train_all

    folder = folder or library.content_folder()
    found = library.load(folder)
    for language in found.safety:
        say = _say_in(language)
        examples = [say.content(each) for prompt in found.prompts.values() for each in prompt.examples]
        for line in train_all(folder, language, examples):
            click.echo(line)


@content.command("why")
@click.argument("text")
def content_why(text: str) -> None:
    """Say why a text would bring the safety card, or not. Nothing of it is kept."""
    from bot.library.phrases import Phrases

    for line in Phrases(_library(None).safety).explained(text):
        click.echo(line)


def _library(folder: Path | None) -> "Library":
    from bot import library

    return library.load(folder or library.content_folder())


def _say_in(language: str) -> "Say":
    from bot import i18n

    if language not in i18n.languages():
        raise click.BadParameter(f"there is no language {language}; there are {', '.join(i18n.languages())}")
    return i18n.say_in(language)


@main.command()
def stats() -> None:
    """Show totals over all users. Nothing about a single person is shown."""
    from bot import operating

    _say(operating.stats(_config()))


@main.command()
@click.argument("target", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--verify", "check", is_flag=True, help="Open everything in the backup once it is made.")
@click.option("--keep", type=click.IntRange(min=1), help="Then remove all but the newest N. Implies --verify.")
@click.option("--keep-days", type=click.IntRange(1, 366), help="Then remove those older than N days. Implies --verify.")
def backup(target: Path | None, *, check: bool, keep: int | None, keep_days: int | None) -> None:
    """Back up the SQLite database. The backup is encrypted with the master key; the bot can keep running.

    TARGET is a file that doesn't exist yet. Without it the backup goes to AJAR_BACKUPS_DIR and is named after the time.
    """
    from bot import copies, opening

    if target and (keep or keep_days):
        raise click.UsageError("--keep and --keep-days are for backups that are named automatically; leave out TARGET")
    config = _config()
    place = target or copies.default_backup(config, opening.make_clock(config).now())
    _say(copies.backup(config, place, check=check, keep=keep, keep_days=keep_days))


@main.command()
@click.argument("copy", type=click.Path(dir_okay=False, path_type=Path))
def restore(copy: Path) -> None:
    """Replace the database with a backup. Everything in the backup is opened first.

    The bot must be stopped. The old database is kept beside the new one for 30 days.
    """
    from bot import copies

    _say(copies.put_back(_config(), copy))


@main.command()
def rehearse() -> None:
    """Try restoring the newest backup. It is restored into an empty place; the bot does this automatically every month.

    Nothing in use is changed. The result is also sent to AJAR_OPERATOR_CHAT, without details.
    """
    import os

    from bot import rehearsing

    config = _config()
    os.nice(10)  # opening everything takes a while, and the bot may be running at the same time
    rehearsal = _event_loop(rehearsing.rehearse(config))
    failure = _event_loop(rehearsing.tell_operator(config, rehearsal))
    if not rehearsal.well:
        _stop([*rehearsal.said, *([failure] if failure else [])], 1)
    for sentence in (*rehearsal.said, *([failure] if failure else [])):
        click.echo(sentence)


@main.command()
@click.argument("copy", required=False, type=click.Path(dir_okay=False, path_type=Path))
def verify(copy: Path | None) -> None:
    """Check a backup, or the database. Opens all keys and texts in COPY, or in the database, and reports damage."""
    from bot import copies

    _say(copies.verify(_config(), copy))


@main.command()
@click.option("--to", metavar="URL", help="The database to move to, as in AJAR_DATABASE_URL. It must be empty.")
@click.option("--to-file", metavar="FILE", help="A file that contains the URL, so that nobody sees its password.")
@click.option("--back", is_flag=True, help="Let bots use this database again after it was moved.")
def move(*, to: str | None, to_file: str | None, back: bool) -> None:
    """Move everything to another database. Every row is copied and compared; the old database stays as it is.

    From SQLite to PostgreSQL or the other way. No bot may be running on either. If it is interrupted, type it again.
    """
    from bot import database_move, logs
    from bot.config import with_database

    if sum((to is not None, to_file is not None, back)) != 1:
        raise click.UsageError("give one of --to, --to-file and --back")
    config = _config()
    if back:
        _say(database_move.back(config))
        return
    target = with_database(config, url=to, file=to_file)
    logs.setup(config.log_level, config.log_format, (*config.secrets, *target.secrets))
    with _progress("Moving rows") as progress:
        said = _event_loop(database_move.move(config, target, progress))
    _print(said)


@main.command("import")
@click.argument("files", nargs=-1, required=True, type=click.File("rb"), metavar="FILE...")
def import_(files: tuple[BinaryIO, ...]) -> None:
    """Import an export from another Ajar. FILE is the JSON of one /export, all its parts, or - for standard input.

    Nothing is added until its owner, whom the bot asks at the start, says yes. The bot can keep running.
    """
    from bot import importing

    _say(importing.take(_config(), [file.read() for file in files]))


@main.command()
def doctor() -> None:
    """Check everything the bot needs to run. Reports what is wrong."""
    from bot.doctor import examine

    found = _event_loop(examine(_config()))
    for well, sentence in found:
        click.echo(f"{'ok' if well else '!!'}  {sentence}")
    if not all(well for well, _ in found):
        sys.exit(1)


@main.group()
def keys() -> None:
    """Manage the master key. It wraps the key of every user."""


@keys.command("list")
def list_keys() -> None:
    """Show where the master key is. Also says what its versions still wrap."""
    from bot import keys as master_keys

    _say(master_keys.versions(_config()))


@keys.command("new")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def new_key(file: Path | None) -> None:
    """Make a new master key. Prints it, or writes it to FILE, which must not exist yet. Nothing else is changed."""
    from bot import keys as master_keys

    _say(master_keys.new(file))


@keys.command("rotate")
def rotate_keys() -> None:
    """Make a new version of the master key. Every user's key is then wrapped with it.

    With SQLite the bot can run meanwhile. If it is interrupted, type it again: it continues where it stopped.
    """
    from bot import keys as master_keys

    with _progress("Wrapping keys") as progress:
        said = _event_loop(master_keys.rotate(_config(), progress))
    _print(said)


@keys.command("rewrap")
def rewrap_keys() -> None:
    """Wrap every user's key again. Use it after changing the master key yourself."""
    from bot import keys as master_keys

    with _progress("Wrapping keys") as progress:
        said = _event_loop(master_keys.rewrap(_config(), progress))
    _print(said)


@keys.command("forget")
@click.argument("version", type=click.IntRange(min=1))
def forget_key(version: int) -> None:
    """Remove an old version from the key file. Nothing may need it any more, not even a backup."""
    from bot import keys as master_keys

    _say(master_keys.forget(_config(), version))


def _say(work: Coroutine[Any, Any, list[str]]) -> None:
    _print(_event_loop(work))


def _print(sentences: list[str]) -> None:
    for sentence in sentences:
        click.echo(sentence)


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress as a bar on standard error if that is a terminal; otherwise show nothing."""
    with click.progressbar(length=1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def show(done: int, of: int) -> None:
            bar.length = max(of, 1)
            bar.update(done - bar.pos if of else 1)

        yield show


def _config(*, need_token: bool = False) -> Config:
    from bot import logs, private

    private.close_off()
    config = load(need_token=need_token)
    logs.setup(config.log_level, config.log_format, config.secrets)
    click.get_current_context().find_root().obj = config
    return config


def _event_loop(work: Coroutine[Any, Any, T]) -> T:
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop

    return uvloop.run(work)


def _stop(problems: list[str], code: int) -> NoReturn:
    for problem in problems:
        click.echo(f"ajar: {problem}", err=True)
    sys.exit(code)
