"""The published vectors; whoever signs or checks differently talks to nobody."""

import time

import pytest

from sandbox.cloudinary import signature
from sandbox.cloudinary.errors import CloudinaryError
from sandbox.cloudinary.notifications import sign_notification
from sandbox.paystack.webhooks import encode, sign

SECRET = "sandbox-secret"


def test_a_webhook_carries_the_hmac_of_its_exact_bytes() -> None:
    data = {
        "id": 7001,
        "reference": "ord-42-a1",
        "amount": 250000,
        "currency": "NGN",
        "status": "success",
    }

    assert sign(encode("charge.success", data), "sk_test_sandbox") == (
        "28963f163c1a847906c79fc6b608e72daba8a088cf51114c1c3995ea52960266"
        "604c970aa1cdee2570792e008eb6b7373afd68ee844bf1dfa75bc13d217d345b"
    )


def test_a_webhook_is_compact_and_leaves_umlauts_alone() -> None:
    assert encode("x", {"name": "Adé"}) == '{"event":"x","data":{"name":"Adé"}}'.encode()


def test_an_upload_is_signed_as_the_documentation_shows() -> None:
    params = {
        "eager": "w_400,h_300,c_pad|w_260,h_200,c_crop",
        "public_id": "sample_image",
        "timestamp": "1315060510",
    }

    signed = signature.sign(signature.string_to_sign(params), "abcd")

    assert signed == "bfd09f95f331f558cbd1320e67aa8d488770583e"


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (40, "1cc2edbb86c2ead4bcda64f686ab074f643769d6"),
        (64, "f03bc4e95294cd43ad6ff231d71efdc4601eb69bdd19c301541b4f567ce0a0bd"),
    ],
)
def test_what_is_not_signed_is_left_out(length: int, expected: str) -> None:
    params = {
        "timestamp": "1700000000",
        "public_id": "mug-1",
        "folder": "shop",
        "tags": "a,b",
        "overwrite": "1",
        "api_key": "k",
        "file": "x",
        "resource_type": "image",
        "context": "",
    }

    assert signature.sign(signature.string_to_sign(params), SECRET, length) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (2, "9a3f37aebb403637286ae5582ea23410618f5382"),
        (1, "f465adfccca7c36b3573728cfae609ee47064838"),
    ],
)
def test_an_ampersand_is_escaped_in_version_2_only(version: int, expected: str) -> None:
    params = {"public_id": "mug&cup", "timestamp": "1700000000"}

    assert signature.sign(signature.string_to_sign(params, version), SECRET) == expected


def test_an_answer_is_signed_over_id_and_version() -> None:
    signed = signature.sign("public_id=shop/mug-1&version=1700000001", SECRET)

    assert signed == "e52afbd458cffae69b0c2a12078f6eef11ce9023"


def test_a_delivery_url_carries_eight_characters() -> None:
    assert signature.sign_delivery("c_fill,h_300,w_300/shop/mug-1", SECRET) == "8HuVzNAl"


def test_a_notification_is_signed_with_its_time() -> None:
    body = '{"notification_type":"upload","public_id":"shop/mug-1"}'

    signed = sign_notification(body, "1700000002", SECRET)

    assert signed == "fbbffd1ed359af6ad067fe5e88da015a37f1f083"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("length", [40, 64])
def test_both_versions_and_both_hashes_are_accepted(version: int, length: int) -> None:
    params = {"public_id": "a&b", "timestamp": str(int(time.time()))}
    params["signature"] = signature.sign(signature.string_to_sign(params, version), SECRET, length)

    signature.check(params, SECRET)


def test_a_wrong_signature_is_told_what_should_have_been_signed() -> None:
    now = str(int(time.time()))
    params = {"timestamp": now, "public_id": "mug-1", "signature": "00"}

    with pytest.raises(CloudinaryError) as refusal:
        signature.check(params, SECRET)

    expected = f"Invalid Signature 00. String to sign - 'public_id=mug-1&timestamp={now}'."
    assert (refusal.value.http, refusal.value.message) == (401, expected)


def test_a_signature_is_stale_after_an_hour() -> None:
    params = {"timestamp": "1700000000", "signature": "00"}

    with pytest.raises(CloudinaryError) as refusal:
        signature.check(params, SECRET)

    assert refusal.value.message == (
        "Stale request - reported time is 2023-11-14 22:13:20 +0000 which is more than 1 hour ago"
    )
