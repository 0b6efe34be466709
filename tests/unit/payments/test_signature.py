from payments.entrypoints.http.webhook import is_signed

# From the reference of the provider's contract: key, body and the signature that belongs to them.
KEY = "sk_test_sandbox"
BODY = (
    b'{"event":"charge.success","data":{"id":7001,"reference":"ord-42-a1","amount":250000,'
    b'"currency":"NGN","status":"success"}}'
)
SIGNATURE = (
    "28963f163c1a847906c79fc6b608e72daba8a088cf51114c1c3995ea52960266"
    "604c970aa1cdee2570792e008eb6b7373afd68ee844bf1dfa75bc13d217d345b"
)


def test_s40_the_signature_of_these_bytes_is_good():
    assert is_signed(BODY, [SIGNATURE], KEY)


def test_s40_no_other_signature_is():
    others = [
        [],
        [""],
        [SIGNATURE, SIGNATURE],
        [SIGNATURE.upper()],
        [f"{SIGNATURE}\n"],
        ["é" * 128],
    ]

    assert not any(is_signed(BODY, given, KEY) for given in others)
    assert not is_signed(BODY + b"\n", [SIGNATURE], KEY)
    assert not is_signed(BODY, [SIGNATURE], "another")
