"""The composition root: builds everything with plain constructors. Only this file says which object uses which."""

import asyncio
import contextlib
import errno
import gc
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import structlog
from platformdirs import user_cache_path

from bot import i18n, library, metrics, systemd
from bot.clock import Clock
from bot.config import Config, Listen, WrongSettings
from bot.crypto import KeyRing, OtherKey, WrongKey
from bot.delivery.alarms import BEAT, Alarms
from bot.delivery.outbox import Outbox
from bot.delivery.pacer import Pacer
from bot.fence import Fence
from bot.health import STARTING, Health
from bot.library import Library
from bot.library.phrases import Phrases
from bot.logs import Safe, ThrottledLog, hide, incident, install_hooks, safe_error
from bot.opening import check_keys, find_keys, key_path, make_clock, note_journal, open_keys, open_store
from bot.places import Places
from bot.presence import Duty, Presence, Role, TakenForDead, check_role
from bot.rehearsing import Rehearsals
from bot.services.arrivals import TakingIn
from bot.services.housekeeping import Housekeeping
from bot.services.journal import JournalSearch
from bot.services.profile import Profile
from bot.services.use_cases import OF_LINES, make_use_cases, notice_handlers_of
from bot.stopping import stop_signals
from bot.storage.database_lock import DatabaseLock, shared_lock
from bot.storage.listening import Listener
from bot.storage.migrate import HEAD, known_version, migrate
from bot.storage.moved import refuse_moved_file
from bot.storage.restoring import begin
from bot.storage.store import Store, earliest_due, is_passing, zones_of_users
from bot.storage.troubles import trouble_of
from bot.tg.answers import Answers, Searches
from bot.tg.check import check
from bot.tg.client import Client
from bot.tg.courier import TelegramCourier
from bot.tg.dispatch import Dispatch
from bot.tg.exporter import Exporter
from bot.tg.groups import Groups
from bot.tg.handlers.lines import LinesHandlers
from bot.tg.handlers.receiving import ReceivingHandlers
from bot.tg.handlers.start import StartHandlers
from bot.tg.inbox import Gate, Inbox
from bot.tg.network import Network
from bot.tg.operator_chat import Folders, OperatorChat
from bot.tg.place_search import PlaceSearch
from bot.tg.polling import LIMIT, Polling
from bot.tg.registration import Introduction, api_base, register
from bot.tg.rendering import Renderer
from bot.tg.routes import Routes
from bot.tg.screens import Operator
from bot.tg.sender import Sender
from bot.tg.table import make_routes
from bot.tg.turn import UpdateProcessor
from bot.tg.webhook_watch import WebhookWatch
from bot.watchdog import Heart, Watchdog, Work

if TYPE_CHECKING:  # the web part is imported only when it is used: most bots have none
    from bot.web.server import Observed, Webhook

_GRACE: Final = 7.0
"""Seconds that work in flight gets when we stop, out of the ten that a stop may take."""
_LEAVING: Final = 2.0
"""Seconds that releasing our claims may take."""
_BREATH: Final = 1.0
"""Seconds between tries while the database is unavailable at the start."""
_TIE_AGAIN: Final = 60.0
"""Seconds until we continue tying after the database was unavailable."""
_TIE_AFTER_AN_INCIDENT: Final = 3600.0
"""The same after an unexpected error, which concerns some users and won't have gone by then, if it goes at all."""
_LOOK_AT_KEY: Final = 1.0
"""Seconds between checks of the master key's file."""
_DEMO_BEAT: Final = timedelta(seconds=0.25)
"""A clock that is moved by hand is checked more often, so that a click shows its effect at once."""
_THREAD_RUNS: Final = 0.001
"""Seconds that a thread may run before the event loop gets its turn again; Python's default is five times as long."""
_NEW_OBJECTS: Final = 10_000
"""How many new objects cause a garbage collection. With Python's 700 they take 4 % of the CPU time of an answer."""
_WEBHOOK_LISTEN: Final = Listen("127.0.0.1", 8080)

T = TypeVar("T")

