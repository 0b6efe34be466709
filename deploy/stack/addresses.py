"""The addresses of one stack's parts, gathered for the services' environments."""

from stack import envfiles
from stack.context import Stack
from stack.envfiles import Addresses
from stack.home import write_private
from stack.programs import upstreams
from stack.servers import postgres, rabbitmq, redis
from stack.services import SERVICES

CLOUD = "oja-sandbox"
_SMTP_USER = "oja"


def addresses(stack: Stack) -> Addresses:
    secrets, servers_of = stack.credentials, upstreams(stack)
    return Addresses(
        public_url=stack.public_url,
        databases={service: _sqlalchemy(stack, service) for service in SERVICES},
        migrations={service: _sqlalchemy(stack, f"{service}_owner") for service in SERVICES},
        brokers={service: rabbitmq.url(stack, service) for service in SERVICES},
        redis={service: redis.url(stack, service) for service in SERVICES},
        readiness={
            service: f"http://{servers[0]}/internal/readyz"
            for service, servers in servers_of.items()
        },
        feeds={service: f"http://{servers[0]}" for service, servers in servers_of.items()},
        sandbox=sandbox_url(stack),
        smtp=smtp_url(stack),
        paystack_secret=secrets.paystack_secret(),
        cloudinary_url=_cloudinary_url(stack),
        jwt_private_key=secrets.jwt_private_key(),
        jwt_public_keys=secrets.jwt_public_keys(),
        identity=f"http://{servers_of['identity'][0]}",
        internal_token=secrets.password("internal"),
        overrides=stack.choices.overrides,
    )


def sandbox_url(stack: Stack) -> str:
    return f"http://{stack.host('sandbox')}:{stack.ports['sandbox']}"


def smtp_url(stack: Stack) -> str:
    password = stack.credentials.password("smtp")
    return f"smtp://{_SMTP_USER}:{password}@{stack.host('sandbox')}:{stack.ports['sandbox-smtp']}"


def write_sandbox_environment(stack: Stack) -> None:
    write_private(stack.home.env / "sandbox.env", envfiles.text(sandbox_environment(stack)))


def sandbox_environment(stack: Stack) -> dict[str, str]:
    """The sandbox checks what the services send with the same secrets."""
    return {
        "SANDBOX_PAYSTACK_SECRET": stack.credentials.paystack_secret(),
        "SANDBOX_CLOUDINARY_URL": _cloudinary_url(stack),
        "SANDBOX_SMTP_USER": _SMTP_USER,
        "SANDBOX_SMTP_PASSWORD": stack.credentials.password("smtp"),
    }


def _cloudinary_url(stack: Stack) -> str:
    key, secret = stack.credentials.cloudinary_key(), stack.credentials.password("cloudinary")
    return f"cloudinary://{key}:{secret}@{CLOUD}"


def _sqlalchemy(stack: Stack, role: str) -> str:
    return postgres.dsn(stack, role).replace("postgresql://", "postgresql+psycopg2://", 1)
