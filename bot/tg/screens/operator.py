"""Texts for the operator's chat: the bot's state, in answer to /ops, and unprompted reports.

They contain sums and times of the machine, and codes of incidents: never a user's words, and nothing about one person.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.domain.results.operating import OpsShown
from bot.domain.times import local
from bot.i18n import Say
from bot.tg.screens.screen import Screen, View, shown

_CODES_SHOWN: Final = 10


def ops(view: View, result: OpsShown) -> Screen:
    say = view.say
    lines = (
        _well(say, result.problems),
        _heard(say, result.silent_minutes),
        _late(say, result.late_minutes),
        _counted(view, result),
        _backups(say, result),
        _built(say, result),
    )
    return Screen("\n".join(lines))


def _well(say: Say, problems: Sequence[str]) -> str:
    if not problems:
        # Translators: /ops, the operator's page, if nothing is wrong
        return say("Ajar is well.")
    names = problem_names(say)
    # Translators: /ops, the operator's page; %(problems)s is a list like "the database, Telegram"
    return say("Something is wrong with: %(problems)s.", problems=", ".join(names.get(each, each) for each in problems))


def problem_names(say: Say) -> Mapping[str, str]:
    """Return the names of the parts that can have a problem."""
    return {
        # Translators: /ops, what something is wrong with, in a list
        "start": say("the start"),
        # Translators: /ops, what something is wrong with, in a list
        "database": say("the database"),
        # Translators: /ops, what something is wrong with, in a list
        "disk": say("the disk"),
        # Translators: /ops, what something is wrong with, in a list: messages that have to be sent
        "outbox": say("what has to be sent"),
        # Translators: /ops, what something is wrong with, in a list
        "telegram": say("the way to Telegram"),
        # Translators: /ops, what something is wrong with, in a list
        "webhook": say("the webhook"),
    }


def _heard(say: Say, minutes: int | None) -> str:
    if minutes is None:
        # Translators: /ops; another process of the same bot fetches messages
        return say("Telegram: this process doesn't fetch.")
    if not minutes:
        # Translators: /ops
        return say("Telegram: heard within the last minute.")
    # Translators: /ops
    return say.plural("Telegram: last heard %(n)s minute ago.", "Telegram: last heard %(n)s minutes ago.", minutes)


def _late(say: Say, minutes: int) -> str:
    if not minutes:
        # Translators: /ops, about messages that come in or go out
        return say("Waiting: nothing for longer than a minute.")
    # Translators: /ops, about messages that come in or go out
    return say.plural("Waiting: something for %(n)s minute.", "Waiting: something for %(n)s minutes.", minutes)


def _counted(view: View, result: OpsShown) -> str:
    say, day = view.say, view.say.date(local(result.since, view.zone).date())
    if not result.incidents:
        # Translators: /ops; %(day)s is when the bot was last started
        return say("Incidents: none since the start on %(day)s.", day=day)
    # Translators: /ops; %(day)s is when the bot was last started
    return say.plural(
        "Incidents: %(n)s since the start on %(day)s. The log has its code.",
        "Incidents: %(n)s since the start on %(day)s. The log has their codes.",
        result.incidents,
        day=day,
    )


def _backups(say: Say, result: OpsShown) -> str:
    if not result.backs_up:
        # Translators: /ops, with a PostgreSQL database, which Ajar doesn't back up
        return say("Backups: yours, with PostgreSQL's own tools.")
    if result.backup is None:
        # Translators: /ops
        return say("Backups: none yet.")
    backup = say.date(result.backup, year=True)
    if result.rehearsed is None:
        # Translators: /ops; to rehearse is to try restoring a backup in a place of its own
        return say("Backup: %(backup)s. No restore was rehearsed yet.", backup=backup)
    rehearsed = say.date(result.rehearsed, year=True)
    # Translators: /ops; to rehearse is to try restoring a backup in a place of its own
    return say("Backup: %(backup)s. Restore rehearsed: %(rehearsed)s.", backup=backup, rehearsed=rehearsed)


def _built(say: Say, result: OpsShown) -> str:
    facts = {"version": result.version, "schema": result.schema}
    if result.free_gib is None:
        # Translators: /ops
        return say("Version %(version)s, database %(schema)s.", **facts)
    # Translators: /ops; %(free)s is how much room is left on the disk
    return say("Version %(version)s, database %(schema)s, %(free)s GiB free.", free=result.free_gib, **facts)


# Unprompted reports


def incidents_told(say: Say, codes: Sequence[str]) -> str:
    shown = ", ".join(codes[:_CODES_SHOWN])
    more = len(codes) - _CODES_SHOWN
    # Translators: to the operator; an incident is something that must not happen, and %(codes)s its code
    told = say.plural(
        "An incident: %(codes)s. The log says where.",
        "%(n)s incidents: %(codes)s. The log says where.",
        len(codes),
        codes=shown,
    )
    if more <= 0:
        return told
    # Translators: follows a list of incidents that was cut
    rest = say.plural("%(n)s more is only there.", "%(n)s more are only there.", more)
    return f"{told} {rest}"


def nothing_fetched(say: Say, since: datetime, zone: str) -> str:
    # Translators: to the operator
    return say("Nothing could be fetched from Telegram since %(time)s.", time=say.clock(local(since, zone).time()))


def fetched_again(say: Say, since: datetime, zone: str) -> str:
    # Translators: to the operator, after an interruption
    return say("Telegram is heard again since %(time)s.", time=say.clock(local(since, zone).time()))


def upgraded(say: Say, version: str, schema: str, before: str) -> str:
    # Translators: to the operator, after an upgrade; the numbers of the database are like 0034
    return say(
        "Ajar %(version)s runs. It has brought the database from %(before)s to %(schema)s.",
        version=version,
        before=before,
        schema=schema,
    )


def rehearsed(say: Say, made: datetime | None, *, well: bool) -> str:
    """Report how the rehearsal of a restore went. `made` is when the backup was made; None if there is none."""
    if made is None:
        # Translators: to the operator; to rehearse is to try restoring a backup in a place of its own
        return say("There is no backup to rehearse a restore with.")
    day = say.date(made.date(), year=True)
    if well:
        # Translators: to the operator; %(day)s is when the backup was made
        return say("A restore of the backup of %(day)s was rehearsed. Everything in it opens.", day=day)
    # Translators: to the operator; %(day)s is when the backup was made, and "ajar rehearse" a command to type
    return say("Rehearsing a restore of the backup of %(day)s failed. “ajar rehearse” says why.", day=day)


def week(say: Say, *, people: int, asks: int, messages: int, incidents: int) -> str:
    """Report the sums of a week, rounded so that no difference between two weeks reveals one person."""
    # Translators: to the operator, once a week; the numbers are rounded, like 120
    told = say(
        "The week: about %(people)s people, %(asks)s questions asked, %(messages)s messages sent.",
        people=_about(people),
        asks=_about(asks),
        messages=_about(messages),
    )
    # Translators: to the operator, once a week
    happened = say("No incidents.")
    if incidents:
        # Translators: to the operator, once a week
        happened = say.plural("%(n)s incident.", "%(n)s incidents.", incidents)
    return f"{told} {happened}"


def _about(number: int) -> int:
    """Round to two digits, and at least to tens."""
    step = max(10, int(10 ** (len(str(number)) - 2)))
    return (number + step // 2) // step * step


SCREENS: Final = (shown(OpsShown, ops),)
