import re
import time
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from marshmallow import ValidationError

from oja_web import fields
from oja_web.fields import MAX_AMOUNT, MoneySchema

NOT_INTEGERS = [True, False, 1.0, 1.5, "1", "\uff11\uff12", "", None, [], {}, float("nan")]


def load(field, value):
    return field.deserialize(value)


@pytest.mark.parametrize("value", [*NOT_INTEGERS, 0, -1, 1001, 2**31, 2**63, 1e3])
def test_s34_a_quantity_is_an_integer_from_1_to_1000(value):
    with pytest.raises(ValidationError):
        load(fields.Quantity(), value)


@pytest.mark.parametrize("value", [1, 1000])
def test_the_limits_of_a_quantity_are_quantities(value):
    assert load(fields.Quantity(), value) == value


@pytest.mark.parametrize("amount", [*NOT_INTEGERS, -1, MAX_AMOUNT + 1])
def test_s34_an_amount_of_money_is_a_bounded_integer(amount):
    with pytest.raises(ValidationError):
        MoneySchema().load({"amount": amount, "currency": "NGN"})


@pytest.mark.parametrize(
    "currency", ["ngn", "NG", "NGNX", "NGN\n", "N1N", "", None, 7, "\uff2e\uff27\uff2e"]
)
def test_a_currency_is_three_capital_letters(currency):
    with pytest.raises(ValidationError):
        MoneySchema().load({"amount": 1, "currency": currency})


def test_money_knows_no_other_field():
    with pytest.raises(ValidationError, match="Unknown field"):
        MoneySchema().load({"amount": 1, "currency": "NGN", "rate": 2})


@pytest.mark.parametrize(
    ("given", "kept"),
    [("  Ada \n", "Ada"), ("e\u0301", "é"), ("O'Neil; DROP", "O'Neil; DROP"), ("😀", "😀")],
)
def test_text_is_trimmed_and_composed(given, kept):
    assert load(fields.Text(max=12), given) == kept


@pytest.mark.parametrize(
    "value",
    ["", "   ", "\u00a0", "\n", "x" * 13, "a\nb", "a\x00b", "a\x1bb", "a\x7fb", "a\u2028b",
     "a\u202eb", "\ud800", 7, None, True, ["a"]],
)  # fmt: skip
def test_what_is_not_one_line_of_text_is_refused(value):
    with pytest.raises(ValidationError):
        load(fields.Text(max=12), value)


TEXTS = [
    "",
    " ",
    "\n",
    "Ada",
    "  Ada \n",
    " a b ",
    "a\nb",
    "a\tb",
    "a\x00b",
    "\x7f",
    "é😀",
    "a\u202eb",
]


@pytest.mark.parametrize("multiline", [False, True])
@pytest.mark.parametrize("min", [0, 1])
@pytest.mark.parametrize("value", TEXTS)
def test_the_documented_pattern_is_what_the_field_takes(value, min, multiline):
    field = fields.Text(min=min, multiline=multiline)
    documented = re.search(field.metadata["pattern"], value) is not None

    try:
        load(field, value)
    except ValidationError:
        assert not documented
    else:
        assert documented


def test_the_pattern_judges_a_long_near_miss_quickly():
    pattern = fields.Text().metadata["pattern"]

    started = time.process_time()
    assert not re.search(pattern, "a" + " " * 2_000 + "\x00")
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("value", ["XX", "ng", "UK", "NG\n", "NGA", "", " NG", None, 7, "ZZ", "EU"])
def test_what_is_no_country_is_refused(value):
    with pytest.raises(ValidationError):
        load(fields.Country(), value)


@pytest.mark.parametrize("value", ["NG", "GH", "GB", "AQ"])
def test_a_country_is_named_by_its_code(value):
    assert load(fields.Country(), value) == value


def test_many_lines_only_where_asked_for():
    assert load(fields.Text(max=12, multiline=True), "a\r\nb\tc") == "a\nb\tc"


def test_many_lines_are_still_free_of_control_characters():
    with pytest.raises(ValidationError):
        load(fields.Text(max=12, multiline=True), "a\rb")


