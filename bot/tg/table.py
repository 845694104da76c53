"""The table of routes: every command and every action of a button, with the use case that handles it."""

from dataclasses import replace
from functools import partial

from bot.domain.results import Result, Silence
from bot.services.answering import Answering
from bot.services.asks import Asks
from bot.services.follow_ups import FollowUps
from bot.services.journal import Journal
from bot.services.lines import Lines
from bot.services.pace import Pace
from bot.services.pairing import Pairing
from bot.services.pause import Pause
from bot.services.receiving import Receiving
from bot.services.ritual import ANSWERS, NOTICED, Rituals
from bot.services.settings import Settings
from bot.services.shelf import Shelf
from bot.services.undecided import Deciding
from bot.services.use_cases import UseCases
from bot.services.visit import Visit
from bot.services.zones import Zones
from bot.tg import actions as a
from bot.tg.handlers import always, privacy
from bot.tg.handlers.pairing import PairingHandlers
from bot.tg.handlers.settings import SettingsHandlers, shown, switched
from bot.tg.handlers.sharing import beside_the_line
from bot.tg.handlers.start import StartHandlers
from bot.tg.handlers.traces import TracesHandlers
from bot.tg.routes import (
    Command,
    Routes,
    TapRoute,
    command,
    ignoring_argument,
    of_user,
    tap,
    tap_by_anybody,
    tap_once_agreed,
    when_ready,
)
from bot.tg.turn import Turn


def make_routes(use: UseCases, start: StartHandlers) -> Routes:
    """Make all routes. Raises DuplicateService."""
    erasing, hiding = privacy.PrivacyHandlers(use.privacy, use.exporting), TracesHandlers(use.traces)
    commands = (
        Command("help", always.help_, always=True),
        Command("support", always.support, always=True),
        Command("privacy", privacy.privacy, always=True),
        Command("cancel", always.cancel, always=True),
        Command("stop", always.stop, always=True),
        Command("export", erasing.export, always=True),
        Command("erase", erasing.ask, always=True),
        Command("hide", hiding.hide, always=True),
        *_commands_of_pairing(use.pairing, start),
        _mentioning(use.deciding, command("today", use.asks.today)),
        command("snooze", use.asks.put_off, use.asks.put_off_until, sets=True),
        command("pause", use.pause.wanted, use.pause.said, sets=True),
        command("resume", use.pause.resume, use.pause.resume_said),
        command("settings", use.settings.show),
        command("time", use.settings.hour, use.settings.hour_said, sets=True),
        Command("language", SettingsHandlers(use.settings).language, sets=True),
        command("zone", use.zones.clocks, use.zones.place_said, sets=True),
        command("quiet", use.settings.quiet, use.settings.quiet_said, sets=True),
        command("depth", use.settings.ceiling, use.settings.ceiling_said, sets=True),
        command("ceiling", use.settings.ceiling, use.settings.ceiling_said, sets=True),
        command("days", use.settings.days, use.settings.days_said, sets=True),
        command("name", use.settings.name, use.settings.name_said, sets=True),
        command("share", use.sharing.overview),
        command("waiting", use.receiving.waiting),
        command("journal", use.journal.show),
        command("words", use.shelf.words),
        command("recap", use.recaps.show),
        command("noticed", use.noticing.want),
        command("ritual", use.rituals.show),
    )
    taps = (
        *_taps_of_start(start),
        *_taps_of_zones(start, use.zones),
        *_taps_of_ask(use.asks, use.pace),
        *_taps_of_lines(use.lines, use.journal),
        *_taps_of_shelf(use.shelf, use.journal),
        *_taps_of_journal(use.journal),
        tap(a.RECAP_STOP, use.recaps.stop),
        tap_once_agreed(a.SHOW_AGAIN, use.deciding.show),
        tap_once_agreed(a.UNDECIDED, use.deciding.find),
        *_taps_of_pause(use.pause),
        *_taps_of_settings(use.settings),
        *_taps_of_pairing(use.pairing, start),
        *_taps_of_sharing(use),
        *_taps_of_receiving(use.receiving),
        *_taps_of_answering(use.answering, use.follow_ups),
        *_taps_of_ritual(use.rituals),
        tap_by_anybody(a.HIDE_THIS, hiding.hide_this, always=True),
        tap_by_anybody(a.POLICY, privacy.policy, always=True),
        tap_by_anybody(a.POLICY_FILE, privacy.policy_file, always=True),
        tap_by_anybody(a.AGREE_AGAIN, of_user(use.consents.agree), always=True),
        tap_once_agreed(a.HOUR_TYPED, use.start.meant_as_hour),
        tap_once_agreed(a.TAKE_ARRIVAL, use.arrivals.take_in),
        tap_once_agreed(a.LEAVE_ARRIVAL, use.arrivals.leave),
        tap_by_anybody(a.ASK_WITHDRAW, of_user(use.consents.ask_withdraw)),
        tap_by_anybody(a.WITHDRAW, of_user(use.consents.withdraw)),
        tap_by_anybody(a.ASK_ERASE, erasing.ask, always=True),
        tap_by_anybody(a.ERASE, erasing.erase, always=True),
        tap_by_anybody(a.KEEP_ALL, erasing.keep, always=True),
    )
    return Routes(commands, taps)