log = structlog.stdlib.get_logger(__name__)


def open_network(config: Config, fence: Fence | None = None) -> Network:
    """Return the connection to Telegram, not yet open."""
    return Network(config.proxy.get_secret_value() if config.proxy else None, fence)


@dataclass(slots=True)
class Bot:
    """Everything that runs, built but not started."""

    config: Config
    network: Network
    client: Client
    sender: Sender
    pacer: Pacer
    store: Store
    inbox: Inbox
    outbox: Outbox
    alarms: Alarms
    presence: Presence
    routes: Routes
    places: Places
    phrases: Phrases
    operator_chat: OperatorChat | None

    def show_gauges(self) -> None:
        """Set the metrics about what this process has in memory."""
        metrics.UPDATES_HELD.set(self.inbox.held)
        metrics.OUTBOX_SENDING.set(self.outbox.sending)
        metrics.HELD_CHATS.set(self.pacer.held)
        metrics.ALL_HELD.set(self.pacer.is_blocked)


def build(
    config: Config,
    store: Store,
    network: Network | None = None,
    *,
    clock: Clock | None = None,
    pacer: Pacer | None = None,
    content: Library | None = None,
    presence: Presence | None = None,
    health: Health | None = None,
    on_jump: Callable[[], None] | None = None,
) -> Bot:
    """Build the bot. Raises WrongSettings, and Incomplete if something has no route, handler or screen.

    `presence` must have joined the other processes before anything is sent. /ops reports on `health`. `on_jump` is
    called when the clock has jumped.
    """
    if config.bot_token is None:
        raise WrongSettings(["AJAR_BOT_TOKEN is missing"])
    clock = clock or make_clock(config)
    content = content or library.load(library.content_folder(), config.support_file)
    network = network or open_network(config)
    presence = presence or Presence(store, clock, None if config.sqlite_file else Fence(until=0))
    owner = presence.owner
    client = Client(config.bot_token.get_secret_value(), config.api_url, network)
    pacer = pacer or Pacer(rate=config.rate, tell=presence.hold, alone=presence.alone)
    presence.on_seen, presence.pass_on = pacer.hear, pacer.pass_on
    sender = Sender(client, pacer)
    places = Places(_places_folder(config))
    profile = Profile()
    use = make_use_cases(content)
    operator = Operator(config.operator_name, config.operator_contact)
    renderer = Renderer(store, content, use, lambda: client.username, operator)
    searches = Searches(PlaceSearch(places, clock), JournalSearch(store, use.journal), use.phrases)
    answers = Answers(store, clock, renderer, sender, pacer, searches)
    exporter = Exporter(store, clock, sender, pacer, content)
    taking_in = TakingIn(store, clock)
    courier = TelegramCourier(
        store, clock, renderer, sender, pacer, answers, notice_handlers_of(use), exporter, taking_in
    )
    bell = asyncio.Event()
    beat = _DEMO_BEAT if config.clock_file else BEAT
    clock_jumped = asyncio.Event()

    def jumped() -> None:
        clock_jumped.set()
        if on_jump:
            on_jump()

    house = Housekeeping(store, clock)

    async def tidy() -> None:
        if presence.leads(Duty.KEEPING):
            await house.tidy()

    alarms = Alarms(clock, bell.set, tidy, beat=beat, on_jump=jumped)
    outbox = Outbox(
        store, clock, courier, pacer, use.asks, profile,
        owner=owner, alone=presence.alone, fence=presence.fence,
        bell=bell, clock_jumped=clock_jumped, next_due=alarms.wake_by,
    )  # fmt: skip
    processor = UpdateProcessor(store, clock, renderer, answers, outbox, profile, use.pace, owner=owner)
    start = StartHandlers(use)
    routes = make_routes(use, start)
    check(routes, courier.served, {*use.typed, *OF_LINES}, use.deciding.ask_again)
    lines, receiving = LinesHandlers(use.lines, use.journal, use.pairing, start), ReceivingHandlers(use.answering)
    operator_chat = None
    if config.operator_chat:
        folders = Folders(config.sqlite_file.parent, config.backups) if config.sqlite_file else None
        operator_chat = OperatorChat(config.operator_chat, store, clock, sender, pacer, health or Health(), folders)
    dispatch = Dispatch(routes, lines, receiving, use.zones, lambda: client.username, operator_chat)
    inbox = Inbox(
        store, clock, dispatch, processor, outbox, Groups(sender),
        owner=owner, alone=presence.alone, fence=presence.fence, handles=presence.role.works,
    )  # fmt: skip
    return Bot(
        config,
        network,
        client,
        sender,
        pacer,
        store,
        inbox,
        outbox,
        alarms,
        presence,
        routes,
        places,
        use.phrases,
        operator_chat,
    )