@pytest.mark.parametrize(
    "value",
    ["0192f0c12a3b7c4d8e5f0123456789ab", "{0192f0c1-2a3b-7c4d-8e5f-0123456789ab}",
     "urn:uuid:0192f0c1-2a3b-7c4d-8e5f-0123456789ab", "0192f0c1-2a3b-7c4d-8e5f-0123456789ab\n",
     "0123456789abcdef", 7, None, ""],
)  # fmt: skip
def test_a_uuid_has_one_spelling(value):
    with pytest.raises(ValidationError):
        load(fields.UUIDString(), value)


def test_a_uuid_loads_as_one():
    text = "0192f0c1-2a3b-7c4d-8e5f-0123456789ab"

    assert load(fields.UUIDString(), text) == UUID(text)


@pytest.mark.parametrize(
    "value",
    ["2026-11-23", "2026-11-23T01:46:00", "2026-11-23 01:46:00Z", "2026-13-01T00:00:00Z",
     "0001-01-01T00:00:00+14:00", "2026-11-23T01:46:00Z\n", "20261123T014600Z", 1, None, ""],
)  # fmt: skip
def test_an_instant_has_a_date_a_time_and_an_offset(value):
    with pytest.raises(ValidationError):
        load(fields.AwareDateTime(), value)


def test_an_instant_loads_as_utc():
    loaded = load(fields.AwareDateTime(), "2026-11-23T02:46:00+01:00")

    assert loaded == datetime(2026, 11, 23, 1, 46, tzinfo=UTC)
    assert loaded.utcoffset() == timedelta(0)


def test_an_instant_is_written_with_z():
    lagos = timezone(timedelta(hours=1))
    at = {"at": datetime(2026, 11, 23, 2, 46, tzinfo=lagos)}

    assert fields.AwareDateTime().serialize("at", at) == "2026-11-23T01:46:00Z"


def test_a_naive_datetime_is_never_written():
    with pytest.raises(ValueError, match="naive"):
        fields.AwareDateTime().serialize("at", {"at": datetime(2026, 11, 23)})  # noqa: DTZ001


@pytest.mark.parametrize("value", [1, 0, "true", "yes", None, 1.0])
def test_a_boolean_in_a_body_is_true_or_false(value):
    with pytest.raises(ValidationError):
        load(fields.StrictBoolean(), value)


@pytest.mark.parametrize("value", ["1", "yes", "True", "", "on"])
def test_a_boolean_in_a_query_is_spelt_true_or_false(value):
    with pytest.raises(ValidationError):
        load(fields.QueryBoolean(), value)


@pytest.mark.parametrize("value", ["1.0", "1e3", " 1", "+1", "\uff11", "", "0x1", "1_0", "9" * 30])
def test_an_integer_in_a_query_is_ascii_digits(value):
    with pytest.raises(ValidationError):
        load(fields.QueryInteger(), value)


def test_s30_server_owned_fields_cannot_be_slipped_into_a_body(client, signed):
    answer = client.post("/api/notes", json={"title": "x", "status": "paid"}, headers=signed)

    assert answer.json["errors"] == {"status": ["Unknown field."]}


def test_errors_inside_lists_name_their_place(client, signed):
    lines = [{"text": "a", "quantity": 1}, {"text": "b", "quantity": 0, "price": 1}]

    answer = client.post("/api/notes", json={"title": "x", "lines": lines}, headers=signed)

    assert answer.json["errors"].keys() == {"lines.1.quantity", "lines.1.price"}


def test_a_parameter_that_means_one_value_is_given_once(client):
    answer = client.get("/api/notes?size=1&size=100")

    assert answer.json["errors"] == {"size": ["May be given only once."]}


def test_repeatable_and_unknown_parameters_are_fine(client):
    assert client.get("/api/notes?tag=a&tag=b&utm_source=mail").status_code == 200


def test_a_body_comes_back_as_it_was_understood(client, signed):
    note = {
        "title": "Yam",
        "price": {"amount": 450000, "currency": "NGN"},
        "owner_id": "0192f0c1-2a3b-7c4d-8e5f-0123456789ab",
        "due_at": "2026-11-23T01:46:00Z",
        "pinned": False,
        "lines": [{"text": "a", "quantity": 3}],
    }

    assert client.post("/api/notes", json=note, headers=signed).json == note
