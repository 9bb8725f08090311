"""The account that PostgreSQL runs under when we are root, because it refuses to run as root."""

import os
import pwd
import stat
import subprocess
from pathlib import Path

from deploy.local.problems import ForeignDataError

ACCOUNT = "handoff-postgres"
_PASS = stat.S_IXOTH
_READ = stat.S_IROTH


def account_for(data: Path) -> str:
    """Name of the account that the server of this data runs under: none if we are an ordinary user.

    Under root it is the owner of the data, if there are data, else an account made for this purpose.

    Raises:
        ForeignDataError: the data belong to somebody else, and we may not act in their name.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in {None, os.geteuid()}:
            raise ForeignDataError(f"{data} belongs to another account. Run as root, or choose another --data-dir.")
        return ""
    return _own_account() if owner is None else _name_of(owner, data)


def _name_of(owner: int, data: Path) -> str:
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError as error:
        raise ForeignDataError(f"{data} belongs to an account (number {owner}) that this machine lacks.") from error


def _own_account() -> str:
    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError:
        return _make_account()
    return ACCOUNT


def _make_account() -> str:
    """Make the account, or fall back to `nobody` on systems that have no `useradd`."""
    options = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    try:
        subprocess.run(["useradd", *options], check=True, capture_output=True)  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError):
        return "nobody"
    return ACCOUNT


def give(folder: Path, account: str) -> None:
    """Make the folder the account's own, for nobody else to read, and reachable for it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if account:
        entry = pwd.getpwnam(account)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        let_pass(folder)


def give_file(path: Path, account: str) -> None:
    """Make a file the account's own, for nobody else to read."""
    path.chmod(0o600)
    entry = pwd.getpwnam(account)
    os.chown(path, entry.pw_uid, entry.pw_gid)


def let_pass(path: Path) -> None:
    """Let every account walk through the folders above `path`, without letting it list them."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & _PASS:
            folder.chmod(mode | _PASS)


def let_read(tree: Path) -> None:
    """Let every account read and run what is in `tree`, if it was installed for its owner only."""
    if tree.stat().st_mode & _READ:
        return
    for path in [tree, *tree.rglob("*")]:
        mode = path.stat().st_mode
        runnable = _PASS if mode & stat.S_IXUSR else 0
        path.chmod(mode | _READ | runnable)