async def run(config: Config, *, take_over: bool = False, role: Role = Role.ALL) -> None:
    """Run until SIGTERM or SIGINT. Raises WrongSettings, WrongKey, and any error after which the bot can't go on."""
    check_role(role, config)
    install_hooks(asyncio.get_running_loop())
    with stop_signals() as stop:
        while not stop.is_set():
            async with AsyncExitStack() as stack:
                with contextlib.suppress(_Stopped):
                    try:
                        await _run(config, stack, stop, role, take_over=take_over)
                    except TakenForDead:
                        log.warning("process.starts_over", reason=Safe("others have taken over what it was doing"))
                        continue
                break
        log.info("stopped")


async def _run(config: Config, stack: AsyncExitStack, stop: asyncio.Event, role: Role, *, take_over: bool) -> None:
    health, gate = Health(), Gate()
    _task(stack, Heart(health).run(), "heart")
    webhook = _webhook(config, gate) if role.receives else None
    listening = config.sqlite_file is None
    if role is Role.WORKER and config.webhook_url and config.listen == _WEBHOOK_LISTEN:
        config = config.model_copy(update={"listen": None})  # the default for a webhook, and this process has none
    observed = await _listen(config, webhook, health, stack) if listening else None
    lock = await _take_lock(config, stack, stop, health)
    if not listening:  # on SQLite we listen only now, so that a second bot complains about the first, not its address
        observed = await _listen(config, webhook, health, stack)
    await _run_locked(config, stack, stop, role, lock, health, gate, webhook, observed, take_over=take_over)


async def _take_lock(config: Config, stack: AsyncExitStack, stop: asyncio.Event, health: Health) -> DatabaseLock:
    """Raises WrongSettings, InUse, _Stopped."""
    try:
        if config.sqlite_file:
            config.sqlite_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        holding = stack.enter_async_context
        lock = await _once_it_answers(config, stop, health, lambda: holding(shared_lock(config.database_url)))
        if config.sqlite_file:
            await asyncio.to_thread(begin, config.sqlite_file.resolve())
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        name = "AJAR_DATABASE_URL" if config.database else "AJAR_DATA_DIR"
        reason = os.strerror(error.errno or 0)
        raise WrongSettings([f"{name} names a folder in which this user can't write ({reason})"]) from None
    return lock


class _Stopped(Exception):
    """A stop came before the bot was ready."""


async def _once_it_answers(config: Config, stop: asyncio.Event, health: Health, work: Callable[[], Awaitable[T]]) -> T:
    """Return the result of `work` as soon as the database is available. The reason for waiting is logged once a minute.

    Raises WrongSettings if waiting wouldn't help, and _Stopped.
    """
    throttled = ThrottledLog(log)
    while True:
        try:
            done = await _unless(stop, work())
        except Exception as error:
            trouble = trouble_of(error, config.sqlite_file)
            if trouble is None:
                raise
            if not trouble.passes:
                raise WrongSettings([trouble.sentence]) from None
        else:
            health.resolve("database")
            return done
        health.report("database", trouble.sentence)
        throttled.warning("database.waits", reason=Safe(trouble.sentence))
        await _unless(stop, asyncio.sleep(_BREATH))


