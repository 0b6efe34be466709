"""What Oja consists of."""

import pytest

from stack.control import parsed
from stack.failure import Failure
from stack.processes import processes, tasks
from stack.services import SERVICES


def names() -> list[str]:
    return [process.name for process in processes()]


def test_every_service_answers_http_listens_and_works_in_the_background():
    assert set(names()) == {
        f"{service}-{role}" for service in SERVICES for role in ("http", "consumer", "worker")
    }


def test_a_name_stands_for_one_process():
    assert len(names()) == len(set(names()))


@pytest.mark.parametrize("process", processes(), ids=lambda process: process.name)
def test_a_command_needs_an_interpreter_and_an_address_only(process):
    values = {"python": "python3", "host": "127.0.0.1", "port": 1}

    assert all("{" not in part.format(**values) for part in process.command)


def test_all_queues_are_declared_and_all_databases_migrated():
    assert {task.service for task in tasks() if task.name == "migrate"} == set(SERVICES)
    assert {task.service for task in tasks() if task.name == "declare"} == set(SERVICES)


def test_a_wish_for_more_names_a_kind_of_process_and_a_number():
    assert parsed("ordering.consumer=3") == ("ordering.consumer", 3)
    assert parsed("gateway.http=2") == ("gateway.http", 2)


@pytest.mark.parametrize(
    "wish", ["ordering=3", "ordering.http", "shop.http=2", "identity.cook=2", "catalog.http=x"]
)
def test_a_wish_for_what_does_not_exist_is_refused(wish):
    with pytest.raises(Failure, match=r"is not SERVICE\.ROLE=N"):
        parsed(wish)


@pytest.mark.parametrize("wish", ["ordering.worker=3", "ordering.http=0", "ordering.http=17"])
def test_a_wish_for_too_many_or_none_is_refused(wish):
    with pytest.raises(Failure, match="can run 1 to"):
        parsed(wish)