def _mentioning(deciding: Deciding, command: Command) -> Command:
    """Have this command lead to what is undecided, if anything is, also during the start."""

    async def handle(turn: Turn) -> Result:
        result = await command.handler(turn)
        return await deciding.mention(turn.visit, result) if turn.user else result

    return replace(command, handler=handle)


def _commands_of_pairing(pairing: Pairing, start: StartHandlers) -> tuple[Command, ...]:
    handlers = PairingHandlers(pairing, start)
    return (
        Command("start", handlers.start),
        Command("join", handlers.join),
        Command("pair", handlers.pair),
        command("unpair", pairing.ask_unpair, ignoring_argument(pairing.ask_unpair)),
    )


def _taps_of_start(start: StartHandlers) -> tuple[TapRoute, ...]:
    return (
        tap_by_anybody(a.CONSENT, start.consent),
        tap_by_anybody(a.DECLINE, start.decline),
        tap_by_anybody(a.GREETING, start.greeting),
        tap_by_anybody(a.WHAT_IS_STORED, privacy.what_is_stored, always=True),
        tap_by_anybody(a.START_HOUR, start.hour),
        tap_by_anybody(a.INVITED, start.invitation),
        tap_by_anybody(a.INVITED_MORE, start.invited_more),
        tap_by_anybody(a.INVITED_YES, start.invited_yes),
        tap_by_anybody(a.JOIN, start.join),
        tap_by_anybody(a.RECEIVE, start.receive),
        tap_by_anybody(a.HOUR_FIRST, start.hour_first),
        tap_by_anybody(a.WAIT, start.wait),
    )


def _taps_of_zones(start: StartHandlers, zones: Zones) -> tuple[TapRoute, ...]:
    return (
        tap_by_anybody(a.START_ZONE, start.only_at_the_clock(zones.set)),
        tap(a.MY_ZONE, zones.set),
        tap_by_anybody(a.MY_CLOCKS, start.from_the_clock_on(zones.clocks)),
        tap_by_anybody(a.MY_ELSEWHERE, start.from_the_clock_on(zones.elsewhere)),
        tap_by_anybody(a.MY_CLOCK, start.from_the_clock_on(zones.near)),
        tap_by_anybody(a.MY_PLACES, start.from_the_clock_on(zones.location)),
        tap_by_anybody(a.REGION_LIST, start.from_the_clock_on(zones.regions)),
        tap_by_anybody(a.REGION, start.from_the_clock_on(zones.region)),
        # Buttons of earlier versions
        tap_by_anybody(a.START_CLOCK, start.only_at_the_clock(zones.near)),
        tap_by_anybody(a.START_CLOCKS, start.only_at_the_clock(zones.clocks)),
        tap_by_anybody(a.START_PLACE, start.only_at_the_clock(zones.elsewhere)),
        tap(a.MY_PLACE, zones.set),
    )


