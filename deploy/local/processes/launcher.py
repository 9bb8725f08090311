"""Start one program that ends with its parent: `launcher.py PARENT SIGNAL USER PROGRAM [ARGUMENT ...]`.

The Python that runs Handoff runs this file as a script, with the standard library only. The process then becomes the
program.
"""

import ctypes
import os
import pwd
import signal
import sys

_PR_SET_PDEATHSIG = 1


def _drop_privileges(user: str) -> None:
    """Change from root to `user`, irrevocably; an empty name changes nothing."""
    if not user:
        return
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def _end_with(parent: int, death_signal: int) -> None:
    """Ask the kernel to send `death_signal` when `parent` ends; exit if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    # The parent may have ended before the call above, which then has no effect.
    if os.getppid() != parent:
        sys.exit(1)


def main() -> None:
    """Become the program that the arguments name."""
    parent, death_signal, user, *command = sys.argv[1:]
    # The order matters: a change of user clears the death signal.
    _drop_privileges(user)
    _end_with(int(parent), int(death_signal))
    # A parent that blocks signals would pass its mask on, and the program could not be stopped.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
