"""Sealed text opens only where it was put, only with its user's key; the master key's file is for its owner alone."""

import copy
import os
import pickle
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import crypto
from bot.crypto import (
    CannotOpen,
    KeyRing,
    MasterKey,
    MissingKey,
    WrongKey,
    make_key_file,
    master_key,
    new_data_key,
    open_sealed,
    seal,
    wrapped_by,
)

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
    def test_what_was_sealed_opens(self, text: str, row: int, user: int) -> None:
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

    def test_every_cut_or_longer_one_is_noticed(self) -> None:
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
    def test_it_opens_in_no_other_place(self, place: dict[str, object]) -> None:
        right: dict[str, object] = {"table": "lines", "column": "text", "row": 7, "user": 3}
        with pytest.raises(CannotOpen):
            open_sealed(KEY, sealed(), **(right | place))  # type: ignore[arg-type]

    def test_it_opens_with_no_other_key(self) -> None:
        with pytest.raises(CannotOpen):
            opened(sealed(), new_data_key())

    def test_the_error_holds_no_content(self) -> None:
        with pytest.raises(CannotOpen) as caught:
            opened(sealed()[:-1] + b"\0\0")
        said = f"{caught.value!r} {caught.value.__cause__}"
        assert LINE not in said
        assert "lines.text of row 7" in said
        assert caught.value.__suppress_context__

    def test_its_length_tells_little(self) -> None:
        overhead = 1 + 12 + 16
        sizes = {length: len(sealed("x" * length)) - overhead for length in (0, 1, 60, 61, 124, 125, 300, 1200, 5000)}
        assert sizes == {0: 64, 1: 64, 60: 64, 61: 128, 124: 128, 125: 256, 300: 512, 1200: 2048, 5000: 8192}

    @settings(deadline=None)  # the machine may be busy
    @given(first=ANY_TEXT, second=ANY_TEXT)
    def test_texts_of_a_bucket_are_of_one_length(self, first: str, second: str) -> None:
        def bucket(text: str) -> int:
            need = len(text.encode("utf-8", "surrogatepass")) + 4
            return next(size for size in (64, 128, 256, 512, 1024, 2048) if need <= size)

        assert (len(sealed(first)) == len(sealed(second))) == (bucket(first) == bucket(second))

    def test_the_same_text_never_looks_the_same(self) -> None:
        blobs = [sealed() for _ in range(2000)]
        assert len({blob[1:13] for blob in blobs}) == len({blob[13:] for blob in blobs}) == 2000

    def test_the_text_is_not_in_it(self) -> None:
        assert LINE.encode() not in sealed()

    def test_another_format_is_not_taken_for_this_one(self) -> None:
        with pytest.raises(CannotOpen, match="known format"):
            opened(b"\x02" + sealed()[1:])

    @pytest.mark.parametrize("key", [b"", b"short", b"k" * 31])
    def test_a_wrong_data_key_is_an_error(self, key: bytes) -> None:
        with pytest.raises(ValueError, match="key"):
            sealed(key=key)

    def test_what_an_earlier_release_sealed_opens(self) -> None:
        """The stored format can't change by accident: these bytes were made once and written down."""
        key = bytes(range(32))
        blob = bytes.fromhex(RELEASE_1_SEALED)
        assert open_sealed(key, blob, table="lines", column="text", row=7, user=3) == "rain since morning"
        ring = KeyRing({2: bytes(range(100, 132))})
        assert ring.unwrap(bytes.fromhex(RELEASE_1_WRAPPED), 3) == key
        assert ring.digest("invite", "ABCD").hex() == RELEASE_1_DIGEST


