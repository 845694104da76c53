"""The outcomes of use cases, one class per result.

Results carry kinds, ids and times, never a user's words or how many there are, since we store a result until we know
that the answer was sent. bot.tg.screens turns a result into the text and buttons that a person sees.

Those that many modules use are gathered here; the others are imported from their own module.
"""

from bot.domain.results import (  # so that `kinds` knows theirs as well
    answering,
    arrivals,
    expectations,
    follow_ups,
    journal,
    noticing,
    operating,
    recap,
    receiving,
    responses,
    ritual,
    sharing,
    shelf,
    traces,
)
from bot.domain.results.always import (
    ArgumentUnclear,
    Cancelled,
    CommandStands,
    Help,
    NothingHere,
    Outdated,
    Silence,
    Sorry,
    StopWanted,
    Support,
    UnknownCommand,
)
from bot.domain.results.asks import (
    Asked,
    AskPassed,
    CalledBack,
    LaterWanted,
    NoOther,
    NothingOpen,
    Skipped,
    Snoozed,
    StaysOpen,
    TodayAnswered,
)
from bot.domain.results.base import AnswerLost, Preface, Result, kinds, unpack
from bot.domain.results.lines import (
    Changed,
    ChangeWanted,
    Deleted,
    DeleteWanted,
    Dropped,
    EmptyText,
    ForwardedText,
    Kept,
    LineDiffers,
    LineGone,
    NothingKept,
    SetAside,
    ShorterWanted,
    TextOnly,
)
from bot.domain.results.pace import DailyAgain, DeeperTaken, HourMoved, OfferDeeper, OfferHour, OfferLeft
from bot.domain.results.pairing import (
    AlreadyPaired,
    CodeOrLine,
    CodeWanted,
    GuestAnswered,
    GuestRefused,
    Invitation,
    InvitationAccepted,
    InvitationDeclined,
    InvitationLeft,
    InviteOpen,
    InviteSending,
    InviteTakenBack,
    NameOrLine,
    NoSuchInvite,
    NothingCame,
    NotPaired,
    Paired,
    PairNameWanted,
    ReplyOrLine,
    SharingEnded,
    TooManyTries,
    UnpairLeft,
    UnpairWanted,
)
from bot.domain.results.pause import Paused, PauseDayWanted, PauseWanted, PauseWhichDay, Resumed
from bot.domain.results.privacy import Erased, EraseLeft, EraseWanted, PrivacyShown
from bot.domain.results.settings import (
    CeilingSetting,
    DaysSetting,
    HourSetting,
    LanguageSetting,
    LastDay,
    LastTheme,
    NameSetting,
    QuietSetting,
    SettingsClosed,
    SettingsShown,
    SwitchSetting,
    ThemesSetting,
)
from bot.domain.results.start import (
    Came,
    ConsentWanted,
    Declined,
    FirstAskPlanned,
    HourOrLine,
    HourWanted,
    Invited,
    Ready,
)
from bot.domain.results.zones import (
    CityWanted,
    ClockWanted,
    ElsewhereWanted,
    PlaceSought,
    PlaceWanted,
    RegionWanted,
    RegionZones,
    Unclear,
    ZoneChanged,
)
