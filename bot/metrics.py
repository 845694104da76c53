"""Every number that /metrics shows, declared once: name, kind, meaning. Counting here costs less than a microsecond.

Nothing here is about a person. Labels have the few values that are declared, none of which is an id, a name or a word.
In a bot with two users, a metric marked `activity` would show one of them what the other does, so it appears only from
`ENOUGH_PEOPLE` users on.

Values are plain numbers that change on the event loop only; `bot.web.metrics` turns them into Prometheus's format, so
that a bot that shows no metrics loads no library for them. Counters and histograms are of this process: sum them over
all processes. A metric marked `shared` is read from the database or the disk, and is the same in each process: take the
maximum.
"""

from bisect import bisect_left
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar, Final, Literal

from bot.clock import SystemClock

ENOUGH_PEOPLE: Final = 10
"""With fewer users, a sum over all of them would show what one of them does."""
MOST_COUNTED: Final = 10_000
"""We count no further in the database, so that a long queue costs hardly more to count than a short one."""


@dataclass(eq=False)
class Metric:
    """A number, or one for each value of a label."""

    kind: ClassVar[Literal["counter", "gauge", "histogram"]]

    name: str
    """The name by which Prometheus finds it."""
    help: str
    label: str = ""
    values: tuple[str, ...] = ("",)
    """All values that the label can have."""
    _: KW_ONLY
    activity: bool = False
    """Whether it shows how much people do."""

    def __post_init__(self) -> None:
        METRICS.append(self)


METRICS: Final[list[Metric]] = []
"""All of them, in the order in which they are shown."""


@dataclass(eq=False)
class Counter(Metric):
    """How often something has happened since this process started."""

    kind = "counter"
    counted: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.counted = dict.fromkeys(self.values, 0)

    def inc(self, value: str = "", by: int = 1) -> None:
        """Count. Raises KeyError for a value of the label that isn't declared."""
        self.counted[value] += by


@dataclass(eq=False)
class Gauge(Metric):
    """The current value of something. It isn't shown until it is set."""

    kind = "gauge"
    _: KW_ONLY
    shared: bool = False
    """Whether it is about the database and not about this process, so that every process shows the same."""
    now: dict[str, float] = field(init=False, default_factory=dict)

    def set(self, number: float, value: str = "") -> None:
        """Raises ValueError for a value of the label that isn't declared."""
        if value not in self.values:
            raise ValueError(f"{self.name} has no {value}")
        self.now[value] = number

    def set_to_now(self) -> None:
        """Set it to the time of the machine, in seconds since 1970."""
        self.set(SystemClock().now().timestamp())

    def unset(self) -> None:
        """Stop showing it, because it isn't known."""
        self.now.clear()


@dataclass(eq=False)
class Histogram(Metric):
    """How long something takes, in seconds."""

    kind = "histogram"
    _: KW_ONLY
    bounds: tuple[float, ...]
    """The upper bounds of the buckets, in order; there is one more without a bound."""
    counts: list[int] = field(init=False)
    sum: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds


# Updates

UPDATES_TAKEN: Final = Counter("ajar_updates_taken_total", "Updates that were written down.", activity=True)
UPDATES_HANDLED: Final = Counter("ajar_updates_handled_total", "Updates that had their effect.", activity=True)
UPDATES_FAILED: Final = Counter(
    "ajar_updates_failed_total", "Tries to handle an update that failed through a defect of Ajar."
)
UPDATES_GIVEN_UP: Final = Counter(
    "ajar_updates_given_up_total", "Updates that were given up after several tries; their users were told."
)
UPDATES_UNREADABLE: Final = Counter(
    "ajar_updates_unreadable_total", "Updates that could not be read or written down, and were passed over."
)
UPDATES_HELD: Final = Gauge(
    "ajar_updates_held", "Updates that wait, sealed, until their user's data key opens. More than 0 means damage."
)
INBOX_UNHANDLED: Final = Gauge(
    "ajar_inbox_unhandled", "Updates that are written down and not handled yet, counted up to 10,000.", shared=True
)
INBOX_OLDEST: Final = Gauge(
    "ajar_inbox_oldest_seconds", "Age of the oldest update that isn't handled yet; 0 if there is none.", shared=True
)
ANSWER_SECONDS: Final = Histogram(
    "ajar_answer_seconds",
    "From the arrival of an update until Telegram has taken its answer.",
    bounds=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    activity=True,
)

# Asks

ASKS_WAITING: Final = Gauge(
    "ajar_asks_waiting", "Users whose hour has come and whose Ask isn't planned yet, counted up to 10,000.", shared=True
)
ASKS_PLANNED: Final = Counter("ajar_asks_planned_total", "Asks planned, because their user's hour came.", activity=True)
ASKS_SENT: Final = Counter("ajar_asks_sent_total", "Asks that Telegram has taken.", activity=True)
ASKS_LATE: Final = Counter(
    "ajar_asks_late_total",
    "Asks sent more than five minutes late. A repeated try counts again.",
    activity=True,
)
ASKS_MISSED: Final = Counter(
    "ajar_asks_missed_total", "Local dates without an Ask because the bot or Telegram was away for too long."
)

# The outbox

