"""Supervisord: its configuration, its life, and talking to it."""

import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ProtocolError, ServerProxy, Transport  # our own  # nosec B411

from stack import belongings
from stack.account import Account
from stack.failure import Failure
from stack.home import Home, read_json, write_json, write_private
from stack.program import Program
from stack.surroundings import surroundings

_LAUNCH = Path(__file__).with_name("launch.py")
_BAD_NAME = 10

_SUPERVISORD = """\
[supervisord]
nodaemon = true
silent = true
identifier = oja
logfile = {log}/supervisord.log
logfile_maxbytes = 5MB
logfile_backups = 1
pidfile = {run}/supervisord.pid
childlogdir = {log}
minfds = 1024

[unix_http_server]
file = {socket}
chmod = 0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""

# startsecs = 0: being ready is asked of each program itself; a program that dies is
# started again at once (launch.py sees to it that this is at most once a second).
# Programs write their logs themselves: supervisord would wake up for every line.
_PROGRAM = """\
[program:{name}]
command = {command}
priority = {priority}
autorestart = true
startsecs = 0
startretries = 1000000
stopsignal = {stop_signal}
stopwaitsecs = 45
killasgroup = true
redirect_stderr = true
stdout_logfile = NONE
environment = OJA_PROCESS="{name}",OJA_PROGRAM="{digest}"
"""


class Supervisor:
    """The supervisord of one stack."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._configuration = home.run / "supervisord.conf"

    def running(self) -> bool:
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except (OSError, HTTPException, ProtocolError, Fault):
            return False

    def start(self, *, within: float = 20.0) -> None:
        """Start supervisord with the configuration that is there, unless it runs already."""
        if self.running():
            return
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._configuration)]
        marks = {belongings.STACK: str(self.home.path), belongings.PROCESS: "supervisord"}
        log = self.home.log / "supervisord.out"
        with log.open("ab") as out:
            child = subprocess.Popen(
                command,
                cwd=self.home.run,
                env=surroundings() | marks,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        deadline = time.monotonic() + within
        while not self.running():
            if child.poll() is not None or time.monotonic() > deadline:
                raise Failure("The supervisor did not start.", log=log)
            time.sleep(0.05)

    def configure(
        self,
        programs: Sequence[Program],
        account: Account,
        *,
        keep: bool = False,
        but: Collection[str] = (),
    ) -> None:
        """Write down what shall run. Takes effect with `start` or `apply`.

        With `keep`, programs that are in the configuration already stay exactly as they are, `but`
        those of these names.
        """
        known = read_json(self.home.programs) if keep else {}
        known = {name: item for name, item in known.items() if name not in but}
        specifications = [
            known.get(program.name) or program.specification(account) for program in programs
        ]
        write_json(self.home.programs, {item["name"]: item for item in specifications})
        sections = [self._head(), *(self._section(item) for item in specifications)]
        write_private(self._configuration, "\n".join(sections))

    def configured(self) -> dict[str, str]:
        """The names and digests of the programs in the configuration on disk."""
        return {name: item["digest"] for name, item in read_json(self.home.programs).items()}

    def apply(self) -> list[str]:
        """Start what is new in the configuration, end what is gone, restart what changed.

        Returns the names that were touched; all others run on undisturbed.
        """
        added, changed, removed = self._call("reloadConfig")[0]
        self.stop([*removed, *changed])
        for name in [*removed, *changed]:
            self._call("removeProcessGroup", name)
        for name in [*changed, *added]:
            self._call("addProcessGroup", name)
        return [*removed, *changed, *added]

    def pids(self) -> dict[str, int]:
        """The pid of each running program."""
        return {name: int(info["pid"]) for name, info in self.information().items() if info["pid"]}

    def information(self) -> dict[str, dict[str, Any]]:
        """supervisord's own words about every program, by name; {} when it does not run."""
        with suppress(OSError, HTTPException, ProtocolError, Fault):
            return {info["name"]: info for info in self._call("getAllProcessInfo")}
        return {}

    def stop(self, names: Iterable[str]) -> None:
        """Ask all of them to stop, together, and wait until they have (at most 45 s).

        Their starts are counted anew afterwards: what was wanted is no restart.
        """
        waiting = stopping = [
            name for name in names if self._asked("stopProcessGroup", name, False)
        ]
        while waiting:
            states = self.information()
            waiting = [name for name in waiting if states.get(name, {}).get("pid")]
            time.sleep(0.05)
        for name in stopping:
            (self.home.starts / name).unlink(missing_ok=True)

    def start_programs(self, names: Iterable[str]) -> None:
        for name in names:
            self._asked("startProcessGroup", name, False)

    def signal(self, name: str, number: str) -> None:
        self._call("signalProcess", name, number)

    def kill(self, name: str) -> None:
        """End it at once; it is started again. Nothing if it does not run."""
        with suppress(OSError, HTTPException, ProtocolError, Fault):
            self._call("signalProcess", name, "KILL")

    def shutdown(self) -> None:
        with suppress(OSError, HTTPException, ProtocolError, Fault):
            self._call("shutdown")

    def pid(self) -> int | None:
        with suppress(OSError, HTTPException, ProtocolError, Fault):
            return int(self._call("getPID"))
        return None

    def _asked(self, method: str, name: str, wait: bool) -> bool:
        try:
            self._call(method, name, wait)
        except Fault as fault:
            if fault.faultCode == _BAD_NAME:
                return False
            raise
        return True

    def _call(self, method: str, *arguments: Any) -> Any:
        with ServerProxy("http://supervisor", transport=_UnixTransport(self.home.socket)) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def _head(self) -> str:
        folders = {"log": self.home.log, "run": self.home.run, "socket": self.home.socket}
        return _SUPERVISORD.format(**{key: _escaped(str(path)) for key, path in folders.items()})

    def _section(self, program: dict[str, Any]) -> str:
        name = program["name"]
        command = [sys.executable, "-I", "-S", str(_LAUNCH), str(self.home.path), name]
        return _PROGRAM.format(
            name=name,
            command=_escaped(shlex.join(command)),
            priority=program["stage"],
            stop_signal=program["stop_signal"],
            digest=program["digest"],
        )


class _UnixTransport(Transport):
    """XML-RPC over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> HTTPConnection:
        connection = _UnixConnection("localhost", timeout=60)
        connection.path = self._path
        self._connection = host, connection  # what `close` closes
        return connection


class _UnixConnection(HTTPConnection):
    path: Path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def _escaped(text: str) -> str:
    # supervisord expands %(...)s in its configuration.
    return text.replace("%", "%%")
