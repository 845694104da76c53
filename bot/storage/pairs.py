"""Rows of Pairs and of Invites. We store only keyed hashes of an Invite's link and code.

Each member's data key seals a proof that the two are a Pair. A row without this proof is not a Pair, whoever wrote it.
"""

import base64
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import KeyMismatch, KeyRing
from bot.domain.model import Invite, Pair
from bot.domain.pairing import CODE_BITS, INVITE_VALID_FOR, LINK_BYTES, code_from
from bot.storage.conflicts import insert_into
from bot.storage.damage import open_or_none
from bot.storage.endings import Ended
from bot.storage.ids import new_id, timeless_id
from bot.storage.schema import endings, invites, pair_members, pairs, wrong_codes
from bot.storage.ties import of_pair
from bot.storage.users import Users

_LINK: Final = "invite/link"
_CODE: Final = "invite/code"
_MAKE_LINK: Final = "invite/make-link"
_MAKE_CODE: Final = "invite/make-code"
_ACCOUNT: Final = "wrong-codes/account"

# Statements that every turn needs are built once: building one takes longer than executing it.
ACTIVE_PAIR: Final = (
    select(pairs, pair_members.c.proof)
    .join(pair_members, pair_members.c.pair_id == pairs.c.id)
    .where(pair_members.c.user_id == bindparam("user_id"))
)
_OWN: Final = invites.c.refused == 0
"""The condition that an Invite's maker still has it: they haven't refused its guest."""
_ENDED: Final = select(endings).where(endings.c.user_id == bindparam("user_id"))
LOOKS_PAIRED: Final = select(
    or_(
        select(pair_members).where(pair_members.c.user_id == bindparam("user_id")).exists(),
        select(endings).where(endings.c.user_id == bindparam("user_id")).exists(),
    )
)


class Pairs:
    """Active Pairs, and the users who have yet to hear that theirs has ended."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users
        self.seen_anew: set[int] = set()
        """Users for whom this transaction may have changed the result of `looks_active_to`."""

    async def active(self, user_id: int) -> Pair | None:
        """Return the Pair this user is in."""
        row = (await self._connection.execute(ACTIVE_PAIR, {"user_id": user_id})).one_or_none()
        pair = Pair(row.id, row.a, row.b, row.since) if row else None
        return pair if pair and await self._is_proven(user_id, pair, row.proof if row else None) else None

    async def _is_proven(self, user_id: int, pair: Pair, proof: bytes | None) -> bool:
        """Return whether the proof shows that Ajar made these two a Pair."""
        try:
            key = await self._users.data_key(user_id)
        except KeyMismatch:  # without the key nothing can be shared, but the Pair can end
            return user_id in (pair.a, pair.b)
        place = await self._users.place(
            user_id, table="pair_members", column="proof", row=pair.id, tied_to=of_pair(pair.a, pair.b)
        )
        if user_id not in (pair.a, pair.b):
            return False
        before_ties = proof is None and place.get("untied", False)
        return before_ties or open_or_none(key, proof, **place) is not None

    async def members(self, pair_id: int) -> list[int]:
        """Return the two users of this Pair."""
        found = await self._connection.execute(select(pair_members.c.user_id).where(pair_members.c.pair_id == pair_id))
        return list(found.scalars())

    async def find(self, user_id: int, pair_id: int) -> Pair | None:
        """Return the Pair with this id, if this user is in it."""
        pair = await self.active(user_id)
        return pair if pair and pair.id == pair_id else None

    async def looks_active_to(self, user_id: int) -> bool:
        """Return whether this user is in a Pair as far as they know: one that has ended counts until they are told.

        Used for everything that the bot shows unasked, like the button "Share…", so that it doesn't reveal the end of a
        Pair.
        """
        return bool((await self._connection.execute(LOOKS_PAIRED, {"user_id": user_id})).scalar_one())

    async def lock_changes(self) -> None:
        """Wait until nobody else is making or ending a Pair, and keep others from it until this transaction ends.

        Making or ending a Pair changes two users' rows, and two such transactions could lock them in opposite order.
        """
        if self._connection.dialect.name == "postgresql":  # SQLite has one writer
            await self._connection.execute(text("SELECT pg_advisory_xact_lock(1, 0)"))

    async def make(self, a: int, b: int, now: datetime) -> Pair | None:
        """Make these two a Pair. None if one of them already is in one, even since a moment ago."""
        pair = Pair(timeless_id(), a, b, now)
        inserted = await self._insert(pair)
        if inserted is None:
            return None
        await self._connection.execute(delete(endings).where(endings.c.user_id.in_((a, b))))
        self.seen_anew |= {a, b}
        return pair

    async def _insert(self, pair: Pair) -> Pair | None:
        async with self._connection.begin_nested() as savepoint:
            for table, rows in (
                (pairs, [{"id": pair.id, "a": pair.a, "b": pair.b, "since": pair.since}]),
                # Always in the same order, so that two transactions wait for each other and don't deadlock.
                (pair_members, [await self._member(user_id, pair) for user_id in sorted((pair.a, pair.b))]),
            ):
                for row in rows:
                    if not (await self._connection.execute(self._unless_there(table, row))).rowcount:
                        await savepoint.rollback()
                        return None
        return pair

    async def _member(self, user_id: int, pair: Pair) -> dict[str, Any]:
        proof = await self._users.seal(
            user_id, "", table="pair_members", column="proof", row=pair.id, tied_to=of_pair(pair.a, pair.b)
        )
        return {"user_id": user_id, "pair_id": pair.id, "proof": proof}

    def _unless_there(self, table: Any, row: dict[str, Any]) -> Any:
        return insert_into(self._connection.dialect.name, table).values(row).on_conflict_do_nothing()

    async def end(self, pair: Pair, leaver: int) -> bool:
        """End the Pair, and note that the partner has yet to hear of it. False if it had ended before.

        Nothing else of the Pair remains.
        """
        if not (await self._connection.execute(delete(pairs).where(pairs.c.id == pair.id))).rowcount:
            return False
        left = {"user_id": pair.partner_of(leaver), "pair_id": pair.id}
        await self._connection.execute(self._unless_there(endings, left))
        self._users.ends(Ended.UNPAIRED, pair.id, leaver)
        self.seen_anew.add(leaver)
        return True

    async def ended(self, user_id: int) -> int | None:
        """Return the id of the Pair that has ended, if this user hasn't been told yet."""
        row = (await self._connection.execute(_ENDED, {"user_id": user_id})).one_or_none()
        return row.pair_id if row else None

    async def tell_ended(self, user_id: int) -> bool:
        """Return whether to tell this user now that their Pair has ended. True only once."""
        told = (await self._connection.execute(delete(endings).where(endings.c.user_id == user_id))).rowcount
        self.seen_anew |= {user_id} if told else set()
        return bool(told)


