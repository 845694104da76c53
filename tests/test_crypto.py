"""Sealed text opens only in its own place and only with its user's key."""

import base64
import copy
import pickle
import shlex
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import crypto
from bot.crypto import (
    CannotOpen,
    KeyMismatch,
    KeyRing,
    WrongKey,
    is_all_tied,
    is_tied,
    new_data_key,
    open_sealed,
    seal,
    wrapped_by,
)
from bot.keyfile import MasterKey

KEY = new_data_key()
KEY_TEXT = "b0TDv3uCqZJmWm7uQ1l1cJp3b8m9o1n0a2s4d6f8g0E="
INTEGERS = st.integers(-(2**63), 2**63 - 1)
# Lone surrogates too: a broken client sends them, and what was acknowledged is kept.
ANY_TEXT = st.text(st.characters(), max_size=400)
RELEASE_1_SEALED = (
    "0132333435363738393a3b3c3da2ec6d9b9940372b81f00cefb8cc63f3dc82b89abc11c4af730ef286208420775a24e756986373550e02b13359"
    "5328075cc5f0b14f7e5f6ebed0f32217d591590c7a6c2ede3fa54153a5c9c9faf3e14c"
)
RELEASE_1_WRAPPED = (
    "010000000232333435363738393a3b3c3ddbf0c4023f60aac7a0169682e8bef0ce9115002ec5328ebca06b684efec3e1d6de3c260e6158c850b3"
    "e031e01e938bbf"
)
RELEASE_1_DIGEST = "783b2f5c633b11ed079680b68698b7f22bc441ad5f8164add189e1df4e46e8a0"
LINE = "I did not say what I wanted to say"


def sealed(text: str = LINE, key: bytes = KEY) -> bytes:
    return seal(key, text, table="lines", column="text", row=7, user=3)


def opened(blob: bytes, key: bytes = KEY) -> str:
    return open_sealed(key, blob, table="lines", column="text", row=7, user=3)


class TestSealing:
    @settings(deadline=None)  # the machine may be busy
    @given(text=ANY_TEXT, row=INTEGERS, user=INTEGERS)
    def test_sealed_text_opens(self, text: str, row: int, user: int) -> None:
        blob = seal(KEY, text, table="lines", column="text", row=row, user=user)
        assert open_sealed(KEY, blob, table="lines", column="text", row=row, user=user) == text

    def test_every_changed_byte_is_noticed(self) -> None:
        blob = sealed()
        for place in range(len(blob)):
            for bit in (0x01, 0x80):
                changed = bytearray(blob)
                changed[place] ^= bit
                with pytest.raises(CannotOpen):
                    opened(bytes(changed))

    def test_every_wrong_length_is_noticed(self) -> None:
        blob = sealed()
        for end in range(len(blob)):
            with pytest.raises(CannotOpen):
                opened(blob[:end])
        with pytest.raises(CannotOpen):
            opened(blob + b"\0")

    @pytest.mark.parametrize(
        "place",
        [
            {"table": "reflections"},
            {"column": "feeling"},
            {"row": 8},
            {"user": 4},
            {"row": 3, "user": 7},
            {"table": "linest", "column": "ext"},
            {"table": "text", "column": "lines"},
        ],
    )
    def test_sealed_text_needs_its_place(self, place: dict[str, object]) -> None:
        right: dict[str, object] = {"table": "lines", "column": "text", "row": 7, "user": 3}
        with pytest.raises(CannotOpen):
            open_sealed(KEY, sealed(), **(right | place))  # type: ignore[arg-type]

    def test_sealed_text_needs_its_key(self) -> None:
        with pytest.raises(CannotOpen):
            opened(sealed(), new_data_key())

    def test_error_holds_no_content(self) -> None:
        with pytest.raises(CannotOpen) as caught:
            opened(sealed()[:-1] + b"\0\0")
        said = f"{caught.value!r} {caught.value.__cause__}"
        assert LINE not in said
        assert "lines.text of row 7" in said
        assert caught.value.__suppress_context__

    def test_sealed_length_tells_little(self) -> None:
        overhead = 1 + 12 + 16
        sizes = {length: len(sealed("x" * length)) - overhead for length in (0, 1, 60, 61, 124, 125, 300, 1200, 5000)}
        assert sizes == {0: 64, 1: 64, 60: 64, 61: 128, 124: 128, 125: 256, 300: 512, 1200: 2048, 5000: 8192}

    @settings(deadline=None)  # the machine may be busy
    @given(first=ANY_TEXT, second=ANY_TEXT)
    def test_bucketed_texts_have_one_length(self, first: str, second: str) -> None:
        def bucket(text: str) -> int:
            need = len(text.encode("utf-8", "surrogatepass")) + 4
            return next(size for size in (64, 128, 256, 512, 1024, 2048) if need <= size)

        assert (len(sealed(first)) == len(sealed(second))) == (bucket(first) == bucket(second))

    def test_same_text_never_looks_the_same(self) -> None:
        blobs = [sealed() for _ in range(2000)]
        assert len({blob[1:13] for blob in blobs}) == len({blob[13:] for blob in blobs}) == 2000

    def test_sealed_bytes_hide_the_text(self) -> None:
        assert LINE.encode() not in sealed()

    def test_unknown_format_is_refused(self) -> None:
        with pytest.raises(CannotOpen, match="known format"):
            opened(b"\x02" + sealed()[1:])

    @pytest.mark.parametrize("key", [b"", b"short", b"k" * 31])
    def test_wrong_data_key_is_an_error(self, key: bytes) -> None:
        with pytest.raises(ValueError, match="key"):
            sealed(key=key)

    def test_earlier_sealed_bytes_open(self) -> None:
        """The stored format can't change by accident: these bytes were made once and written down."""
        key = bytes(range(32))
        blob = bytes.fromhex(RELEASE_1_SEALED)
        assert open_sealed(key, blob, table="lines", column="text", row=7, user=3) == "rain since morning"
        ring = KeyRing({2: bytes(range(100, 132)), 3: new_data_key()})
        assert ring.unwrap(bytes.fromhex(RELEASE_1_WRAPPED), 3) == key
        assert ring.digest("invite", "ABCD", version=2).hex() == RELEASE_1_DIGEST