async def _unless(stop: asyncio.Event, work: Awaitable[T]) -> T:
    """Return the result of `work`. If a stop comes first, cancel the work and raise _Stopped."""
    working, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise _Stopped
        return working.result()
    finally:
        await _cancel(stopping)
        await _cancel(working)


async def _run_locked(
    config: Config,
    stack: AsyncExitStack,
    stop: asyncio.Event,
    role: Role,
    lock: DatabaseLock,
    health: Health,
    gate: Gate,
    webhook: "Webhook | None",
    observed: "Observed | None",
    *,
    take_over: bool,
) -> None:
    fence = None if config.sqlite_file else Fence(until=0)
    if config.sqlite_file:
        await asyncio.to_thread(refuse_moved_file, config.sqlite_file)
    network = open_network(config, fence)
    await network.initialize()
    stack.push_async_callback(network.shutdown)
    fetches = role.receives and not config.webhook_url
    polling = Polling(network, api_base(config), gate, health) if fetches else None
    # Polling starts before the database is ready: updates wait at the gate meanwhile. Of several processes only one may
    # poll, and the database decides which.
    at_once = polling and fence is None
    receiving = _task(stack, polling.run() if polling and at_once else asyncio.Event().wait(), "receiving")
    ring = await _once_it_answers(config, stop, health, lambda: _keys(config))
    health.report(
        "start", f"the bot is still starting, and brings the database to version {HEAD} if it is of another one"
    )
    before = await _once_it_answers(config, stop, health, lambda: migrate(config.database_url))
    health.report("start", STARTING)
    if before is not None:
        log.info("database.migrated")
    store = await stack.enter_async_context(open_store(config, ring))
    await _once_it_answers(config, stop, health, lambda: _settle(config, store, ring, lock))
    _task(stack, _follow_key_file(config, store, ring), "key file")
    presence = Presence(store, make_clock(config), fence, role)
    _task(stack, _tie_all(store, presence), "tying")
    if config.sqlite_file and not config.clock_file:  # a clock moved by hand would rehearse all the time
        _task(stack, Rehearsals(store, make_clock(config), config.backups).run(), "rehearsals")
    on_jump = polling.wake if polling else None
    bot = build(config, store, network, presence=presence, health=health, on_jump=on_jump)
    if before and bot.operator_chat:
        bot.operator_chat.tell_upgraded(before)
    stack.push_async_callback(bot.places.close)
    if observed:
        observed.watch(store, bot.show_gauges, config)
    await _serve(bot, stack, stop, gate, polling, receiving, webhook, health, take_over=take_over)


async def _settle(config: Config, store: Store, ring: KeyRing, lock: DatabaseLock) -> None:
    """Record the current master key, and release the Notices that an earlier process left claimed. Raises Moved, Taken.

    Of several processes the first one also ends again what a restored database lacks, before any of them serves.
    """
    async with store.reading() as rows:
        await rows.refuse_moved()
    async with lock.before_serving() as first:
        async with store.writing() as rows:
            await rows.master_keys.record(alone=first)
        await note_journal(config, ring, first=first)
    if config.sqlite_file:
        async with store.writing() as rows:
            await rows.notices.release(make_clock(config).now())


async def _tie_all(store: Store, presence: Presence) -> None:
    """Tie and seal, in the background, the rows that an earlier version of Ajar left untied or unsealed."""
    await presence.until_leading(Duty.KEEPING)
    await asyncio.gather(_once_for_all("rows.tied", store.tie_all), _once_for_all("rows.minimised", store.minimise_all))


async def _once_for_all(event: str, work: Callable[[], Awaitable[int]]) -> None:
    """Do some work on all users' rows, again until it succeeds. The bot works in any case."""
    while True:
        try:
            if users := await work():
                log.info(event, users=users)
        except Exception as error:  # noqa: BLE001  # whatever it is, there may be rows left
            if is_passing(error):
                wait = _TIE_AGAIN
            else:
                incident(log, error)
                wait = _TIE_AFTER_AN_INCIDENT
        else:
            return
        await asyncio.sleep(wait)