def _taps_of_ask(asks: Asks, pace: Pace) -> tuple[TapRoute, ...]:
    return (
        tap_by_anybody(a.TODAY, when_ready(asks.today)),
        tap_once_agreed(a.ANOTHER, asks.another),
        tap(a.LIGHTER, asks.lighter),
        tap_once_agreed(a.EXAMPLES, lambda visit, show, ask_id: asks.examples(visit, ask_id, show=show)),
        tap(a.LATER, asks.later),
        tap(a.SNOOZE, asks.snooze),
        tap(a.SKIP, asks.skip),
        tap(a.BRING_BACK, asks.bring_back),
        tap(a.DAILY, pace.daily),
        tap(a.CALLBACKS, lambda visit, wanted, ask_id: asks.bring_back_lines(visit, ask_id, wanted=wanted)),
        tap(a.MOVE_HOUR, pace.move_hour),
        tap(a.TAKE_DEEPER, pace.take_deeper),
        tap(a.LEAVE_OFFER, pace.leave_offer),
    )


def _taps_of_lines(lines: Lines, journal: Journal) -> tuple[TapRoute, ...]:
    return (
        tap_once_agreed(a.CHANGE_LINE, journal.leading_back(lines.change)),
        tap_once_agreed(a.SHOW_LINE, journal.leading_back(lines.show)),
        tap_once_agreed(a.ASK_DELETE_LINE, journal.leading_back(lines.ask_delete)),
        tap_once_agreed(a.DELETE_LINE, journal.deleting(lines.delete)),
        tap_once_agreed(a.KEEP, journal.leading_back(lines.keep_draft)),
        tap_once_agreed(a.REPLACE, lines.replace_by_draft),
        tap_once_agreed(a.SHORTEN, lines.shorten_draft),
        tap_once_agreed(a.DROP, lines.drop_draft),
        tap_once_agreed(a.SHOW_DRAFT, lines.show_draft),  # a button of earlier versions
    )


def _taps_of_shelf(shelf: Shelf, journal: Journal) -> tuple[TapRoute, ...]:
    return (
        tap_once_agreed(a.SHELF, shelf.show),
        tap_once_agreed(a.BOARD, shelf.board),
        tap_once_agreed(a.FEEL, journal.leading_back(shelf.name)),
        tap_once_agreed(a.FEEL_OWN, shelf.want_own),
        tap_once_agreed(a.FEEL_NOTHING, journal.leading_back(shelf.take_off)),
    )


def _taps_of_journal(journal: Journal) -> tuple[TapRoute, ...]:
    return (
        tap(a.JOURNAL, journal.back),
        tap(a.JOURNAL_ALL, journal.show),
        tap(a.JOURNAL_OLDER, journal.older),
        tap(a.JOURNAL_NEWER, journal.newer),
        tap(a.JOURNAL_LINE, journal.open),
        tap(a.JOURNAL_FILTERS, journal.filters),
        tap(a.JOURNAL_WORDS, journal.words),
        tap(a.JOURNAL_WORD, journal.by_word),
        tap(a.JOURNAL_THEMES, journal.themes),
        tap(a.JOURNAL_THEME, journal.by_theme),
        tap(a.JOURNAL_YEAR_AGO, journal.year_ago),
        tap(a.JOURNAL_SEARCH, journal.want_search),
    )


def _taps_of_pause(pause: Pause) -> tuple[TapRoute, ...]:
    return (
        tap(a.PAUSE, pause.longer),
        tap(a.PAUSE_BACK, pause.wanted),
        tap(a.PAUSE_DAYS, pause.dates),
        tap(a.PAUSE_OPEN, pause.until_told),
        tap(a.PAUSE_DAY, pause.day_wanted),
        tap(a.PAUSE_MONTH, lambda visit, month: pause.day_wanted(visit, month=month)),
        tap(a.PAUSE_UNTIL, pause.until),
        tap(a.BLANK, _nothing),
        tap(a.RESUME, pause.resume),
    )


async def _nothing(_visit: Visit) -> Result:
    """Handle a tap on a calendar cell that isn't a day."""
    return Silence()