PLACE: dict[str, Any] = {"table": "reflections", "column": "words", "row": 7, "user": 3}


class TestTies:
    @given(ties=st.lists(INTEGERS, min_size=1, max_size=4), others=st.lists(INTEGERS, max_size=4))
    def test_tied_text_needs_its_facts(self, ties: list[int], others: list[int]) -> None:
        blob = seal(KEY, LINE, **PLACE, tied_to=ties)
        assert is_tied(blob)
        assert open_sealed(KEY, blob, **PLACE, tied_to=ties) == LINE
        if others != ties:
            with pytest.raises(CannotOpen):
                open_sealed(KEY, blob, **PLACE, tied_to=others, untied=True)

    def test_untied_text_opens_only_where_allowed(self) -> None:
        blob = seal(KEY, LINE, **PLACE)
        assert not is_tied(blob)
        assert open_sealed(KEY, blob, **PLACE, tied_to=(1, 2), untied=True) == LINE
        with pytest.raises(CannotOpen, match="known format"):
            open_sealed(KEY, blob, **PLACE, tied_to=(1, 2))

    def test_tied_and_untied_stay_distinct(self) -> None:
        tied, untied = seal(KEY, LINE, **PLACE, tied_to=(1, 2)), seal(KEY, LINE, **PLACE)
        for blob, ties in ((b"\x01" + tied[1:], ()), (b"\x02" + untied[1:], (1, 2))):
            with pytest.raises(CannotOpen, match="does not open"):
                open_sealed(KEY, blob, **PLACE, tied_to=ties, untied=True)

    def test_untied_mark_cannot_be_forged(self) -> None:
        ring = KeyRing.new()
        tied, untied = ring.wrap(KEY, 3), ring.wrap(KEY, 3, tied=False)
        assert (is_all_tied(tied), is_all_tied(untied)) == (True, False)
        assert ring.unwrap(tied, 3) == ring.unwrap(untied, 3) == KEY
        for blob in (b"\x01" + tied[1:], b"\x02" + untied[1:]):
            with pytest.raises(KeyMismatch):
                ring.unwrap(blob, 3)