NOTICES_SETTLED: Final = Counter(
    "ajar_notices_settled_total",
    "Notices that are done with, answers included: sent, assumed to have arrived, no longer needed, or for somebody "
    "whom the bot can't write to.",
    "outcome",
    ("sent", "assumed", "needless", "gone"),
    activity=True,
)
NOTICES_LOST: Final = Counter(
    "ajar_notices_lost_total",
    "Notices that were given up: refused by Telegram for good, or failed by a defect of Ajar on every try.",
    "outcome",
    ("refused", "failed"),
)
NOTICES_RETRIED: Final = Counter("ajar_notices_retried_total", "Tries to send a Notice that have to be repeated.")
OUTBOX_DUE: Final = Gauge(
    "ajar_outbox_due",
    "Notices that are due, by state, counted up to 10,000. Claimed ones are due if their lease ran out.",
    "state",
    ("waiting", "claimed", "sending", "held"),
    shared=True,
)
OUTBOX_OLDEST: Final = Gauge(
    "ajar_outbox_oldest_seconds", "How long the oldest Notice that is due has been waiting; 0 if none is.", shared=True
)
OUTBOX_SENDING: Final = Gauge("ajar_outbox_sending", "Notices that this process is sending at the moment.")

# Telegram

TELEGRAM_CALLS: Final = Counter("ajar_telegram_calls_total", "Calls of the Bot API, polling included.", activity=True)
TELEGRAM_CODES: Final = ("400", "401", "403", "404", "409", "413", "429", "500", "502", "503", "504", "other")
TELEGRAM_ERRORS: Final = Counter(
    "ajar_telegram_errors_total", "Calls that Telegram refused, by the code of its answer.", "code", TELEGRAM_CODES
)
TELEGRAM_UNREACHABLE: Final = Counter(
    "ajar_telegram_unreachable_total", "Calls without an answer, or with one that can't be understood."
)
LAST_FETCH: Final = Gauge(
    "ajar_last_fetch_timestamp_seconds",
    "When Telegram last answered a poll, or confirmed that it delivers to the webhook.",
)
HELD_CHATS: Final = Gauge("ajar_held_chats", "Chats that Telegram has told this process to leave alone for a while.")
ALL_HELD: Final = Gauge("ajar_all_chats_held", "1 while this process writes to nobody, as Telegram limits all chats.")
WEBHOOK_PENDING: Final = Gauge(
    "ajar_webhook_pending_updates", "Updates that Telegram still has to deliver to the webhook, as of its last check."
)
WEBHOOK_LAST_ERROR: Final = Gauge(
    "ajar_webhook_last_error_timestamp_seconds", "When Telegram last failed to deliver to the webhook; 0 if never."
)

# The database

TRANSACTIONS: Final = Counter(
    "ajar_transactions_total", "Transactions that were begun.", "kind", ("write", "read"), activity=True
)
COMMIT_SECONDS: Final = Histogram(
    "ajar_commit_seconds",
    "How long a commit took. On SQLite several transactions can share one.",
    bounds=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
    activity=True,
)
POOL_IN_USE: Final = Gauge("ajar_pool_in_use", "Connections to the database that are in use.")
POOL_SIZE: Final = Gauge("ajar_pool_size", "Connections to the database that this process can have.")

# The machine, and what is done now and then

INCIDENTS: Final = Counter("ajar_incidents_total", "Incidents; the log has a line with a code for each.")
CANNOT_OPEN: Final = Counter(
    "ajar_cannot_open_total", "Sealed values or data keys that did not open: a wrong key, or damage."
)
PROBLEMS: Final = Gauge(
    "ajar_problem",
    "1 if /health/ready reports a problem with this, else 0.",
    "about",
    ("start", "database", "disk", "outbox", "telegram", "webhook"),
)
DISK_FREE: Final = Gauge("ajar_disk_free_bytes", "Bytes that are free on the data folder's disk; only with SQLite.")
DISK_SIZE: Final = Gauge("ajar_disk_size_bytes", "The size of the data folder's disk; only with SQLite.")
LAST_PLANNING: Final = Gauge(
    "ajar_last_planning_timestamp_seconds", "When this process last finished looking for what is due."
)
LAST_TIDYING: Final = Gauge(
    "ajar_last_tidying_timestamp_seconds", "When the hourly tidying was last completed.", shared=True
)
LAST_BACKUP: Final = Gauge(
    "ajar_last_backup_timestamp_seconds",
    "When the newest backup in AJAR_BACKUPS_DIR was made, or Litestream noted a change; 0 if never. Only with SQLite.",
)
LAST_REHEARSAL: Final = Gauge(
    "ajar_last_rehearsal_timestamp_seconds", "When a restore was last rehearsed successfully; only with SQLite."
)
PROCESSES: Final = Gauge(
    "ajar_processes",
    "Processes that share the database, by role; only with PostgreSQL.",
    "role",
    ("web", "worker", "all"),
    shared=True,
)
OTHER_VERSIONS: Final = Gauge(
    "ajar_processes_of_another_version",
    "Processes that run another version of Ajar than this one; only with PostgreSQL.",
)
SCHEMA_VERSION: Final = Gauge(
    "ajar_schema_version", "The version of the database that this process works with, to find an old one still running."
)

OF_PROCESS: Final = (
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
)
"""What prometheus-client adds about the process itself."""


def names() -> frozenset[str]:
    """Return every name that a query of Prometheus can use."""
    parts = {"histogram": ("_bucket", "_count", "_sum")}
    ours = (metric.name + part for metric in METRICS for part in parts.get(metric.kind, ("",)))
    return frozenset((*ours, *OF_PROCESS))
