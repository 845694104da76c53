"""The master key's file is private to its owner, and is replaced without losing a key."""

import os
import shlex
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.crypto import KeyRing, MissingKey, WrongKey
from bot.keyfile import (
    changing,
    default_key_file,
    drop_kept_ring,
    kept_file,
    kept_ring,
    make_key_file,
    master_key,
    replace_key_file,
)

KEY_TEXT = "b0TDv3uCqZJmWm7uQ1l1cJp3b8m9o1n0a2s4d6f8g0E="


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
    def test_key_is_made_and_announced_once(self, home: Path, data: Path) -> None:
        first = master_key(data_dir=data, may_make=True, default_file=home)
        second = master_key(data_dir=data, may_make=False, default_file=home)
        assert (first.made, first.file, second.made) == (True, home, False)
        assert first.ring.text == second.ring.text == home.read_text().strip()

    @pytest.mark.usefixtures("umask")
    @pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
    def test_key_file_is_always_private(self, home: Path, data: Path, mask: int) -> None:
        home.parent.parent.mkdir(parents=True)
        os.umask(mask & 0o077)  # the owner needs rights on the folder to use it at all
        home.parent.mkdir(mode=0o700)
        os.umask(mask)
        master_key(data_dir=data, may_make=True, default_file=home)
        assert mode(home) == 0o600

    @pytest.mark.usefixtures("umask")
    def test_key_is_never_briefly_readable(self, home: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[int] = []
        monkeypatch.setattr("os.fchmod", lambda handle, _: seen.append(stat.S_IMODE(os.fstat(handle).st_mode)))
        master_key(data_dir=data, may_make=True, default_file=home)
        assert seen == [0o600]

    @pytest.mark.usefixtures("umask")
    def test_folder_is_made_private(self, home: Path, data: Path) -> None:
        master_key(data_dir=data, may_make=True, default_file=home)
        assert mode(home.parent) == 0o700
        assert [path.name for path in home.parent.iterdir()] == ["master.key"]

    def test_concurrent_starts_share_one_key(self, home: Path, data: Path) -> None:
        code = (
            "import sys, pathlib; from bot.keyfile import master_key; print('ready', flush=True); sys.stdin.readline();"
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

    def test_existing_file_is_never_overwritten(self, home: Path) -> None:
        ring = KeyRing.new()
        assert make_key_file(home, ring)
        assert not make_key_file(home, KeyRing.new())
        assert home.read_text().strip() == ring.text

    def test_existing_lines_prevent_a_new_key(self, home: Path, data: Path) -> None:
        with pytest.raises(MissingKey) as caught:
            master_key(data_dir=data, may_make=False, default_file=home)
        assert str(home) in str(caught.value)
        assert "nobody can open them" in str(caught.value)
        assert not home.parent.exists()

    @pytest.mark.parametrize("bits", [0o640, 0o604, 0o644, 0o660, 0o620])
    def test_key_readable_by_others_is_refused(self, home: Path, data: Path, bits: int) -> None:
        make_key_file(home, KeyRing.new())
        home.chmod(bits)
        with pytest.raises(WrongKey, match="chmod 600"):
            master_key(data_dir=data, may_make=True, file=home)
        with pytest.raises(WrongKey, match="chmod 600") as caught:
            master_key(data_dir=data, may_make=True, default_file=home)
        subprocess.run(shlex.split(str(caught.value).partition("Type: ")[2]), check=True)
        assert master_key(data_dir=data, may_make=True, default_file=home).made is False

    @pytest.mark.parametrize(("bits", "fine"), [(0o440, True), (0o400, True), (0o640, True), (0o644, False)])
    def test_group_may_share_the_key(
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

    def test_systemd_credential_is_accepted(self, home: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """LoadCredential gives access by an ACL, which shows up as the group's right to read."""
        make_key_file(home, KeyRing.new())
        home.chmod(0o440)
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(home.parent))
        assert master_key(data_dir=data, may_make=False, file=home).file == home

    def test_key_beside_the_data_is_refused(self, tmp_path: Path, data: Path) -> None:
        deep, database = data / "deep" / "master.key", tmp_path / "db" / "x.db"
        database.parent.mkdir()
        beside = database.parent / "master.key"
        for key in (deep, beside):
            make_key_file(key, KeyRing.new())
            with pytest.raises(WrongKey, match="beside the data") as caught:
                master_key(data_dir=data, sqlite_file=database, may_make=True, file=key)
            assert str(key) in str(caught.value)

    def test_symlink_hides_neither_key_nor_data(self, tmp_path: Path, home: Path, data: Path) -> None:
        inside = data / "master.key"
        make_key_file(inside, KeyRing.new())
        home.parent.mkdir(parents=True)
        home.symlink_to(inside)
        other = tmp_path / "other"
        other.symlink_to(data)
        for key, folder in ((home, data), (inside, other), (other / "master.key", data)):
            with pytest.raises(WrongKey, match="beside the data"):
                master_key(data_dir=folder, may_make=False, file=key)

    def test_key_avoids_the_data_folder(self, home: Path) -> None:
        with pytest.raises(WrongKey, match="beside the data"):
            master_key(data_dir=home.parent.parent, may_make=True, default_file=home)
        assert not home.exists()

    def test_demo_key_may_be_beside_data(self, data: Path) -> None:
        found = master_key(data_dir=data, may_make=True, default_file=data / "master.key", beside_data=True)
        assert found.made

    @pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe\0"])
    def test_file_without_a_key_is_reported(self, home: Path, data: Path, content: bytes) -> None:
        make_key_file(home, KeyRing.new())
        home.write_bytes(content)
        with pytest.raises(WrongKey, match="holds no master key") as caught:
            master_key(data_dir=data, may_make=True, default_file=home)
        assert str(home) in str(caught.value)
        assert home.read_bytes() == content

    def test_folder_instead_of_key_is_reported(self, home: Path, data: Path) -> None:
        home.mkdir(parents=True)
        with pytest.raises(WrongKey, match="can't be read: Is a directory"):
            master_key(data_dir=data, may_make=True, default_file=home)

    def test_dangling_symlink_is_no_first_start(self, home: Path, data: Path) -> None:
        home.parent.mkdir(parents=True)
        home.symlink_to(home.parent / "unplugged" / "master.key")
        with pytest.raises(MissingKey, match="link"):
            master_key(data_dir=data, may_make=True, default_file=home)

    def test_uncreatable_folder_is_reported(self, tmp_path: Path, data: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(WrongKey, match="Not a directory"):
            master_key(data_dir=data, may_make=True, default_file=tmp_path / "file" / "ajar" / "master.key")

    def test_missing_home_names_the_setting(self, data: Path) -> None:
        with pytest.raises(MissingKey, match="AJAR_MASTER_KEY_FILE"):
            master_key(data_dir=data, may_make=True, default_file=Path("~/.config/ajar/master.key"))

    def test_given_key_makes_no_file(self, home: Path, data: Path) -> None:
        found = master_key(text=KEY_TEXT, data_dir=data, may_make=True, default_file=home)
        assert (found.ring.text, found.file, found.made) == (f"1:{KEY_TEXT}", None, False)
        assert not home.exists()

    def test_missing_named_file_is_not_made(self, home: Path, data: Path) -> None:
        with pytest.raises(MissingKey, match="AJAR_MASTER_KEY_FILE"):
            master_key(file=home, data_dir=data, may_make=True)
        assert not home.exists()

    def test_default_is_in_user_configuration(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        assert default_key_file().name == "master.key"
        assert default_key_file().is_relative_to(tmp_path)


@pytest.fixture
def ring(home: Path) -> KeyRing:
    """The key in the file."""
    made = KeyRing.new()
    make_key_file(home, made)
    return made


def held(path: Path) -> str:
    return path.read_text().strip()


class TestChanging:
    def test_previous_ring_is_kept(self, home: Path, ring: KeyRing) -> None:
        new = ring.rotated()
        replace_key_file(home, ring, new)
        assert held(home) == new.text
        kept = kept_ring(home)
        assert kept
        assert kept.text == ring.text
        assert {mode(path) for path in home.parent.iterdir()} == {0o600}
        drop_kept_ring(home)
        assert kept_ring(home) is None
        assert list(home.parent.iterdir()) == [home]

    def test_foreign_change_is_left_alone(self, home: Path, ring: KeyRing) -> None:
        other = ring.rotated()
        home.write_text(other.text)
        with pytest.raises(WrongKey, match="Somebody else has changed"):
            replace_key_file(home, ring, ring.rotated())
        assert held(home) == other.text
        home.unlink()
        with pytest.raises(WrongKey, match="Somebody else has changed"):
            replace_key_file(home, ring, ring.rotated())
        assert not list(home.parent.iterdir())

    def test_kept_version_is_not_overwritten(self, home: Path, ring: KeyRing) -> None:
        replace_key_file(home, ring, two := ring.rotated())
        replace_key_file(home, two, alone := two.without(1))
        with pytest.raises(WrongKey, match="ajar keys rewrap"):
            replace_key_file(home, alone, alone.rotated())
        assert held(home) == alone.text
        assert held(kept_file(home)) == two.text

    def test_change_follows_the_symlink(self, tmp_path: Path, home: Path, ring: KeyRing) -> None:
        link = tmp_path / "link"
        link.symlink_to(home)
        replace_key_file(link, ring, new := ring.rotated())
        assert link.is_symlink()
        assert held(home) == new.text
        assert kept_file(link) == kept_file(home)

    def test_readers_keep_their_access(self, home: Path, ring: KeyRing) -> None:
        home.chmod(0o400)
        if os.geteuid() == 0:  # the service's file, changed by root
            os.chown(home, 65534, 65534)
            home.chmod(0o440)
        before = home.stat()
        replace_key_file(home, ring, ring.rotated())
        for path in (home, kept_file(home)):
            after = path.stat()
            assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)

    def test_concurrent_second_change_is_refused(self, home: Path, ring: KeyRing) -> None:
        with changing(home), pytest.raises(WrongKey, match="Another command"), changing(home):
            pass
        with changing(home):
            replace_key_file(home, ring, ring.rotated())

    def test_killed_changes_draft_is_removed(self, home: Path, ring: KeyRing) -> None:
        for name in (home.name, kept_file(home).name):
            (home.parent / f".{name}.draft").write_text("half a k")
        replace_key_file(home, ring, ring.rotated())
        drop_kept_ring(home)
        assert list(home.parent.iterdir()) == [home]

    def test_unwritable_folder_is_reported(self) -> None:
        with tempfile.TemporaryDirectory(prefix="ajar-keys-") as name:  # not pytest's folder, which only root can enter
            file = Path(name) / "master.key"
            ring = KeyRing.new()
            make_key_file(file, ring)
            Path(name).chmod(0o555)
            said = _as_nobody(file, lambda: replace_key_file(file, ring, ring.rotated()))
            Path(name).chmod(0o755)
            assert said == f"WrongKey: The master key can't be written to {file}: Permission denied."
            assert [held(path) for path in Path(name).iterdir()] == [ring.text]


def _as_nobody(file: Path, work: Callable[[], object]) -> str:
    """Return what `work` raises for a user who isn't root and owns the file but not its folder."""
    reads, writes = os.pipe()
    if (child := os.fork()) == 0:
        if os.geteuid() == 0:
            os.chown(file, 65534, 65534)
            os.seteuid(65534)
        try:
            work()
        except Exception as error:  # noqa: BLE001  # it is said to the parent
            os.write(writes, f"{type(error).__name__}: {error}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        return pipe.read()