class TestKeyRing:
    def test_a_lone_key_is_version_1(self) -> None:
        ring = KeyRing.parse(f" {KEY_TEXT}\n")
        assert (ring.current, ring.versions) == (1, (1,))
        assert ring.text == f"1:{KEY_TEXT}"

    @pytest.mark.parametrize("key", [KEY_TEXT.rstrip("="), KEY_TEXT.replace("+", "-").replace("/", "_")])
    def test_either_base64_is_read(self, key: str) -> None:
        assert KeyRing.parse(key).text == f"1:{KEY_TEXT}"

    def test_the_command_in_the_sentences_makes_one(self) -> None:
        _, *arguments = shlex.split(crypto.MAKE_ONE.partition(": ")[2])
        made = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout
        assert KeyRing.parse(made).current == 1

    def test_the_highest_is_current_and_the_others_still_open(self) -> None:
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

    def test_a_forgotten_version_opens_nothing_more(self) -> None:
        old = KeyRing.new()
        ring = old.rotated().without(1)
        with pytest.raises(CannotOpen, match="version 1 of the master key, which was not given; given: 2"):
            ring.unwrap(old.wrap(KEY, 3), 3)
        with pytest.raises(WrongKey):
            ring.without(2)

    def test_another_key_of_the_same_version_opens_nothing(self) -> None:
        with pytest.raises(CannotOpen):
            KeyRing.new().unwrap(KeyRing.new().wrap(KEY, 3), 3)

    def test_a_data_key_is_its_users(self) -> None:
        ring = KeyRing.new()
        with pytest.raises(CannotOpen):
            ring.unwrap(ring.wrap(KEY, 3), 4)

    def test_every_changed_or_missing_byte_is_noticed(self) -> None:
        ring = KeyRing.new().rotated()
        blob = ring.wrap(KEY, 3)
        for place in range(len(blob)):
            changed = bytearray(blob)
            changed[place] ^= 0x03  # in the version's last byte this makes version 1 of 2, which is in the ring too
            with pytest.raises(CannotOpen):
                ring.unwrap(bytes(changed), 3)
            with pytest.raises(CannotOpen):
                ring.unwrap(blob[:place], 3)

    def test_the_same_key_never_looks_the_same(self) -> None:
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
    def test_a_wrong_one_is_said_without_the_key(self, text: str, says: str) -> None:
        with pytest.raises(WrongKey) as caught:
            KeyRing.parse(text)
        assert says in str(caught.value)
        assert KEY_TEXT[:8] not in repr(caught.value)

    def test_it_shows_and_copies_nowhere(self) -> None:
        ring = KeyRing.parse(KEY_TEXT)
        for shown in (repr(ring), str(ring), f"{ring}", repr(MasterKey(ring, None))):
            assert KEY_TEXT[:8] not in shown
        for take in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                take(ring)

    def test_a_digest_depends_on_key_version_and_purpose(self) -> None:
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

    def test_what_was_digested_before_a_rotation_is_found(self) -> None:
        old = KeyRing.new()
        new = old.rotated()
        assert new.digests("invite", "ABCD") == (new.digest("invite", "ABCD"), old.digest("invite", "ABCD"))
        with pytest.raises(WrongKey):
            old.digest("invite", "ABCD", version=2)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home" / ".config" / "ajar" / "master.key"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "var"
    folder.mkdir()
    return folder


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


