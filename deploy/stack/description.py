"""stack.json: what programs and people need to talk to a running stack."""

from typing import Any

from stack.addresses import sandbox_url, smtp_url
from stack.context import Stack
from stack.home import write_json
from stack.ports import HOST
from stack.programs import upstreams
from stack.servers import postgres, rabbitmq, redis
from stack.services import SERVICES

ADMIN_EMAIL = "admin@oja.example"


def describe(stack: Stack) -> dict[str, Any]:
    """The whole description, passwords included: for files that only their owner reads."""
    return public(stack) | {
        "postgres": {
            "superuser_dsn": postgres.superuser_dsn(stack),
            "host": HOST,
            "port": stack.ports["postgres"],
        },
        "broker": {"admin_url": rabbitmq.url(stack, rabbitmq.ADMIN), "management_url": None},
        "redis": {"url": redis.url(stack, redis.ADMIN)},
        "services": {service: _service(stack, service) for service in SERVICES},
        "sandbox": {
            "control_url": f"{sandbox_url(stack)}/_sandbox",
            "smtp_url": smtp_url(stack),
        },
    }


def public(stack: Stack) -> dict[str, Any]:
    """What may be printed: addresses, and where the administrator's password lies."""
    sandbox = f"http://localhost:{stack.ports['sandbox']}"
    return {
        "home": str(stack.home.path),
        "urls": {
            "gateway": stack.public_url,
            "docs": f"{stack.public_url}/docs",
            "sandbox": sandbox,
            "mail": f"{sandbox}/mail",
        },
        "admin": {
            "email": ADMIN_EMAIL,
            "password_file": str(stack.credentials.admin_password_file()),
        },
    }


def write(stack: Stack) -> None:
    write_json(stack.home.description, describe(stack))


def _service(stack: Stack, service: str) -> dict[str, Any]:
    return {
        "env_file": str(stack.home.env / f"{service}.env"),
        "http": [f"http://{server}" for server in upstreams(stack)[service]],
    }
