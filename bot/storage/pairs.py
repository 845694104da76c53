"""Rows of Pairs, and of Invites, of which only keyed hashes are stored.

That two are a Pair stands sealed by the data key of each: a row that says it, whoever wrote that, is no Pair.
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

# Statements of every turn are made once: making one takes longer than executing it.
_ACTIVE: Final = (
    select(pairs, pair_members.c.proof)
    .join(pair_members, pair_members.c.pair_id == pairs.c.id)
    .where(pair_members.c.user_id == bindparam("user_id"))
)
_OWN: Final = invites.c.refused == 0
"""What an Invite must be for its maker to have it."""
_ENDED: Final = select(endings).where(endings.c.user_id == bindparam("user_id"))
_LOOKS_ACTIVE: Final = select(
    or_(
        select(pair_members).where(pair_members.c.user_id == bindparam("user_id")).exists(),
        select(endings).where(endings.c.user_id == bindparam("user_id")).exists(),
    )
)


class Pairs:
    """Active Pairs, and who has yet to hear that one has ended."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users
        self.seen_anew: set[int] = set()
        """To whom `seems_active` may say something else since this transaction."""

    async def active(self, user_id: int) -> Pair | None:
        """The Pair this user is in."""
        row = (await self._connection.execute(_ACTIVE, {"user_id": user_id})).one_or_none()
        pair = Pair(row.id, row.a, row.b, row.since) if row else None
        return pair if pair and await self._is_proven(user_id, pair, row.proof if row else None) else None

    async def _is_proven(self, user_id: int, pair: Pair, proof: bytes | None) -> bool:
        """Whether this user was made a Pair with that other one, by us."""
        try:
            key = await self._users.data_key(user_id)
        except KeyMismatch:  # nothing can be shared without the key; but it can be ended, and erased
            return user_id in (pair.a, pair.b)
        place = await self._users.place(
            user_id, table="pair_members", column="proof", row=pair.id, tied_to=of_pair(pair.a, pair.b)
        )
        if user_id not in (pair.a, pair.b):
            return False
        before_ties = proof is None and place.get("untied", False)
        return before_ties or open_or_none(key, proof, **place) is not None

    async def members(self, pair_id: int) -> list[int]:
        """The two of this Pair."""
        found = await self._connection.execute(select(pair_members.c.user_id).where(pair_members.c.pair_id == pair_id))
        return list(found.scalars())

    async def find(self, user_id: int, pair_id: int) -> Pair | None:
        """The Pair of this id, if this user is in it."""
        pair = await self.active(user_id)
        return pair if pair and pair.id == pair_id else None

    async def looks_active_to(self, user_id: int) -> bool:
        """Whether things look to this user as if there were a Pair: there is one, or they haven't heard of its end.

        For what is shown without being asked for, like the button "Share…", so that it gives no end away.
        """
        return bool((await self._connection.execute(_LOOKS_ACTIVE, {"user_id": user_id})).scalar_one())

    async def alone(self) -> None:
        """Wait until nobody else makes or ends a Pair; until the end of this transaction nobody else does.

        Two people's rows are changed by that, which two such transactions would want in a different order.
        """
        if self._connection.dialect.name == "postgresql":  # SQLite has one writer
            await self._connection.execute(text("SELECT pg_advisory_xact_lock(1, 0)"))

    async def make(self, a: int, b: int, now: datetime) -> Pair | None:
        """Make these two a Pair; None where one of them is in a Pair already, whoever was faster."""
        pair = Pair(timeless_id(), a, b, now)
        inserted = await self._insert(pair)
        if inserted is None:
            return None
        await self._connection.execute(delete(endings).where(endings.c.user_id.in_((a, b))))
        self.seen_anew |= {a, b}
        return pair

    async def _insert(self, pair: Pair) -> Pair | None:
        async with self._connection.begin_nested() as half:
            for table, rows in (
                (pairs, [{"id": pair.id, "a": pair.a, "b": pair.b, "since": pair.since}]),
                # In the same order for everybody, so that two that meet wait for each other and not in a circle.
                (pair_members, [await self._member(user_id, pair) for user_id in sorted((pair.a, pair.b))]),
            ):
                for row in rows:
                    if not (await self._connection.execute(self._unless_there(table, row))).rowcount:
                        await half.rollback()
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
        """End it; the one who was left will hear of it. Nothing else of it remains. False where it had ended before."""
        if not (await self._connection.execute(delete(pairs).where(pairs.c.id == pair.id))).rowcount:
            return False
        left = {"user_id": pair.partner_of(leaver), "pair_id": pair.id}
        await self._connection.execute(self._unless_there(endings, left))
        self._users.ends(Ended.UNPAIRED, pair.id, leaver)
        self.seen_anew.add(leaver)
        return True

    async def ended(self, user_id: int) -> int | None:
        """The id of the Pair of which this user has yet to hear that it has ended."""
        row = (await self._connection.execute(_ENDED, {"user_id": user_id})).one_or_none()
        return row.pair_id if row else None

    async def tell_ended(self, user_id: int) -> bool:
        """Whether to say now that sharing has ended. True only once."""
        told = (await self._connection.execute(delete(endings).where(endings.c.user_id == user_id))).rowcount
        self.seen_anew |= {user_id} if told else set()
        return bool(told)