class TestKeyRing:
    def test_lone_key_is_version_1(self) -> None:
        ring = KeyRing.parse(f" {KEY_TEXT}\n")
        assert (ring.current, ring.versions) == (1, (1,))
        assert ring.text == f"1:{KEY_TEXT}"

    @pytest.mark.parametrize("key", [KEY_TEXT.rstrip("="), KEY_TEXT.replace("+", "-").replace("/", "_")])
    def test_both_base64_alphabets_are_read(self, key: str) -> None:
        assert KeyRing.parse(key).text == f"1:{KEY_TEXT}"

    def test_suggested_command_makes_a_key(self) -> None:
        _, *arguments = shlex.split(crypto.MAKE_ONE.partition(": ")[2])
        made = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout
        assert KeyRing.parse(made).current == 1

    def test_highest_version_is_current(self) -> None:
        old = KeyRing.new()
        blob = old.wrap(KEY, 3)
        ring = KeyRing.parse(old.rotated().text)
        assert (ring.current, ring.versions) == (2, (1, 2))
        assert ring.unwrap(blob, 3) == KEY
        assert (wrapped_by(blob), wrapped_by(ring.wrap(KEY, 3))) == (1, 2)

    def test_order_and_space_do_not_matter(self) -> None:
        ring = KeyRing.new().rotated().rotated()
        one, two, three = ring.text.split(",")
        assert KeyRing.parse(f"{three} ,\n {one}, {two}").text == ring.text

    def test_forgotten_version_opens_nothing(self) -> None:
        old = KeyRing.new()
        ring = old.rotated().without(1)
        with pytest.raises(CannotOpen, match="version 1 of the master key, which was not given; given: 2"):
            ring.unwrap(old.wrap(KEY, 3), 3)
        with pytest.raises(WrongKey):
            ring.without(2)

    def test_different_key_opens_nothing(self) -> None:
        with pytest.raises(CannotOpen):
            KeyRing.new().unwrap(KeyRing.new().wrap(KEY, 3), 3)

    def test_data_key_belongs_to_its_user(self) -> None:
        ring = KeyRing.new()
        with pytest.raises(CannotOpen):
            ring.unwrap(ring.wrap(KEY, 3), 4)

    def test_damaged_data_key_is_noticed(self) -> None:
        ring = KeyRing.new().rotated()
        blob = ring.wrap(KEY, 3)
        for place in range(len(blob)):
            changed = bytearray(blob)
            changed[place] ^= 0x03  # in the version's last byte this turns version 2 into 1, which is in the ring too
            with pytest.raises(CannotOpen):
                ring.unwrap(bytes(changed), 3)
            with pytest.raises(CannotOpen):
                ring.unwrap(blob[:place], 3)

    def test_wrapped_key_never_looks_the_same(self) -> None:
        ring = KeyRing.new()
        assert len({ring.wrap(KEY, 3) for _ in range(1000)}) == 1000

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "0 bytes instead of 32"),
            ("hello there", "not base64"),
            ("AAAA", "3 bytes instead of 32"),
            ("A" * 43 + "=", "not a random key"),
            (f"{KEY_TEXT},{KEY_TEXT}", "Part 1 of the master key must be a version and a key"),
            (f"1:{KEY_TEXT},1:{KEY_TEXT}", "version 1 twice"),
            (f"0:{KEY_TEXT}", "must be a version and a key"),
            (f"4294967296:{KEY_TEXT}", "go from 1 to 4294967295"),
            (f"1:{KEY_TEXT},", "Part 2 of the master key"),
            (f"1:{KEY_TEXT[:-4]}äö=", "not base64"),
        ],
    )
    def test_wrong_key_is_not_repeated(self, text: str, says: str) -> None:
        with pytest.raises(WrongKey) as caught:
            KeyRing.parse(text)
        assert says in str(caught.value)
        assert KEY_TEXT[:8] not in repr(caught.value)

    @pytest.mark.parametrize(
        "key",
        [
            *(bytes(32), b"\x5a" * 32, bytes(range(32)), bytes(range(200, 232)), bytes(range(31, -1, -1))),
            *(bytes(range(0, 64, 2)), bytes(7 * n % 256 for n in range(32)), bytes(range(16)) * 2),
            *(
                bytes.fromhex("1ab0bc41034d95034b56976fa81af34b") * 2,
                bytes.fromhex("b375de3fed5e557d") * 4,
                bytes.fromhex("fbc65850abc78cf28af86dc5f5") * 3,
                b"0123456789abcdefghijklmnopqrstuv",
            ),
        ],
    )
    def test_guessable_key_is_refused(self, key: bytes) -> None:
        text = base64.b64encode(key[:32]).decode()
        for ring in (text, f"1:{KEY_TEXT},2:{text}"):
            with pytest.raises(WrongKey, match="not a random key") as caught:
                KeyRing.parse(ring)
            assert text not in str(caught.value)
        assert KeyRing.parse(f"1:{text},2:{KEY_TEXT}").current == 2, "it can be replaced"

    def test_random_keys_are_accepted(self) -> None:
        for _ in range(20_000):
            KeyRing({1: new_data_key()})

    def test_key_is_never_shown_or_copied(self) -> None:
        ring = KeyRing.parse(KEY_TEXT)
        for shown in (repr(ring), str(ring), f"{ring}", repr(MasterKey(ring, None))):
            assert KEY_TEXT[:8] not in shown
        for take in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                take(ring)

    def test_digest_depends_on_its_inputs(self) -> None:
        ring = KeyRing.new().rotated()
        seen = {
            ring.digest("invite", "ABCD"),
            ring.digest("invite", "ABCE"),
            ring.digest("update", "ABCD"),
            ring.digest("invite", "ABCD", version=1),
            KeyRing.new().digest("invite", "ABCD"),
        }
        assert {len(each) for each in seen} == {32}
        assert len(seen) == 5
        assert ring.digest("invite", "ABCD") == KeyRing.parse(ring.text).digest("invite", "ABCD")

    def test_digest_outlives_a_rotation(self) -> None:
        old = KeyRing.new()
        new = old.rotated()
        assert new.digests("invite", "ABCD") == (new.digest("invite", "ABCD"), old.digest("invite", "ABCD"))
        with pytest.raises(WrongKey):
            old.digest("invite", "ABCD", version=2)
