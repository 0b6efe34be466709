"""A sandbox as a process, a shop that receives its webhooks, and how tests speak to both."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from uuid import uuid4

import requests

from tests.support.servers import CHECKOUT, free_port
from tests.support.waiting import wait_until

PAYSTACK_SECRET = "sk_test_of_these_tests"
SMTP_USER, SMTP_PASSWORD = "shop", "mail-password"
SECRETS = {
    "SANDBOX_PAYSTACK_SECRET": PAYSTACK_SECRET,
    "SANDBOX_CLOUDINARY_URL": "cloudinary://111222333:sandbox-secret@demo",
    "SANDBOX_SMTP_USER": SMTP_USER,
    "SANDBOX_SMTP_PASSWORD": SMTP_PASSWORD,
}


@dataclass(frozen=True, slots=True)
class Received:
    headers: dict[str, str]
    body: bytes


@dataclass
class Shop:
    """Takes webhooks at `url`; answers with what is left in `answers`, then with 200."""

    port: int = field(default_factory=free_port)
    answers: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/paystack/webhook"

    def about(self, reference: str) -> list[Received]:
        """What was received with this reference in it, oldest first."""
        return [one for one in list(self.received) if reference.encode() in one.body]

    def waits_for(self, reference: str, count: int = 1) -> list[Received]:
        wait_until(lambda: len(self.about(reference)) >= count, what=f"webhooks of {reference}")
        return self.about(reference)

    def take(self, request: Received) -> int:
        with self.lock:
            self.received.append(request)
            return self.answers.pop(0) if self.answers else 200

    @contextmanager
    def open(self) -> Iterator[None]:
        """Listen; outside of this block, connections are refused."""
        server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


def _handler(shop: Shop) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(shop.take(Received(headers, body)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Tests have nothing to say on standard error."""

    return Handler


class Sandbox:
    """`python -m sandbox`; may be killed and started again on the same books."""

    def __init__(self, folder: Path, webhook_url: str) -> None:
        self.folder, self.webhook_url = folder, webhook_url
        self.port, self.smtp_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = requests.Session()

    def start(self) -> None:
        arguments = {
            "host": "127.0.0.1",
            "port": self.port,
            "smtp-port": self.smtp_port,
            "public-url": self.url,
            "webhook-url": self.webhook_url,
            "state-dir": self.folder / "state",
            "retry-factor": 0.1,
            "refund-step": 0.05,
        }
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sandbox"]
                + [f"--{name}={value}" for name, value in arguments.items()],
                env={**os.environ, **SECRETS, "PYTHONPATH": str(CHECKOUT / "deploy")},
                stdout=log,
                stderr=log,
            )
        wait_until(self._is_ready, what=f"the sandbox, see {self.log()}")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The exit status."""
        self.http.close()
        self.process.send_signal(how)
        return self.process.wait(10)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def get(self, path: str, /, **options: Any) -> Any:
        """JSON from a page or the control API."""
        answer = self.http.get(self.url + path, **options)
        assert answer.ok, answer.text
        return answer.json()

    def post(self, path: str, /, **body: Any) -> Any:
        answer = self.http.post(self.url + path, json=body)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def paystack(self, method: str, path: str, **options: Any) -> requests.Response:
        """A call to Paystack's API with the right key."""
        headers = {"Authorization": f"Bearer {PAYSTACK_SECRET}"}
        return self.http.request(
            method, f"{self.url}/paystack{path}", headers=headers, timeout=5, **options
        )

    def opened(self, **fields: Any) -> str:
        """A new payment of NGN 2,500; its reference."""
        body = {"email": "ada@example.com", "amount": 250_000, "reference": new_reference()}
        answer = self.paystack("POST", "/transaction/initialize", json=body | fields)
        assert answer.ok, answer.text
        return str(answer.json()["data"]["reference"])

    def paid(self, **how: Any) -> str:
        reference = self.opened()
        self.post(f"/_sandbox/paystack/transactions/{reference}/pay", **how)
        return reference

    def verified(self, reference: str) -> Any:
        return self.paystack("GET", f"/transaction/verify/{reference}").json()["data"]

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log()
        try:
            return self.http.get(f"{self.url}/_sandbox/ready", timeout=1).ok
        except requests.RequestException:
            return False


def new_reference() -> str:
    return f"ord-{uuid4().hex[:12]}"