async def _follow_key_file(config: Config, store: Store, ring: KeyRing) -> None:
    """Adopt each new version of the master key that `ajar keys rotate` writes into its file."""
    if (path := key_path(config)) is None:
        return
    seen: object = None
    failing = False
    throttled = ThrottledLog(log)
    while True:
        try:
            if (found := await asyncio.to_thread(_state_of, path)) != seen:
                await _adopt_keys(config, store, ring)
                seen = found
            failing = False
        except WrongKey as wrong:  # the previous ring continues to work
            seen = found
            log.error("key.not_adopted", reason=Safe(str(wrong)))
        except Exception as error:  # noqa: BLE001  # the database may be unavailable for a while; then we try again
            throttled.error("key.waits", error=safe_error(error))
            if not (failing or is_passing(error)):
                failing = True
                incident(log, error)
        await asyncio.sleep(_LOOK_AT_KEY)


def _state_of(path: Path) -> tuple[int, int] | None:
    """Return what changes whenever the file is replaced, or None if it isn't there."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_ino, about.st_mtime_ns


async def _adopt_keys(config: Config, store: Store, ring: KeyRing) -> None:
    """Wrap with the newest version in the key's file from now on, and record that. Raises WrongKey."""
    found = await asyncio.to_thread(partial(find_keys, config, used=True, may_make=False))
    if is_new := found.ring.current != ring.current:
        hide([found.ring.text])
        ring.adopt(found.ring)
    async with store.writing() as rows:  # also if it is known: recording it may have failed
        await rows.master_keys.record(alone=False)
    if is_new:
        log.info("key.adopted", version=ring.current)


async def _keys(config: Config) -> KeyRing:
    """Return the key ring, after checking that it sealed the database, before anything is written there.

    If the key's file was replaced since it was read, as by `ajar keys rotate` beside other bots, the new one counts.
    Raises WrongKey, NewerSchema, NotOurs.
    """
    await known_version(config.database_url)
    found = await open_keys(config)
    hide([found.ring.text])
    if found.made:
        note = Safe("Back this file up. Without it nobody can open the lines.")
        log.warning("key.made", file=found.file, note=note)
    try:
        async with open_store(config, found.ring) as store:
            await check_keys(store, found)
    except OtherKey:
        if (await open_keys(config, may_make=False)).ring.text == found.ring.text:
            raise
        return await _keys(config)
    return found.ring


async def _serve(
    bot: Bot,
    stack: AsyncExitStack,
    stop: asyncio.Event,
    gate: Gate,
    polling: Polling | None,
    receiving: asyncio.Task[Any],
    webhook: "Webhook | None",
    health: Health,
    *,
    take_over: bool,
) -> None:
    """Take updates and send due Notices until `stop` is set; then finish the work in flight. Raises TakenForDead."""
    stopping = _task(stack, stop.wait(), "stop")
    presence, url = bot.presence, bot.config.webhook_url
    i18n.warm()
    _task(stack, asyncio.to_thread(bot.phrases.prepare), "phrases")
    _settle_in()
    await _once_it_answers(bot.config, stop, health, presence.join)
    beating = _task(stack, presence.keep(), "presence")
    if not presence.alone:
        _task(stack, Listener(bot.config.database_url, partial(_hear, bot)).run(), "listening")
    introduction = Introduction(bot.client, bot.network, bot.config, health, max_connections=LIMIT)
    knowing = _task(stack, _introduce(introduction, presence, take_over=take_over), "introduction")
    await asyncio.wait({knowing, stopping, receiving, beating}, return_when=asyncio.FIRST_COMPLETED)
    sending: asyncio.Task[Any] | None = None
    if knowing.done():
        made_way = knowing.result()
        await _once_it_answers(bot.config, stop, health, bot.inbox.adopt)
        gate.open(bot.inbox)
        _task(stack, bot.inbox.watch(), "inbox")
        health.resolve("start")
        if polling and presence.alone:
            polling.wake()  # a webhook may have kept it from fetching updates
        watch = WebhookWatch(bot.network, api_base(bot.config), url, health, introduction.set_webhook) if url else None
        leading = _task(
            stack, _receive_for_all(presence, introduction, polling, watch, made_way, take_over=take_over), "leading"
        )
        mode = "webhook" if url else "polling" if polling else "none"
        log.info("ready", bot=bot.client.username, mode=mode, role=presence.role.value)
        sending = await _work(bot, stack, polling, {stopping, receiving, beating, leading})
        if leading.done():
            leading.result()
        await _cancel(leading)
    if receiving.done():
        receiving.result()
    await _cancel(receiving)
    lost = beating.done()
    await _finish(bot, polling or webhook, sending, may_finish=gate.is_open and not lost)
    await _cancel(beating)
    await _leave(presence)
    if lost:
        beating.result()