def _taps_of_settings(settings: Settings) -> tuple[TapRoute, ...]:
    return (
        tap(a.SETTINGS, settings.show),
        tap(a.SETTINGS_DONE, settings.close),
        tap(a.MY_HOUR, settings.hour),
        tap(a.SET_HOUR, settings.set_hour),
        tap(a.MY_DAYS, settings.days),
        tap(a.TOGGLE_DAY, switched(settings.set_day, shown(settings.days))),
        tap(a.SET_DAYS, settings.set_days),
        tap(a.LANGUAGE, settings.language),
        tap_by_anybody(a.SET_LANGUAGE, SettingsHandlers(settings).set_language),
        tap(a.CEILING, settings.ceiling),
        tap(a.SET_CEILING, settings.set_ceiling),
        tap(a.THEMES, settings.themes),
        tap(a.TOGGLE_THEME, switched(settings.set_theme, shown(settings.themes))),
        tap(a.TOGGLE_SENSITIVITY, switched(settings.set_sensitivity, shown(settings.themes))),
        tap(a.QUIET, settings.quiet),
        tap(a.SET_QUIET, settings.set_quiet),
        tap(a.QUIET_OTHER, settings.quiet_wanted),
        tap(a.SWITCH, settings.switch),
        tap(a.FLIP, settings.flip),
        tap(a.NAME, settings.name),
        tap(a.UNNAME, settings.unname),
    )


def _taps_of_pairing(pairing: Pairing, start: StartHandlers) -> tuple[TapRoute, ...]:
    handlers = PairingHandlers(pairing, start)
    return (
        tap_by_anybody(a.PAIR_NAME, handlers.confirm_name),
        tap(a.PAIR_NAME_TYPED, pairing.meant_as_name),
        tap(a.PAIR_RENAME, pairing.want_name),
        tap(a.PAIR_RENEW, pairing.renew),
        tap(a.PAIR_SEND, pairing.sending),
        tap(a.PAIR_SHOW, partial(pairing.pair, here=True)),
        tap(a.PAIR_BACK, pairing.take_back),
        tap(a.PAIR_YES, pairing.confirm),
        tap(a.PAIR_NO, pairing.refuse),
        tap_by_anybody(a.GUEST_YES, handlers.accept),
        tap_by_anybody(a.GUEST_ONLY, handlers.receive_only),
        tap_once_agreed(a.GUEST_MORE, partial(pairing.show, more=True)),
        tap_once_agreed(a.GUEST_SHOW, pairing.show),
        tap_by_anybody(a.GUEST_NO, handlers.decline),
        tap(a.GUEST_BACK, pairing.take_yes_back),
        tap(a.CODE, pairing.meant_as_code),
        tap_by_anybody(a.ASK_UNPAIR, when_ready(pairing.ask_unpair)),
        tap(a.UNPAIR, pairing.unpair),
        tap(a.STAY, pairing.keep_pair),
    )


def _taps_of_sharing(use: UseCases) -> tuple[TapRoute, ...]:
    sharing, rewording, responses = use.sharing, use.rewording, use.responses
    return (
        tap(a.SHARE, beside_the_line(sharing.start)),
        tap(a.SHARE_PAGE, lambda visit, before: sharing.overview(visit, before=before)),
        tap(a.SHARE_SEE, partial(sharing.show, here=False)),
        tap(a.SHARE_SHOW, sharing.show),
        tap(a.SHARE_WISH, sharing.wish),
        tap(a.SHARE_HOW, sharing.ask_wish),
        tap(a.SHARE_WHEN, sharing.when),
        tap(a.SHARE_AT, sharing.set_time),
        tap(a.SHARE_DAYS, sharing.days),
        tap(a.SHARE_DAY, sharing.hours),
        tap(a.SHARE_TIME, sharing.set_moment),
        tap(a.SHARE_SOON, sharing.set_soonest),
        tap(a.SHARE_SURE, sharing.confirm),
        tap(a.SHARE_QUESTION, sharing.set_question),
        tap(a.SHARE_WORDS, rewording.reword),
        tap(a.SHARE_NAMED, rewording.add_named),
        tap(a.SHARE_USE, rewording.use_words),
        tap(a.SHARE_USE_SURE, rewording.confirm),
        tap(a.SHARE_DROP, sharing.drop),
        tap(a.SHARE_BACK, sharing.withdraw),
        tap(a.LANDED, lambda visit, well, response_id: responses.landed(visit, response_id, well=well)),
        tap(a.LANDED_WORRY, responses.worry),
        tap(a.EXPECT, use.expectations.offer),
        tap(a.EXPECT_YES, use.expectations.ask),
        tap(a.EXPECTED, use.expectations.expect),
        tap(a.EXPECT_STOP, use.expectations.stop),
        tap(a.WHAT_CAME, use.expectations.ask_outcome),
        tap(a.CAME, use.expectations.note),
        tap(a.TALLY, use.expectations.show),
    )


