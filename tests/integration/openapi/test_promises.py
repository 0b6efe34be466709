"""Every call does what its OpenAPI document says, whatever is sent: Schemathesis, with all checks.

What it sends is the same in every run. A call that fits its schema may be refused with 422 only for
what no schema can say (refusals.py), with 415 for a picture that is none, and with 412 because
nobody has seen such an ETag.
"""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.schemas import BaseSchema

from stack.services import SERVICES
from tests.contract.test_http import openapi_of
from tests.integration.openapi.refusals import unforeseen
from tests.support.five_apps import FiveApps, Person

EXAMPLES = 2
BOUNDED = settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_CHECKS = {
    "positive_data_acceptance": {
        "expected-statuses": ["2xx", "401", "403", "404", "409", "412", "415", "422", "429"]
    },
    "missing_required_header": {"expected-statuses": ["400", "401", "403", "404", "428"]},
}
# The generator is repeatable and so uses one key for two requests.
_KEY_REUSED = "idempotency_key_reused"


class Later:
    """The application of a service: known when tests are collected, there when they run."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.shop: FiveApps | None = None

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        assert self.shop
        return self.shop.apps[self.service](environ, start_response)


APPS = {service: Later(service) for service in SERVICES}


@pytest.fixture(autouse=True)
def applications(shop: FiveApps) -> None:
    for app in APPS.values():
        app.shop = shop


def document(service: str) -> BaseSchema:
    # NUL is refused everywhere, with 400 before any schema is asked.
    config = schemathesis.Config.from_dict({"checks": _CHECKS, "generation": {"allow-x00": False}})
    schema = schemathesis.openapi.from_dict(openapi_of(service), config=config)
    schema.app = APPS[service]
    return schema


def keeps_its_promises(case: Case, everybody: Person) -> None:
    fits = case.meta is not None and case.meta.generation.mode.is_positive
    if fits:
        case.body = _whole_numbers(case.body)
    answer = case.call_and_validate(headers=everybody.bearer)
    if fits and answer.status_code == 422 and answer.json()["code"] != _KEY_REUSED:
        assert not unforeseen(answer.json()["errors"]), answer.text
    if fits and answer.status_code == 415:
        assert "/images" in case.operation.path, "only of a file one cannot say what is in it"


def _whole_numbers(value: Any) -> Any:
    """To JSON Schema 1.0 is an integer; we take money and quantities as 1 and nothing else."""
    if isinstance(value, dict):
        return {name: _whole_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@document("catalog").parametrize()
@BOUNDED
def test_s45_catalog(case: Case, everybody: Person) -> None:
    keeps_its_promises(case, everybody)


@document("identity").parametrize()
@BOUNDED
def test_s45_identity(case: Case, everybody: Person) -> None:
    keeps_its_promises(case, everybody)


@document("ordering").parametrize()
@BOUNDED
def test_s45_ordering(case: Case, everybody: Person) -> None:
    keeps_its_promises(case, everybody)


@document("payments").parametrize()
@BOUNDED
def test_s45_payments(case: Case, everybody: Person) -> None:
    keeps_its_promises(case, everybody)


@document("notifier").parametrize()
@BOUNDED
def test_s45_notifier(case: Case, everybody: Person) -> None:
    keeps_its_promises(case, everybody)
