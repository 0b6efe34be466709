"""Calls that follow each other keep their promises too: what one has made, the next ones use.

Schemathesis finds out by itself which answer holds what another call asks for. What was deleted
must be gone, what was made must be there.
"""

from typing import Any

import pytest
from hypothesis import settings
from schemathesis import Case, Response

from stack.services import SERVICES
from tests.integration.openapi.test_promises import APPS, BOUNDED, document
from tests.support.five_apps import FiveApps, Person

STEPS = settings(BOUNDED, max_examples=3, stateful_step_count=5)


@pytest.mark.parametrize("service", SERVICES)
def test_s45_journeys_keep_their_promises(service: str, shop: FiveApps, everybody: Person) -> None:
    for app in APPS.values():
        app.shop = shop

    class Journey(document(service).as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"headers": everybody.bearer}

        def validate_response(self, response: Response, case: Case, **kwargs: Any) -> None:
            case.validate_response(
                response,
                headers=everybody.bearer,
                transport_kwargs={"headers": everybody.bearer},
                recorder=self.recorder,
            )

    Journey.run(settings=STEPS)
