"""The unprivileged account of PostgreSQL when root runs the platform: PostgreSQL refuses to run as root."""

import os
import pwd
import stat
import subprocess
from pathlib import Path

from deploy.errors import ForeignDataError

ACCOUNT = "handoff-postgres"
_TRAVERSE = stat.S_IXOTH
_READ = stat.S_IROTH


def account_for(data: Path) -> str:
    """Return the name of the account to run the server of this data with; empty if this process is not root's.

    Under root it is the owner of the data if they exist, else an account that is created for this purpose.

    Raises:
        ForeignDataError: another account owns the data, and this process is not root's or the account does not exist.
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
        raise ForeignDataError(
            f"{data} belongs to an account with number {owner}, which does not exist on this machine."
        ) from error


def _own_account() -> str:
    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError:
        return _create_account()
    return ACCOUNT


def _create_account() -> str:
    """Create the account; on systems without `useradd`, use the account that every system has."""
    options = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    try:
        subprocess.run(["useradd", *options], check=True, capture_output=True)  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError):
        return "nobody"
    return ACCOUNT


def give_folder(folder: Path, account: str) -> None:
    """Create a folder that only the account can read, and let the account reach it; an empty name means our own."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if account:
        entry = pwd.getpwnam(account)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        allow_traversal(folder)


def give_file(path: Path, account: str) -> None:
    """Let the account, and no other, read a file."""
    path.chmod(0o600)
    entry = pwd.getpwnam(account)
    os.chown(path, entry.pw_uid, entry.pw_gid)


def allow_traversal(path: Path) -> None:
    """Let every account pass through the folders above `path`, without the right to list them."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & _TRAVERSE:
            folder.chmod(mode | _TRAVERSE)


def allow_reading(tree: Path) -> None:
    """Let every account read and execute the files in `tree`, if they were installed for their owner only."""
    if tree.stat().st_mode & _READ:
        return
    for path in [tree, *tree.rglob("*")]:
        mode = path.stat().st_mode
        executable = _TRAVERSE if mode & stat.S_IXUSR else 0
        path.chmod(mode | _READ | executable)
