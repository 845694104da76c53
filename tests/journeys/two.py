"""Two people who have paired, and what they do together."""

from typing import Any

from tests.journeys.house import House
from tests.standin import Person, Seen


async def paired(
    house: House, first: str = "Alice", second: str = "Bob", **start: dict[str, Any]
) -> tuple[Person, Person]:
    """Return two people who have done the start and said yes to each other; `alice={"city": ...}` is how one began."""
    alice = await house.settled(first, **start.get("alice", {}))
    bob = await house.settled(second, **start.get("bob", {}))
    await pair(alice, bob)
    return alice, bob


async def pair(alice: Person, bob: Person) -> None:
    """Pair two people who have done the start."""
    await alice.says("/pair")
    await alice.taps("Yes")
    invite = await alice.hears("Pass this link on")
    link = next(
        key["copy_text"]["text"] for row in invite.markup["inline_keyboard"] for key in row if "copy_text" in key
    )
    await bob.follows(link)
    await bob.hears("would like to show you a line")
    alice._acts()
    await bob.taps("Yes")
    await bob.hears("is asked in turn")
    await alice.hears("has said yes")
    bob._acts()
    await alice.taps("Yes, us two")
    await alice.hears("can share lines now")
    await bob.hears("can share lines now")


async def tells(alice: Person, words: str) -> Seen:
    """Answer today's question; return what the bot says to it."""
    await alice.says("/today")
    await alice.waits_for(lambda seen: "Not today" in seen.labels, what="a question")
    await alice.says(words)
    return await alice.hears("Kept, and")


async def shares(alice: Person, words: str, wish: str = "Just listen", when: str = "In 15 minutes") -> Seen:
    """Keep a Line and set it to be shared; return the message that says so."""
    await tells(alice, words)
    await alice.taps("Share…")
    await alice.hears("would see these words")
    await alice.taps(wish)
    await alice.hears("First only this")
    await alice.taps(next(label for label in alice.last.labels if label.startswith(when)))
    return await alice.hears("Set for")


async def opens(bob: Person, house: House, cue: str = "just listen") -> Seen:
    """Let the quarter of an hour pass, and open the announced line; return the message that shows the words."""
    bob._acts()
    house.telegram.advance(minutes=15)
    await bob.hears("left you a line")
    await bob.taps("Open")
    return await bob.hears(cue)


async def answers(bob: Person, house: House, label: str) -> None:
    """Choose one of the ready answers, say yes to its preview, and let it go out."""
    await bob.taps(label)
    await bob.hears("would see this:")
    await sends(bob, house)


async def sends(bob: Person, house: House) -> None:
    """Say yes to the preview, and let it go out."""
    await bob.taps("Send it")
    await bob.hears("On its way.")
    house.telegram.advance(seconds=31)


def transcript(person: Person) -> str:
    """Return the chat as it reads now, for debugging."""
    lines = []
    for seen in person.sees:
        lines.append(f"--- {'bot' if seen.by_bot else person.name}{' [protected]' if seen.protected else ''}")
        lines.append(seen.text)
        lines += ["    " + " ".join(f"[{label}]" for label in row) for row in seen.buttons]
    return "\n".join(lines)
