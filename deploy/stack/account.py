"""Under which user the servers run: ourselves, or an unprivileged user when we are root."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.failure import Failure

_CANDIDATES = ("postgres", "nobody")
# Bit numbers in the kernel's capability sets.
_PASS_ANY_FOLDER = {"dac_read_search": 2, "dac_override": 1}


@dataclass(frozen=True, slots=True)
class Account:
    """Whom servers and services run as, and how a command becomes his."""

    name: str
    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    def own(self, *paths: Path) -> None:
        """Make these folders, and give them to the account."""
        for path in paths:
            path.mkdir(mode=0o700, exist_ok=True)
            if path.stat().st_uid != self.uid:
                os.chown(path, self.uid, self.gid)

    def give(self, file: Path) -> None:
        """Give a file to the account."""
        if file.stat().st_uid != self.uid:
            os.chown(file, self.uid, self.gid)


def server_account(home: Path, checkout: Path) -> Account:
    """Ourselves, or as root an unprivileged user (Postgres refuses to run as root)."""
    if os.geteuid() != 0:
        me = pwd.getpwuid(os.geteuid())
        return Account(me.pw_name, me.pw_uid, me.pw_gid)
    if shutil.which("setpriv") is None:
        raise Failure("setpriv is missing; install util-linux.")
    user = _unprivileged()
    prefix = (
        *("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
        *_extra_rights(user, (home, checkout, Path(sys.base_prefix))),
        "--",
    )
    return Account(user.pw_name, user.pw_uid, user.pw_gid, prefix)


def _unprivileged() -> pwd.struct_passwd:
    for name in _CANDIDATES:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Failure("There is no unprivileged user to run the servers as (postgres or nobody).")


def _extra_rights(user: pwd.struct_passwd, paths: Sequence[Path]) -> Sequence[str]:
    """What lies in root's own folder (the checkout, a Python built there) is closed to others.

    Rather than open that folder, let the servers pass through closed ones.
    """
    if all(_reaches(user, path) for path in paths):
        return ()
    for name, bit in _PASS_ANY_FOLDER.items():
        if _bounding_set() >> bit & 1:
            rights = (f"--inh-caps=+{name}", f"--ambient-caps=+{name}")
            # Without it, the kernel answers access(2) for such a user as if he had no rights.
            return ("--securebits=+no_setuid_fixup", *rights)
    raise Failure(
        f"{paths[0]} cannot be reached by the user {user.pw_name}, whom the servers run as; "
        "put the checkout somewhere else."
    )


def _reaches(user: pwd.struct_passwd, path: Path) -> bool:
    command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    command += ["--", "test", "-x", str(path)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _bounding_set() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return int(line.split()[1], 16)
    return 0
