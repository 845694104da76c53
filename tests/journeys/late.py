"""What journeys with late answers have in common."""

from typing import Any

from bot.demo.faults import Fault
from tests.journeys.house import House
from tests.standin import Person

HELP = "One small question a day, one line back. It"


def told(person: Person, *parts: str) -> list[str]:
    """Return which of these the bot said, in the order in which it said them."""
    said = [seen.text for seen in person.sees if seen.by_bot]
    return [part for text in said for part in parts if part in text]


async def fault_for(house: House, person: Person, kind: str, **how: Any) -> None:
    """Make everything that the bot sends to this person fail."""
    house.expects("telegram.request")  # it logs that a 502 can't be read
    for method in ("sendMessage", "editMessageText"):
        house.telegram.world.faults.add(Fault(method, kind, chat_id=person.id, times=-1, **how))


def later(house: House, person: Person) -> int:
    """Return how many answers to this person wait in the outbox."""
    found = house.stored(
        "SELECT count(*) FROM notices WHERE kind = 'answer' AND user_id = ? AND state = 'waiting'", person.id
    )
    return int(found[0][0])


async def fetched(house: House, text: str, since: int) -> None:
    """Wait until the bot has fetched an update with this text, in a call after the first `since` ones."""

    def there() -> bool:
        return any(text in str(call["result_or_error"]) for call in house.telegram.calls("getUpdates", since=since))

    await house.telegram.until(there)
    assert there(), f"the bot has not fetched {text}"
