"""S15: access tokens as all services expect them."""

from datetime import timedelta

import jwt
import pytest

from identity.adapters.signing import TokenSigner, WrongKey, published
from identity.bootstrap import announced_key
from identity.settings import Settings
from identity.use_cases.ports import Holder
from oja_web.auth import public_keys
from oja_web.testing import make_key_pair
from tests.contract.test_http import made_up_environment
from tests.unit.identity.fakes import a_user

KEYS = make_key_pair()
ADA = Holder(a_user(roles=["support", "customer"]), frozenset({"users:read", "orders:read"}))


def decoded(token: str) -> dict[str, object]:
    key = public_keys(KEYS.jwks)["test-key"]
    options = {"require": ["exp", "iat", "iss", "aud", "sub", "jti"]}
    return jwt.decode(
        token, key, algorithms=["EdDSA"], audience="oja", issuer="http://shop.test", options=options
    )


def test_s15_a_token_says_who_and_what_for_ten_minutes():
    signer = TokenSigner(KEYS.private_pem, KEYS.jwks, "http://shop.test")
    token = signer.issue(ADA, timedelta(minutes=10))

    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "kid": "test-key", "typ": "at+jwt"}
    claims = decoded(token)
    assert claims["exp"] - claims["iat"] == 600
    assert claims["sub"] == str(ADA.user.id)
    assert claims["roles"] == ["customer", "support"]
    assert claims["permissions"] == ["orders:read", "users:read"]
    assert (claims["email"], claims["name"]) == ("ada@example.com", "Ada Obi")


def test_no_two_tokens_have_the_same_id():
    signer = TokenSigner(KEYS.private_pem, KEYS.jwks, "http://shop.test")
    ids = {decoded(signer.issue(ADA, timedelta(minutes=1)))["jti"] for _ in range(20)}
    assert len(ids) == 20


def test_s14_a_key_that_nobody_could_verify_is_refused_at_the_start():
    with pytest.raises(WrongKey, match="JWT_PUBLIC_KEYS"):
        TokenSigner(make_key_pair().private_pem, KEYS.jwks, "http://shop.test")


@pytest.mark.parametrize("pem", ["", "secret", KEYS.jwks])
def test_s14_what_is_no_private_key_is_refused_at_the_start(pem: str):
    with pytest.raises(WrongKey, match="JWT_PRIVATE_KEY"):
        TokenSigner(pem, KEYS.jwks, "http://shop.test")


def test_only_the_public_parts_of_keys_are_published():
    [key] = published(KEYS.jwks)["keys"]
    assert key.keys() == {"kty", "crv", "x", "kid", "alg", "use"}


def test_s14_tokens_of_the_old_and_of_the_new_key_are_good_while_both_are_known():
    env = {
        **made_up_environment(),
        "JWT_PUBLIC_KEYS": KEYS.jwks,
        "JWT_PRIVATE_KEY": KEYS.private_pem,
    }
    pem, both = announced_key(Settings.from_env(env))
    old = TokenSigner(KEYS.private_pem, both, "http://shop.test").issue(ADA, timedelta(minutes=1))
    new = TokenSigner(pem, both, "http://shop.test").issue(ADA, timedelta(minutes=1))

    kids = [jwt.get_unverified_header(token)["kid"] for token in (old, new)]

    assert kids == ["test-key", *(public_keys(both).keys() - {"test-key"})]
    for token, kid in zip((old, new), kids, strict=True):
        assert jwt.decode(token, public_keys(both)[kid], algorithms=["EdDSA"], audience="oja")
    assert {key["kid"] for key in published(both)["keys"]} == set(kids)
