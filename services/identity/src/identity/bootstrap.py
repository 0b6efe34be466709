"""The composition root: settings in, everything wired out. Nothing connects before first use."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from identity.adapters.books import FACTS
from identity.adapters.common_passwords import CommonPasswords
from identity.adapters.hashing import Argon2Hasher
from identity.adapters.profile_cache import RedisProfiles
from identity.adapters.read_models import SqlQueries
from identity.adapters.signing import TokenSigner, new_pair, published
from identity.adapters.strikes import RedisStrikes
from identity.adapters.unit_of_work import SqlUnitOfWork
from identity.domain.passwords import PasswordPolicy
from identity.domain.patience import Patience
from identity.settings import HashingSettings, Settings
from identity.use_cases.commands.attempts import Attempts
from identity.use_cases.ports import AccessTokens, PasswordHasher, Profiles
from identity.use_cases.queries import Queries
from oja_events.books.facts import Facts
from oja_events.database import make_engine, ping
from oja_events.prepared import FOR_ITS_VALUES
from oja_events.wakeup import Waker
from oja_web.shared_redis import SharedRedis

SERVICE = "identity"
MIGRATIONS = Path(__file__).parent / "adapters" / "migrations"


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the entrypoints work with. `unit_of_work` gives a fresh one for each use."""

    settings: Settings
    engine: Engine
    facts: Facts
    unit_of_work: Callable[..., SqlUnitOfWork]
    queries: Queries
    hasher: PasswordHasher
    policy: PasswordPolicy
    access_tokens: AccessTokens
    profiles: Profiles
    attempts: Attempts
    jwks: dict[str, Any]

    def check(self) -> None:
        """Raises while the database does not answer."""
        ping(self.engine)


def build(settings: Settings, *, role: str = "http", pool_size: int = 6) -> Dependencies:
    engine = make_engine(
        settings.database_url, application=f"{SERVICE}-{role}", pool_size=pool_size
    )
    sessions = sessionmaker(engine, expire_on_commit=False)
    keys, profiles = settings.jwt_public_keys, RedisProfiles(settings.redis_url)
    return Dependencies(
        settings=settings,
        engine=engine,
        facts=FACTS,
        unit_of_work=partial(
            SqlUnitOfWork,
            sessions,
            source=SERVICE,
            waker=Waker(engine, SERVICE),
            profiles=profiles,
        ),
        queries=SqlQueries(sessionmaker(engine.execution_options(**FOR_ITS_VALUES))),
        hasher=_hasher(settings.hashing),
        policy=PasswordPolicy(CommonPasswords(), settings.password_min_length),
        access_tokens=TokenSigner(settings.jwt_private_key, keys, settings.jwt_issuer),
        profiles=profiles,
        attempts=_attempts(settings),
        jwks=published(keys),
    )


def _attempts(settings: Settings) -> Attempts:
    """Whoever guesses an account's password gets a hundred guesses a day, from wherever. A network
    may be that of a whole mobile operator. The overall brake slows a storm of guesses for all."""
    limits = settings.sign_in

    def patience(name: str, free: int, first: int, longest: timedelta, memory: int) -> Patience:
        return Patience(name, free, timedelta(seconds=first), longest, timedelta(seconds=memory))

    account = patience("login-account", limits.failures_of_account, 10, limits.longest_wait, 86400)
    return Attempts(
        RedisStrikes(SharedRedis(settings.redis_url)),
        account=replace(account, one_at_a_time=True),
        network=patience(
            "login-address", limits.failures_of_address, 10, timedelta(minutes=5), 900
        ),
        overall=patience("login-overall", limits.failures_overall, 1, timedelta(seconds=10), 300),
        taken=patience("register-taken", limits.taken_addresses, 10, limits.longest_wait, 3600),
        mails=patience("reset-mails", limits.reset_mails, 300, timedelta(hours=6), 86400),
    )


def announced_key(settings: Settings) -> tuple[str, str]:
    """A new private key as PEM, and the set of public keys with its public half added."""
    pem, public = new_pair()
    keys = [*json.loads(settings.jwt_public_keys)["keys"], public]
    return pem, json.dumps({"keys": keys}, separators=(",", ":"))


def _hasher(settings: HashingSettings) -> Argon2Hasher:
    return Argon2Hasher(
        memory_kib=settings.memory_kib,
        time_cost=settings.time_cost,
        parallelism=settings.parallelism,
        concurrency=settings.concurrency,
    )