async def _work(
    bot: Bot, stack: AsyncExitStack, polling: Polling | None, ends: set[asyncio.Task[Any]]
) -> asyncio.Task[Any] | None:
    """Plan and send, if that is our role, until one of these tasks ends. Returns the task that sends."""
    sending = registering = None
    if bot.presence.role.works:
        sending = _task(stack, bot.outbox.run(), "outbox")
        registering = _task(stack, _register(bot), "registration")
        if bot.operator_chat:
            _task(stack, bot.operator_chat.run(), "operator's chat")
        bot.alarms.start()
        bot.outbox.ring()
    watching = _task(stack, Watchdog(_works(bot, polling), bot.store.is_well).run(), "watchdog")
    systemd.notify("READY=1")
    await asyncio.wait({*ends, watching, *([sending] if sending else [])}, return_when=asyncio.FIRST_COMPLETED)
    systemd.notify("STOPPING=1")
    if registering:
        bot.alarms.stop()
        bot.outbox.stop_claiming()
    if watching.done():
        watching.result()
    await _cancel(watching)
    if registering:
        await _cancel(registering)
    return sending


async def _introduce(introduction: Introduction, presence: Presence, *, take_over: bool) -> bool:
    """Ask Telegram who the bot is. If receiving is our duty, direct updates to this process and return True."""
    await introduction.learn()
    if presence.leads(Duty.RECEIVING):
        await introduction.make_way(take_over=take_over)
        return True
    return False


async def _receive_for_all(
    presence: Presence,
    introduction: Introduction,
    polling: Polling | None,
    watch: WebhookWatch | None,
    made_way: bool,
    *,
    take_over: bool,
) -> None:
    """Once it is our duty, fetch updates for all processes, or watch their common webhook. Raises WrongSettings."""
    await presence.until_leading(Duty.RECEIVING)
    if not made_way:
        await introduction.make_way(take_over=take_over)
    if watch:
        await watch.run()
    elif polling and not presence.alone:
        await polling.run()
    await asyncio.Event().wait()


def _hear(bot: Bot, said: str) -> None:
    bot.inbox.hear(said)
    bot.presence.hear(said)


def _works(bot: Bot, polling: Polling | None) -> list[Work]:
    """Return the work that the watchdog watches over."""
    works = []
    if bot.presence.role.works:
        works += [
            Work("Updates are no longer handled", bot.inbox.handled),
            Work("Due messages are no longer looked for", bot.outbox.looked),
            Work("Due messages are no longer sent", bot.outbox.tried),
        ]

    async def fetched() -> int | None:
        return await polling.fetched() if polling and bot.presence.leads(Duty.RECEIVING) else None

    return [*works, Work("Updates are no longer fetched", fetched)] if polling else works