def _taps_of_receiving(receiving: Receiving) -> tuple[TapRoute, ...]:
    return (
        tap(a.OPEN, receiving.open),
        tap(a.OPEN_LATER, receiving.later),
        tap(a.OPEN_BACK, receiving.back),
        tap(a.OPEN_AT, receiving.put_off),
        tap(a.NOT_NOW, receiving.not_now),
        tap(a.OPEN_ONE, receiving.open_one),
        tap(a.ALL_LATER, receiving.all_later),
        tap(a.ALL_BACK, receiving.all_back),
        tap(a.ALL_AT, receiving.put_off_all),
        tap(a.ALL_NOT_NOW, receiving.all_not_now),
    )


def _taps_of_answering(answering: Answering, follow_ups: FollowUps) -> tuple[TapRoute, ...]:
    return (
        tap(a.FOLLOW_UP, follow_ups.want),
        tap(a.FOLLOW_UP_SEND, follow_ups.send),
        tap(a.FOLLOW_UP_UNDO, follow_ups.undo),
        tap(a.FOLLOW_UP_DROP, follow_ups.drop),
        tap(a.RESPOND, answering.answer),
        tap(a.STEM, answering.stem),
        tap(a.QUESTIONS, answering.questions),
        tap(a.REPLY_SEND, answering.send_reply),
        tap(a.REPLY_DROP, answering.drop_reply),
        tap(a.REPLY_AGAIN, answering.again),
        tap(a.UNDO, answering.undo),
        tap(a.SEND, answering.send_draft),
        tap(a.KEEP_QUESTION, answering.keep_question),
        tap(a.LEAVE_QUESTION, answering.leave_question),
    )


def _taps_of_ritual(rituals: Rituals) -> tuple[TapRoute, ...]:
    return (
        tap(a.RITUAL, partial(rituals.show, here=True)),
        tap(a.RITUAL_DAYS, rituals.days),
        tap(a.RITUAL_DAY, rituals.hours),
        tap(a.RITUAL_HOUR, rituals.propose),
        tap(a.RITUAL_YES, rituals.agree),
        tap(a.RITUAL_YES_SAME, partial(rituals.agree, same_question=True)),
        tap(a.RITUAL_NO, rituals.decline),
        tap(a.RITUAL_ASK_END, rituals.ask_end),
        tap(a.RITUAL_TAKE_BACK, rituals.take_back),
        tap(a.RITUAL_END, rituals.end),
        tap(a.RITUAL_OPEN, rituals.morning),
        tap(a.RITUAL_LINES, rituals.lines),
        tap(a.RITUAL_LINE, rituals.choose),
        tap(a.RITUAL_WRITE, rituals.write),
        tap(a.RITUAL_ANSWER, partial(rituals.write, detail=ANSWERS)),
        tap(a.RITUAL_NOTICED, partial(rituals.write, detail=NOTICED)),
        tap(a.RITUAL_QUESTION, rituals.set_question),
        tap(a.RITUAL_WISH, rituals.wish),
        tap(a.RITUAL_IN, rituals.put_in),
        tap(a.RITUAL_SURE, rituals.confirm),
        tap(a.RITUAL_OUT, rituals.take_out),
        tap(a.RITUAL_NOTHING, rituals.nothing),
    )
