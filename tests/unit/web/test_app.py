import pytest

from oja_web.testing import problem


def test_a_process_that_answers_is_alive(client, sick):
    sick.append(RuntimeError("no database"))

    assert client.get("/internal/livez").json == {"status": "ok"}


def test_ready_is_what_the_service_says(client, sick):
    assert client.get("/internal/readyz").json == {"status": "ready"}

    sick.append(RuntimeError("could not connect to 10.0.0.7 as ordering"))

    answer = client.get("/internal/readyz")
    problem(answer, 503, "not_ready")
    assert "10.0.0.7" not in answer.text


def test_head_is_answered_without_a_body(client):
    answer = client.head("/api/notes")

    assert (answer.status_code, answer.data) == (200, b"")


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded"])
def test_the_host_is_not_taken_from_forwarding_headers(app, header):
    with app.test_request_context("/", headers={header: "evil.test"}) as context:
        assert context.request.host == "localhost"


def test_the_client_is_the_address_that_the_one_proxy_saw(app):
    seen = []
    app.before_request(lambda: seen.append(__import__("flask").request.remote_addr))

    app.test_client().get("/", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"})

    assert seen == ["203.0.113.9"]


def test_what_one_caller_may_see_stays_out_of_caches(client, signed):
    assert client.get("/api/notes/me", headers=signed).headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in client.get("/api/notes").headers


class TestOpenAPI:
    @pytest.fixture
    def document(self, client):
        return client.get("/openapi.json").json

    def test_it_is_3_1_and_relative_to_the_gateway(self, document):
        assert document["openapi"] == "3.1.0"
        assert document["servers"] == [{"url": "/"}]

    def test_each_operation_says_who_may_call_it(self, document):
        write, read = (document["paths"]["/api/notes"][verb] for verb in ("post", "get"))
        change = document["paths"]["/api/notes/{note_id}"]["patch"]

        assert write["security"] == [{"bearerAuth": []}]
        assert read["security"] == []
        assert change["x-access"] == "notes:write"
        assert {"401", "403", "422", "default"} <= change["responses"].keys()
        assert document["components"]["securitySchemes"]["bearerAuth"]["scheme"] == "bearer"

    def test_every_reference_leads_somewhere(self, document):
        def references(node):
            if isinstance(node, dict):
                if isinstance(node.get("$ref"), str):
                    yield node["$ref"]
                node = list(node.values())
            if isinstance(node, list):
                for inner in node:
                    yield from references(inner)

        for reference in set(references(document)):
            target = document
            for part in reference.removeprefix("#/").split("/"):
                target = target[part]

    def test_errors_are_documented_as_problems(self, document):
        content = document["components"]["responses"]["DEFAULT_ERROR"]["content"]

        assert content.keys() == {"application/problem+json"}
        assert "request_id" in document["components"]["schemas"]["Problem"]["required"]

    def test_bodies_are_closed_and_bounded(self, document):
        line = document["components"]["schemas"]["Line"]

        assert line["additionalProperties"] is False
        assert line["properties"]["text"].pop("pattern")
        assert line["properties"] == {
            "text": {"type": "string", "minLength": 1, "maxLength": 20},
            "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
        }

    def test_a_partial_schema_is_a_schema_of_its_own(self, document):
        schemas = document["components"]["schemas"]

        assert schemas["Note"]["required"] == ["title"]
        assert "required" not in schemas["NotePartial"]
