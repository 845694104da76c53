"""Screens about taking in an export from another bot."""

from typing import Final

from bot.domain.results.arrivals import ArrivalOffered, ArrivalTaken, ArrivalUnderWay
from bot.tg.actions import LEAVE_ARRIVAL, TAKE_ARRIVAL
from bot.tg.screens.screen import Place, Screen, View, button, shown


def arrival_offered(view: View, result: ArrivalOffered) -> Screen:
    say = view.say
    # Translators: after somebody has agreed: whoever runs the bot has imported their export from another Ajar
    text = say(
        "Your export from another Ajar was brought here for you. If you take it in, your lines and settings go on "
        "here, as if they had always been. What you shared stays where it was. If you don't, I remove it."
    )
    if result.failed:
        # Translators: an export from another Ajar could not be taken in. The same buttons as before follow.
        text = say("Something went wrong on my side: nothing of your export was taken in. It is still here.")
    return Screen(
        text,
        (
            # Translators: button; takes the export in
            (button(say("Take it in"), TAKE_ARRIVAL()),),
            # Translators: button; removes the export, and begins without it
            (button(say("Remove it, and begin anew"), LEAVE_ARRIVAL()),),
        ),
        place=Place.BELOW,
    )


def arrival_under_way(view: View, _: ArrivalUnderWay) -> Screen:
    # Translators: somebody's export from another Ajar is being taken in
    return Screen(view.say("I'm taking your export in, which can take a minute. I'll say when it is all here."))


def arrival_taken(view: View, result: ArrivalTaken) -> Screen:
    # Translators: the export from another Ajar was taken in. %(when)s is like "tomorrow at 20:30".
    text = view.say("It is all here. The next question comes %(when)s.", when=view.when(result.first_at))
    return Screen(text)


SCREENS: Final = (
    shown(ArrivalOffered, arrival_offered),
    shown(ArrivalUnderWay, arrival_under_way),
    shown(ArrivalTaken, arrival_taken),
)
