"""The account that PostgreSQL runs under when we are root, because it refuses to run as root."""

import os
import pwd
import stat
import subprocess
from pathlib import Path

ACCOUNT = "handoff-postgres"
_PASS = stat.S_IXOTH
_READ = stat.S_IROTH


def account_for_postgres() -> str:
    """Name of the account to use: none if we are an ordinary user, else one made for this purpose."""
    if os.geteuid() != 0:
        return ""
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
