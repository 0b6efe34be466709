"""All five web applications over real databases and a real Redis, and people who sign in to them.

What is between them (broker, gateway) is not here; tokens are identity's own, so what a role may do
is what identity's tables say.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.test import TestResponse

from identity.domain.values import EmailAddress, Profile
from identity.use_cases.commands import staff
from oja_events.contracts import Event
from oja_events.migrating import migrate
from oja_web.testing import bearer, make_key_pair
from stack.services import SERVICES
from tests.contract.test_http import made_up_environment
from tests.integration.money.paystack import Paystack
from tests.support.postgres import scratch_database
from tests.support.redis import private_redis

ENV_EXAMPLE = Path(__file__).parents[2] / ".env.example"
PASSWORD = "a horse of course"
# Hashes are tried elsewhere; here people only have to get in.
# And nobody is to come too often: limits are tried elsewhere too.
_NO_LIMITS = {
    f"LIMIT_{name}": "1000000 per second"
    for name in re.findall(r"^# LIMIT_([A-Z_]+)=", ENV_EXAMPLE.read_text(), re.MULTILINE)
}
_CHEAP_HASHES = {
    "ARGON2_MEMORY_KIB": "8",
    "ARGON2_TIME_COST": "1",
    "ARGON2_PARALLELISM": "1",
    "ARGON2_CONCURRENCY": "8",
}


@dataclass(frozen=True)
class Person:
    """Somebody with an account, signed in with a token and, if of the staff, at the console."""

    id: str
    email: str
    bearer: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class FiveApps:
    apps: dict[str, Flask]
    deps: dict[str, Any]

    def call(
        self, service: str, method: str, path: str, headers: dict[str, str], **options: Any
    ) -> TestResponse:
        """With no cookies but those in `headers`."""
        client = self.apps[service].test_client(use_cookies=False)
        return client.open(path, method=method, headers=headers, **options)

    def hear(self, service: str, event: Event) -> None:
        """Give the event to the service's handler."""
        handlers = import_module(f"{service}.entrypoints.consumer").SUBSCRIPTIONS
        handlers[type(event)](event, uow=self.deps[service].unit_of_work())

    def person(self, *roles: str) -> Person:
        """Somebody new with these built-in roles."""
        deps, email = self.deps["identity"], f"ada.{uuid4().hex[:12]}@example.com"
        new = staff.NewUser(
            EmailAddress(email, email), Profile("Ada", "Obi"), PASSWORD, frozenset(roles)
        )
        user = staff.create_admin(
            new, policy=deps.policy, hasher=deps.hasher, uow=deps.unit_of_work()
        )
        return Person(str(user.id), email, bearer(self._token(email)))

    def console(self, person: Person) -> dict[str, str]:
        """The headers of a browser in which this person has just opened the admin console."""
        answer = self.call(
            "identity", "POST", "/api/admin/session", {}, json=_credentials(person.email)
        )
        assert answer.status_code == 200, answer.text
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return {"Cookie": cookie, "X-CSRF-Token": answer.get_json()["csrf_token"]}

    def _token(self, email: str) -> str:
        answer = self.call("identity", "POST", "/api/auth/login", {}, json=_credentials(email))
        assert answer.status_code == 200, answer.text
        token: str = answer.get_json()["access_token"]
        return token


def _credentials(email: str) -> dict[str, str]:
    return {"email": email, "password": PASSWORD}


@contextmanager
def five_apps() -> Iterator[FiveApps]:
    """Build them over new databases; Paystack is one in this process."""
    keys = make_key_pair()
    pair = {"JWT_PRIVATE_KEY": keys.private_pem, "JWT_PUBLIC_KEYS": keys.jwks}
    with ExitStack() as stack:
        redis = stack.enter_context(private_redis())
        env = {
            **made_up_environment(),
            **_CHEAP_HASHES,
            **_NO_LIMITS,
            **pair,
            "REDIS_URL": redis.url,
        }
        apps, deps = {}, {}
        for service in SERVICES:
            url = stack.enter_context(scratch_database())
            wiring, create_app = _wired(service, {**env, "DATABASE_URL": url})
            stack.callback(wiring.engine.dispose)
            deps[service], apps[service] = wiring, create_app(wiring.settings, wiring)
        yield FiveApps(apps, deps)


def _wired(service: str, env: dict[str, str]) -> tuple[Any, Callable[..., Flask]]:
    bootstrap = import_module(f"{service}.bootstrap")
    migrate(service, bootstrap.MIGRATIONS, env["DATABASE_URL"])
    settings = import_module(f"{service}.settings").Settings.from_env(env)
    wiring = bootstrap.build(settings)
    if service == "payments":
        wiring = replace(wiring, provider=Paystack())
    return wiring, import_module(f"{service}.entrypoints.http.app").create_app