class Secrets(NamedTuple):
    """What opens an Invite. Not stored: made anew from the master key whenever its maker looks at it."""

    link: str
    code: str


class Invites:
    """Open Invites, and wrong tries."""

    def __init__(self, connection: AsyncConnection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    async def make(self, user_id: int, expires_at: datetime) -> Invite:
        """A new Invite; the user's one of before is gone."""
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
        """What its maker passes on. None where no key given is the one it was made with."""
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
        """The user's own open Invite."""
        return await self._one(_OWN, invites.c.user_id == user_id, _open_at(now))

    async def own(self, user_id: int, invite_id: int) -> Invite | None:
        """This Invite if the user made it and has not refused its guest, be it open or just run out."""
        return await self._one(_OWN, invites.c.id == invite_id, invites.c.user_id == user_id)

    async def as_guest(self, user_id: int, invite_id: int) -> Invite | None:
        """This Invite if the user came with it, be it open or just run out."""
        return await self._one(invites.c.id == invite_id, invites.c.guest_id == user_id)

    async def find_own(self, user_id: int, invite_id: int, now: datetime) -> Invite | None:
        return await self._one(_OWN, invites.c.id == invite_id, invites.c.user_id == user_id, _open_at(now))

    async def find_as_guest(self, user_id: int, invite_id: int, now: datetime) -> Invite | None:
        return await self._one(invites.c.id == invite_id, invites.c.guest_id == user_id, _open_at(now))

    async def latest_as_guest(self, user_id: int, now: datetime) -> Invite | None:
        """The newest Invite that this user came with and has not said yes to."""
        found = await self._connection.execute(
            select(invites)
            .where(invites.c.guest_id == user_id, _open_at(now), invites.c.accepted_at.is_(None))
            .order_by(invites.c.expires_at.desc())
            .limit(1)
        )
        return _invite(found.one_or_none())

    async def claim(self, user_id: int, *, link: str = "", code: str = "", now: datetime) -> Invite | None:
        """The Invite behind what was typed, which from now on is this user's alone.

        None, after the same work, where there is none: unknown, expired, used by another, or one's own.
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
        """The guest says yes. False where it is no longer to be had, or was said before."""
        done = await self._connection.execute(
            update(invites)
            .where(invites.c.id == invite.id, invites.c.guest_id == guest_id, invites.c.accepted_at.is_(None))
            .values(accepted_at=now)
        )
        return bool(done.rowcount)

    async def unaccept(self, invite: Invite, guest_id: int) -> bool:
        """The guest takes the yes back. False where there was none."""
        done = await self._connection.execute(
            update(invites)
            .where(invites.c.id == invite.id, invites.c.guest_id == guest_id, invites.c.accepted_at.is_not(None))
            .values(accepted_at=None)
        )
        return bool(done.rowcount)

    async def use(self, invite: Invite) -> bool:
        """Use it up. False where it was used up, refused, replaced or taken back before."""
        done = await self._connection.execute(
            delete(invites).where(_OWN, invites.c.id == invite.id, invites.c.accepted_at.is_not(None))
        )
        return bool(done.rowcount)

    async def refuse(self, invite: Invite) -> None:
        """Its maker doesn't want who came, and has it no more. To its guest it looks as before, until it runs out."""
        await self._connection.execute(
            update(invites).where(invites.c.id == invite.id, invites.c.accepted_at.is_not(None)).values(refused=True)
        )

    async def close(self, invite: Invite) -> bool:
        """Its link and code lead nowhere from now on. False where somebody has said yes to it."""
        done = await self._connection.execute(
            delete(invites).where(_OWN, invites.c.id == invite.id, invites.c.accepted_at.is_(None))
        )
        return bool(done.rowcount)

    async def drop(self, user_id: int) -> int | None:
        """The user's own Invite is open no more. Its id, if there was one."""
        dropped = await self._connection.execute(
            delete(invites).where(_OWN, invites.c.user_id == user_id).returning(invites.c.id)
        )
        return dropped.scalar_one_or_none()

    async def forget_guest(self, user_id: int) -> list[int]:
        """Who came with these Invites is gone for good: they are open again. The ids."""
        await self._connection.execute(delete(invites).where(invites.c.guest_id == user_id, invites.c.refused == 1))
        freed = await self._connection.execute(
            update(invites)
            .where(invites.c.guest_id == user_id)
            .values(guest_id=None, accepted_at=None)
            .returning(invites.c.id)
        )
        return list(freed.scalars())

    async def drop_accepted(self) -> list[int]:
        """No yes to an Invite counts any more; whoever meant it says it again. The ids."""
        dropped = await self._connection.execute(
            delete(invites).where(_OWN, invites.c.accepted_at.is_not(None)).returning(invites.c.id)
        )
        return list(dropped.scalars())

    async def drop_all_of(self, *user_ids: int) -> list[int]:
        """Whatever these have made or come with is open no more. The ids.

        Somebody else who has said yes to one of them is refused: they can't tell why they hear nothing.
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
        """This user has tried a code that leads nowhere. It counts on when they erase themselves meanwhile."""
        account = self._keys.digest(_ACCOUNT, str(user_id))
        await self._connection.execute(insert(wrong_codes).values(id=new_id(now), account=account, tried_at=now))

    async def wrong_since(self, user_id: int, moment: datetime) -> list[datetime]:
        """When this user tried wrong codes after `moment`, oldest first."""
        found = await self._connection.execute(
            select(wrong_codes.c.tried_at)
            .where(
                wrong_codes.c.account.in_(self._keys.digests(_ACCOUNT, str(user_id))), wrong_codes.c.tried_at > moment
            )
            .order_by(wrong_codes.c.tried_at)
        )
        return list(found.scalars())

    async def all_wrong_since(self, moment: datetime, limit: int) -> int:
        """How many wrong codes everybody together tried after `moment`; it counts no further than `limit`."""
        some = select(wrong_codes.c.id).where(wrong_codes.c.tried_at > moment).limit(limit).subquery()
        return int((await self._connection.execute(select(func.count()).select_from(some))).scalar_one())

    async def forget_before(self, expired: datetime, tried: datetime) -> None:
        """Remove Invites that expired before `expired`, and wrong tries from before `tried`."""
        await self._connection.execute(delete(invites).where(invites.c.expires_at < expired, not_(_open_at(expired))))
        await self._connection.execute(delete(wrong_codes).where(wrong_codes.c.tried_at < tried))

    async def _one(self, *conditions: Any) -> Invite | None:
        return _invite((await self._connection.execute(select(invites).where(*conditions))).one_or_none())


def _open_at(now: datetime) -> ColumnElement[bool]:
    """Whether an Invite is open. That its guest has said yes doesn't move its own end, which its maker can see."""
    said_yes = and_(invites.c.accepted_at.is_not(None), invites.c.accepted_at > now - INVITE_VALID_FOR)
    return or_(invites.c.expires_at > now, said_yes)


def _invite(row: Row[Any] | None) -> Invite | None:
    if row is None:
        return None
    return Invite(row.id, row.user_id, row.expires_at, row.guest_id, row.accepted_at, row.refused)