class TestKeyFile:
    def test_it_is_made_once_and_said_once(self, home: Path, data: Path) -> None:
        first = master_key(data_dir=data, may_make=True, default_file=home)
        second = master_key(data_dir=data, may_make=False, default_file=home)
        assert (first.made, first.file, second.made) == (True, home, False)
        assert first.ring.text == second.ring.text == home.read_text().strip()

    @pytest.mark.usefixtures("umask")
    @pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
    def test_only_its_owner_can_read_it_under_any_umask(self, home: Path, data: Path, mask: int) -> None:
        home.parent.parent.mkdir(parents=True)
        os.umask(mask & 0o077)  # the folder needs its owner's rights to be used at all
        home.parent.mkdir(mode=0o700)
        os.umask(mask)
        master_key(data_dir=data, may_make=True, default_file=home)
        assert mode(home) == 0o600

    @pytest.mark.usefixtures("umask")
    def test_there_is_no_moment_in_which_others_can_open_it(
        self, home: Path, data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[int] = []
        monkeypatch.setattr("os.fchmod", lambda handle, _: seen.append(stat.S_IMODE(os.fstat(handle).st_mode)))
        master_key(data_dir=data, may_make=True, default_file=home)
        assert seen == [0o600]

    @pytest.mark.usefixtures("umask")
    def test_its_folder_is_made_for_its_owner_alone(self, home: Path, data: Path) -> None:
        master_key(data_dir=data, may_make=True, default_file=home)
        assert mode(home.parent) == 0o700
        assert [path.name for path in home.parent.iterdir()] == ["master.key"]

    def test_of_two_starters_one_makes_it_and_both_have_the_same(self, home: Path, data: Path) -> None:
        code = (
            "import sys, pathlib; from bot.crypto import master_key; print('ready', flush=True); sys.stdin.readline();"
            "k = master_key(data_dir=pathlib.Path(sys.argv[2]), may_make=True, default_file=pathlib.Path(sys.argv[1]));"
            "print(k.made, k.ring.text)"
        )
        start = [sys.executable, "-c", code, str(home), str(data)]
        starters = [subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
        for each in starters:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in starters:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        said = [each.communicate(timeout=60)[0].split() for each in starters]
        assert sorted(made for made, _ in said) == ["False"] * 5 + ["True"]
        assert len({text for _, text in said}) == 1
        assert [path.name for path in home.parent.iterdir()] == ["master.key"]

    def test_a_file_that_is_there_is_never_written_over(self, home: Path) -> None:
        ring = KeyRing.new()
        assert make_key_file(home, ring)
        assert not make_key_file(home, KeyRing.new())
        assert home.read_text().strip() == ring.text

    def test_with_lines_in_the_database_no_new_one_is_made(self, home: Path, data: Path) -> None:
        with pytest.raises(MissingKey) as caught:
            master_key(data_dir=data, may_make=False, default_file=home)
        assert str(home) in str(caught.value)
        assert "nobody can open them" in str(caught.value)
        assert not home.parent.exists()

    @pytest.mark.parametrize("bits", [0o640, 0o604, 0o644, 0o660, 0o620])
    def test_one_that_others_can_read_is_refused(self, home: Path, data: Path, bits: int) -> None:
        make_key_file(home, KeyRing.new())
        home.chmod(bits)
        with pytest.raises(WrongKey, match="chmod 600"):
            master_key(data_dir=data, may_make=True, file=home)
        with pytest.raises(WrongKey, match="chmod 600") as caught:
            master_key(data_dir=data, may_make=True, default_file=home)
        subprocess.run(shlex.split(str(caught.value).partition("Type: ")[2]), check=True)
        assert master_key(data_dir=data, may_make=True, default_file=home).made is False

    @pytest.mark.parametrize(("bits", "fine"), [(0o440, True), (0o400, True), (0o640, True), (0o644, False)])
    def test_an_administrator_may_lend_one_to_a_group(
        self, home: Path, data: Path, monkeypatch: pytest.MonkeyPatch, bits: int, fine: bool
    ) -> None:
        make_key_file(home, KeyRing.new())
        home.chmod(bits)
        monkeypatch.setattr("os.geteuid", lambda: home.stat().st_uid + 1)
        if fine:
            assert master_key(data_dir=data, may_make=False, file=home).file == home
        else:
            with pytest.raises(WrongKey, match="chmod o= "):
                master_key(data_dir=data, may_make=False, file=home)

    def test_what_systemd_hands_over_is_taken(self, home: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """LoadCredential gives access by a list, which shows as the group's right to read."""
        make_key_file(home, KeyRing.new())
        home.chmod(0o440)
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(home.parent))
        assert master_key(data_dir=data, may_make=False, file=home).file == home

    def test_beside_the_data_it_is_refused(self, tmp_path: Path, data: Path) -> None:
        deep, database = data / "deep" / "master.key", tmp_path / "db" / "x.db"
        database.parent.mkdir()
        beside = database.parent / "master.key"
        for key in (deep, beside):
            make_key_file(key, KeyRing.new())
            with pytest.raises(WrongKey, match="beside the data") as caught:
                master_key(data_dir=data, sqlite_file=database, may_make=True, file=key)
            assert str(key) in str(caught.value)

    def test_a_link_hides_neither_the_key_nor_the_data(self, tmp_path: Path, home: Path, data: Path) -> None:
        inside = data / "master.key"
        make_key_file(inside, KeyRing.new())
        home.parent.mkdir(parents=True)
        home.symlink_to(inside)
        other = tmp_path / "other"
        other.symlink_to(data)
        for key, folder in ((home, data), (inside, other), (other / "master.key", data)):
            with pytest.raises(WrongKey, match="beside the data"):
                master_key(data_dir=folder, may_make=False, file=key)

    def test_one_is_not_made_beside_the_data(self, home: Path) -> None:
        with pytest.raises(WrongKey, match="beside the data"):
            master_key(data_dir=home.parent.parent, may_make=True, default_file=home)
        assert not home.exists()

    def test_the_demo_may_keep_it_beside_its_data(self, data: Path) -> None:
        found = master_key(data_dir=data, may_make=True, default_file=data / "master.key", beside_data=True)
        assert found.made

    @pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe\0"])
    def test_a_file_without_a_key_is_said(self, home: Path, data: Path, content: bytes) -> None:
        make_key_file(home, KeyRing.new())
        home.write_bytes(content)
        with pytest.raises(WrongKey, match="holds no master key") as caught:
            master_key(data_dir=data, may_make=True, default_file=home)
        assert str(home) in str(caught.value)
        assert home.read_bytes() == content

    def test_a_folder_in_its_place_is_said(self, home: Path, data: Path) -> None:
        home.mkdir(parents=True)
        with pytest.raises(WrongKey, match="can't be read: Is a directory"):
            master_key(data_dir=data, may_make=True, default_file=home)

    def test_a_link_to_nowhere_is_not_taken_for_a_first_start(self, home: Path, data: Path) -> None:
        home.parent.mkdir(parents=True)
        home.symlink_to(home.parent / "unplugged" / "master.key")
        with pytest.raises(MissingKey, match="link"):
            master_key(data_dir=data, may_make=True, default_file=home)

    def test_a_folder_that_can_not_be_made_is_said(self, tmp_path: Path, data: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(WrongKey, match="Not a directory"):
            master_key(data_dir=data, may_make=True, default_file=tmp_path / "file" / "ajar" / "master.key")

    def test_without_a_home_folder_it_says_what_to_set(self, data: Path) -> None:
        with pytest.raises(MissingKey, match="AJAR_MASTER_KEY_FILE"):
            master_key(data_dir=data, may_make=True, default_file=Path("~/.config/ajar/master.key"))

    def test_the_given_text_goes_first_and_makes_no_file(self, home: Path, data: Path) -> None:
        found = master_key(text=KEY_TEXT, data_dir=data, may_make=True, default_file=home)
        assert (found.ring.text, found.file, found.made) == (f"1:{KEY_TEXT}", None, False)
        assert not home.exists()

    def test_a_named_file_that_is_gone_is_said_and_not_made(self, home: Path, data: Path) -> None:
        with pytest.raises(MissingKey, match="AJAR_MASTER_KEY_FILE"):
            master_key(file=home, data_dir=data, may_make=True)
        assert not home.exists()

    def test_by_default_it_lies_in_the_users_configuration_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        assert crypto.default_key_file().name == "master.key"
        assert crypto.default_key_file().is_relative_to(tmp_path)