def _settle_in() -> None:
    """Exclude everything loaded so far from later garbage collections: one took 80 ms and delayed everybody.

    Also collect less often, as nearly all objects of an answer are freed without it. And let a thread, such as one that
    makes an export, run for a shorter time before the event loop gets its turn.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    sys.setswitchinterval(_THREAD_RUNS)


def _task(stack: AsyncExitStack, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
    """Start a task that is cancelled when the stack is closed."""
    task = asyncio.create_task(work, name=name)
    stack.push_async_callback(_cancel, task)
    return task


def _webhook(config: Config, gate: Gate) -> "Webhook | None":
    if config.webhook_url is None or config.webhook_secret is None:
        return None
    from bot.web.server import Webhook

    path, secret = urlsplit(config.webhook_url).path or "/", config.webhook_secret.get_secret_value()
    return Webhook(path, secret, gate)


async def _listen(
    config: Config, webhook: "Webhook | None", health: Health, stack: AsyncExitStack
) -> "Observed | None":
    """Start the web part, if it is configured, so that health checks are answered from the beginning."""
    listen = config.listen or (_WEBHOOK_LISTEN if webhook else None)
    if listen is None:
        return None
    from aiohttp import web

    from bot.web.server import Observed, make_server

    observed = Observed.of(health, make_clock(config))
    server = make_server(observed, webhook)
    await server.setup()
    stack.push_async_callback(server.cleanup)
    try:
        await web.TCPSite(server, listen.host, listen.port).start()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WrongSettings([f"AJAR_LISTEN: this address can't be used ({reason})"]) from None
    return observed


async def _register(bot: Bot) -> None:
    await bot.presence.until_leading(Duty.KEEPING)
    try:
        await register(bot.sender, bot.client.id, bot.store, make_clock(bot.config).now())
    except Exception as error:  # noqa: BLE001  # a failed registration doesn't stop the bot; the next start tries again
        incident(log, error)


async def _finish(
    bot: Bot, receiver: "Polling | Webhook | None", sending: asyncio.Task[Any] | None, *, may_finish: bool
) -> None:
    """Handle the updates that were taken and send their answers, for up to _GRACE; the next process does the rest.

    If others have taken over, nothing may be finished.
    """
    if may_finish:
        ending = asyncio.create_task(_end(bot, receiver, sending), name="end")
        _, late = await asyncio.wait({ending}, timeout=_GRACE)
        if late:
            log.warning("stop.unfinished")
            await _cancel(ending)
    if sending:
        await _cancel(sending)
    if receiver:
        await receiver.abandon()
    await bot.inbox.abandon()


async def _end(bot: Bot, receiver: "Polling | Webhook | None", sending: asyncio.Task[Any] | None) -> None:
    if receiver and (bot.presence.alone or not isinstance(receiver, Polling) or bot.presence.leads(Duty.RECEIVING)):
        await receiver.finish()
    await bot.inbox.finish()
    bot.outbox.stop()
    if sending:
        await asyncio.wait({sending})


async def _leave(presence: Presence) -> None:
    """Release what we still claim. If that fails, the other processes notice that we are gone."""
    try:
        async with asyncio.timeout(_LEAVING):
            await presence.leave()
    except Exception as error:  # noqa: BLE001  # we end in any case
        log.warning("process.leave_failed", error=safe_error(error))


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})


def _places_folder(config: Config) -> Path:
    """Return the folder of the index of places: in the user's cache, for all data folders, or else the data folder."""
    try:
        folder = user_cache_path("ajar").expanduser()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # the folder can't be made, or this user has no home
        return config.data_dir
    return folder if folder.is_absolute() and os.access(folder, os.W_OK) else config.data_dir


async def demo(folder: Path, *, port: int, fresh: bool, open_browser: bool, say: Callable[[str], None]) -> int:
    """Run the bot in its own process against the embedded stand-in for Telegram. Return the exit code."""
    from bot.demo.runner import run_demo

    file = folder / "bot" / "ajar.db"
    nobody: dict[int, str] = {}

    async def ask(question: Callable[[str], Awaitable[T]], otherwise: T) -> T:
        """Query the bot's database if it exists; otherwise a query would create an empty one."""
        try:
            return await question(f"sqlite+aiosqlite:///{file}") if file.exists() else otherwise
        except Exception as error:
            if is_passing(error):
                return otherwise
            raise

    return await run_demo(
        folder,
        port=port,
        fresh=fresh,
        open_browser=open_browser,
        next_due=partial(ask, earliest_due, None),
        zones=partial(ask, zones_of_users, nobody),
        say=say,
    )
