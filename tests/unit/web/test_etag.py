import pytest

from oja_web.testing import problem

NOTE = "/api/notes/0192f0c1-2a3b-7c4d-8e5f-0123456789ab"


def change(client, writer, **headers):
    return client.patch(NOTE, json={"title": "x"}, headers={**writer, **headers})


def test_a_change_needs_to_say_what_it_changes(client, writer):
    problem(change(client, writer), 428, "precondition_required")


@pytest.mark.parametrize("tag", ['"v6"', 'W/"v7"', "v7x", '"V7"', '""', ""])
def test_a_change_of_another_version_is_refused(client, writer, tag):
    problem(change(client, writer, **{"If-Match": tag}), 412, "precondition_failed")


@pytest.mark.parametrize("tag", ['"v7"', '"v1", "v7"', "*"])
def test_a_change_of_this_version_goes_through(client, writer, tag):
    assert change(client, writer, **{"If-Match": tag}).status_code == 200


def test_a_change_without_a_version_is_refused_before_its_body_is_read(client, writer):
    answer = client.patch(NOTE, data=b"{", headers=writer, content_type="application/json")

    problem(answer, 428, "precondition_required")


def test_a_view_that_forgets_to_compare_is_a_mistake_of_ours(client, writer):
    answer = client.delete(NOTE, headers={**writer, "If-Match": '"v7"'})

    problem(answer, 500, "internal_error")


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_the_header_is_documented_with_its_refusals(client, method):
    document = client.get("/openapi.json").get_json()
    operation = document["paths"]["/api/notes/{note_id}"][method]
    [header] = [each for each in operation["parameters"] if each["in"] == "header"]

    assert (header["name"], header["required"]) == ("If-Match", True)
    assert {"412", "428"} <= operation["responses"].keys()


def test_an_unchanged_read_is_not_sent_again(client):
    tag = client.get("/api/notes/seven").headers["ETag"]

    again = client.get("/api/notes/seven", headers={"If-None-Match": tag})

    assert tag == '"v7"'
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)


def test_a_changed_read_is_sent(client):
    assert client.get("/api/notes/seven", headers={"If-None-Match": '"v6"'}).json == {"note": 7}
