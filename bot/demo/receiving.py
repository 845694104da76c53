"""The Bot API methods through which the bot gets its updates, and what can go wrong with a batch of them."""

from collections.abc import Callable
from typing import Any

from bot.demo.errors import Refused
from bot.demo.faults import GET_UPDATES
from bot.demo.methods import Params
from bot.demo.updates import Update
from bot.demo.webhook import checked_hook
from bot.demo.world import Json, World

WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
DEFAULT_CONNECTIONS = 40
Alive = Callable[[], bool]  # whether the caller is still waiting for the answer
BROKEN = {"message": {"message_id": "one", "date": "yesterday", "chat": 1}}


async def get_updates(world: World, params: Params, alive: Alive) -> list[Update]:
    """Hold the call while there are no updates. A fault is used up only if the caller is still there to meet it."""
    if world.webhook.hook:
        raise Refused(409, WEBHOOK_ACTIVE)
    updates, limit = world.updates, params.get("limit", 100)
    if "allowed_updates" in params:
        updates.allow(params["allowed_updates"])
    offset = params.get("offset", 0)
    updates.confirm(offset)
    updates.begin()
    if updates.last_confirmed and world.faults.take(GET_UPDATES, None, ("repeat",)):
        return updates.last_confirmed + updates.batch(limit)
    batch = await updates.poll(offset, limit, params.get("timeout", 0))
    if not alive():
        return []
    if batch and world.faults.take(GET_UPDATES, None, ("malformed",)):
        updates.add_raw(BROKEN)
        broken = next(reversed(updates.waiting.values())).update
        batch.insert(len(batch) // 2, broken)
    if len(batch) > 1 and world.faults.take(GET_UPDATES, None, ("shuffle",)):
        batch.reverse()
    return batch


async def set_webhook(world: World, params: Params, _alive: Alive) -> bool:
    """Set the webhook; an empty URL removes it."""
    hook = None
    if params["url"]:
        connections = params.get("max_connections", DEFAULT_CONNECTIONS)
        hook = checked_hook(params["url"], params.get("secret_token", ""), connections)
    if "allowed_updates" in params:
        world.updates.allow(params["allowed_updates"])
    if params.get("drop_pending_updates"):
        world.updates.drop_all()
    if hook:
        await world.webhook.set(hook)
        world.updates.begin()
    else:
        await world.webhook.stop()
    return True


async def delete_webhook(world: World, params: Params, _alive: Alive) -> bool:
    if params.get("drop_pending_updates"):
        world.updates.drop_all()
    await world.webhook.stop()
    return True


async def webhook_info(world: World, _params: Params, _alive: Alive) -> Json:
    return world.webhook.info()


METHODS: dict[str, Any] = {
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": webhook_info,
}