class Secrets(NamedTuple):
    """The link and code of an Invite. We don't store them, but derive them from the master key for its maker."""

    link: str
    code: str


class Invites:
    """Open Invites, and wrong tries."""

    def __init__(self, connection: AsyncConnection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    async def make(self, user_id: int, expires_at: datetime) -> Invite:
        """Make a new Invite, replacing the user's earlier one."""
        await self.drop(user_id)
        invite = Invite(timeless_id(), user_id, expires_at)
        secrets = self._secrets(invite, self._keys.current)
        await self._connection.execute(
            insert(invites).values(
                id=invite.id,
                user_id=user_id,
                link_hash=self._keys.digest(_LINK, secrets.link),
                code_hash=self._keys.digest(_CODE, secrets.code),
                expires_at=expires_at,
            )
        )
        return invite

    async def secrets(self, invite: Invite) -> Secrets | None:
        """Return the link and code to pass on; None if we don't have the master key they were made with."""
        row = (await self._connection.execute(select(invites.c.link_hash).where(invites.c.id == invite.id))).first()
        for version in reversed(self._keys.versions) if row else ():
            secrets = self._secrets(invite, version)
            if row and row.link_hash == self._keys.digest(_LINK, secrets.link, version=version):
                return secrets
        return None

    def _secrets(self, invite: Invite, version: int) -> Secrets:
        subject = f"{invite.id}/{invite.user_id}"
        link = self._keys.digest(_MAKE_LINK, subject, version=version)[:LINK_BYTES]
        code = int.from_bytes(self._keys.digest(_MAKE_CODE, subject, version=version)) >> (256 - CODE_BITS)
        return Secrets(base64.urlsafe_b64encode(link).decode().rstrip("="), code_from(code))

    async def of(self, user_id: int, now: datetime) -> Invite | None:
        """Return the user's own open Invite."""
        return await self._one(_OWN, invites.c.user_id == user_id, _open_at(now))

    async def own(self, user_id: int, invite_id: int) -> Invite | None:
        """Return this Invite if the user made it and hasn't refused its guest, even if it has just expired."""
        return await self._one(_OWN, invites.c.id == invite_id, invites.c.user_id == user_id)

    async def as_guest(self, user_id: int, invite_id: int) -> Invite | None:
        """Return this Invite if the user is its guest, even if it has just expired."""
        return await self._one(invites.c.id == invite_id, invites.c.guest_id == user_id)

    async def find_own(self, user_id: int, invite_id: int, now: datetime) -> Invite | None:
        return await self._one(_OWN, invites.c.id == invite_id, invites.c.user_id == user_id, _open_at(now))

    async def find_as_guest(self, user_id: int, invite_id: int, now: datetime) -> Invite | None:
        return await self._one(invites.c.id == invite_id, invites.c.guest_id == user_id, _open_at(now))

    async def latest_as_guest(self, user_id: int, now: datetime) -> Invite | None:
        """Return the newest open Invite whose guest is this user and that they have not said yes to."""
        found = await self._connection.execute(
            select(invites)
            .where(invites.c.guest_id == user_id, _open_at(now), invites.c.accepted_at.is_(None))
            .order_by(invites.c.expires_at.desc())
            .limit(1)
        )
        return _invite(found.one_or_none())

    async def with_link(self, link: str, now: datetime) -> Invite | None:
        """Return the open Invite with this link that nobody has used yet, without using it."""
        return await self._one(
            invites.c.link_hash.in_(self._keys.digests(_LINK, link)), invites.c.guest_id.is_(None), _open_at(now)
        )

    async def unused(self, invite_id: int, now: datetime) -> Invite | None:
        """Return this Invite, if it is open and nobody has used it yet."""
        return await self._one(invites.c.id == invite_id, invites.c.guest_id.is_(None), _open_at(now))

    async def claim(self, user_id: int, *, link: str = "", code: str = "", now: datetime) -> Invite | None:
        """Make this user the guest of the Invite with this link or code, so that nobody else can use it.

        None if it is unknown, expired, used by somebody else, or the user's own. That takes the same amount of work, so
        the time reveals nothing.
        """
        column, purpose, secret = (invites.c.link_hash, _LINK, link) if link else (invites.c.code_hash, _CODE, code)
        claimed = await self._connection.execute(
            update(invites)
            .where(
                column.in_(self._keys.digests(purpose, secret)),
                invites.c.user_id != user_id,
                _open_at(now),
                or_(invites.c.guest_id.is_(None), invites.c.guest_id == user_id),
            )
            .values(guest_id=user_id)
            .returning(*invites.c)
        )
        return _invite(claimed.one_or_none())

    async def accept(self, invite: Invite, guest_id: int, now: datetime) -> bool:
        """Note the guest's yes. False if the Invite is gone, or they said yes before."""
        done = await self._connection.execute(
            update(invites)
            .where(invites.c.id == invite.id, invites.c.guest_id == guest_id, invites.c.accepted_at.is_(None))
            .values(accepted_at=now)
        )
        return bool(done.rowcount)

    async def unaccept(self, invite: Invite, guest_id: int) -> bool:
        """Take the guest's yes back. False if there was none."""
        done = await self._connection.execute(
            update(invites)
            .where(invites.c.id == invite.id, invites.c.guest_id == guest_id, invites.c.accepted_at.is_not(None))
            .values(accepted_at=None)
        )
        return bool(done.rowcount)

    async def use(self, invite: Invite) -> bool:
        """Use up the Invite. False if it was already used up, refused, replaced or taken back."""
        done = await self._connection.execute(
            delete(invites).where(_OWN, invites.c.id == invite.id, invites.c.accepted_at.is_not(None))
        )
        return bool(done.rowcount)

    async def refuse(self, invite: Invite) -> None:
        """Refuse the guest: the maker no longer has the Invite. To its guest it looks unchanged until it expires."""
        await self._connection.execute(
            update(invites).where(invites.c.id == invite.id, invites.c.accepted_at.is_not(None)).values(refused=True)
        )

    async def close(self, invite: Invite) -> bool:
        """Remove the Invite, so that its link and code lead nowhere. False if somebody has said yes to it."""
        done = await self._connection.execute(
            delete(invites).where(_OWN, invites.c.id == invite.id, invites.c.accepted_at.is_(None))
        )
        return bool(done.rowcount)

    async def drop(self, user_id: int) -> Invite | None:
        """Remove the user's own Invite, also an expired one. Return what it was."""
        dropped = await self._connection.execute(
            delete(invites).where(_OWN, invites.c.user_id == user_id).returning(*invites.c)
        )
        return _invite(dropped.one_or_none())

    async def show_on(self, user_id: int, invite_id: int, message_id: int) -> None:
        """Note that this message now offers the user's Invite."""
        await self._connection.execute(
            update(invites)
            .where(_OWN, invites.c.id == invite_id, invites.c.user_id == user_id)
            .values(card_id=message_id)
        )

    async def forget_guest(self, user_id: int) -> list[int]:
        """Reopen the Invites that this user was the guest of, because they are leaving for good. Return the ids."""
        await self._connection.execute(delete(invites).where(invites.c.guest_id == user_id, invites.c.refused == 1))
        freed = await self._connection.execute(
            update(invites)
            .where(invites.c.guest_id == user_id)
            .values(guest_id=None, accepted_at=None)
            .returning(invites.c.id)
        )
        return list(freed.scalars())

    async def drop_accepted(self) -> list[int]:
        """Remove all Invites that somebody has said yes to, so that only a new yes counts. Return the ids."""
        dropped = await self._connection.execute(
            delete(invites).where(_OWN, invites.c.accepted_at.is_not(None)).returning(invites.c.id)
        )
        return list(dropped.scalars())

    async def drop_all_of(self, *user_ids: int) -> list[int]:
        """Remove all Invites that these users made or are the guests of. Return the ids.

        If somebody else has said yes to one of them, that guest is refused instead, and so can't tell why they hear
        nothing.
        """
        refused = await self._connection.execute(
            update(invites)
            .where(
                _OWN,
                invites.c.user_id.in_(user_ids),
                invites.c.guest_id.not_in(user_ids),
                invites.c.accepted_at.is_not(None),
            )
            .values(refused=True)
            .returning(invites.c.id)
        )
        refused_ids = list(refused.scalars())
        dropped = await self._connection.execute(
            delete(invites)
            .where(or_(and_(_OWN, invites.c.user_id.in_(user_ids)), invites.c.guest_id.in_(user_ids)))
            .returning(invites.c.id)
        )
        return [*refused_ids, *dropped.scalars()]

    async def wrong(self, user_id: int, now: datetime) -> None:
        """Note that this user tried a wrong code. It still counts after they erase their data."""
        account = self._keys.digest(_ACCOUNT, str(user_id))
        await self._connection.execute(insert(wrong_codes).values(id=new_id(now), account=account, tried_at=now))

    async def wrong_since(self, user_id: int, moment: datetime) -> list[datetime]:
        """Return when this user tried wrong codes after `moment`, oldest first."""
        found = await self._connection.execute(
            select(wrong_codes.c.tried_at)
            .where(
                wrong_codes.c.account.in_(self._keys.digests(_ACCOUNT, str(user_id))), wrong_codes.c.tried_at > moment
            )
            .order_by(wrong_codes.c.tried_at)
        )
        return list(found.scalars())

    async def all_wrong_since(self, moment: datetime, limit: int) -> int:
        """Count the wrong codes that all users together tried after `moment`, up to `limit`."""
        some = select(wrong_codes.c.id).where(wrong_codes.c.tried_at > moment).limit(limit).subquery()
        return int((await self._connection.execute(select(func.count()).select_from(some))).scalar_one())

    async def forget_before(self, expired: datetime, tried: datetime) -> None:
        """Remove Invites that expired before `expired`, and wrong tries from before `tried`."""
        await self._connection.execute(delete(invites).where(invites.c.expires_at < expired, not_(_open_at(expired))))
        await self._connection.execute(delete(wrong_codes).where(wrong_codes.c.tried_at < tried))

    async def _one(self, *conditions: Any) -> Invite | None:
        return _invite((await self._connection.execute(select(invites).where(*conditions))).one_or_none())


def _open_at(now: datetime) -> ColumnElement[bool]:
    """Return the condition that an Invite is open. A guest's yes doesn't move `expires_at`, which the maker can see."""
    said_yes = and_(invites.c.accepted_at.is_not(None), invites.c.accepted_at > now - INVITE_VALID_FOR)
    return or_(invites.c.expires_at > now, said_yes)


def _invite(row: Row[Any] | None) -> Invite | None:
    if row is None:
        return None
    return Invite(row.id, row.user_id, row.expires_at, row.guest_id, row.accepted_at, row.refused, row.card_id)
