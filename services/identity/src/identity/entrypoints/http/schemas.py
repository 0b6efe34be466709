"""The shape of requests and answers."""

from collections.abc import Mapping
from typing import Any

import phonenumbers
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from identity.domain.passwords import MAX_LENGTH as MAX_PASSWORD_LENGTH
from identity.domain.values import EmailAddress
from identity.entrypoints.emails import MAX_LENGTH as MAX_EMAIL_LENGTH
from identity.entrypoints.emails import BadEmail, read_email
from oja_web.fields import (
    AwareDateTime,
    Country,
    QueryBoolean,
    StrictBoolean,
    StrictSchema,
    Text,
    UUIDString,
)
from oja_web.pagination import PageQuery, page_schema

MAX_TOKEN_LENGTH = 512
HOME_REGION = "NG"  # numbers written without a country code are of this one


class Email(fields.String):
    """An address that mail can be sent to; loads to EmailAddress."""

    def __init__(self, **options: Any) -> None:
        bounds = {"minLength": 3, "maxLength": MAX_EMAIL_LENGTH}
        super().__init__(metadata={"format": "email", **bounds}, **options)

    def _deserialize(  # type: ignore[override]
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> EmailAddress:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return read_email(text)
        except BadEmail as error:
            raise ValidationError(str(error)) from None


class Password(fields.String):
    """Exactly what was typed: not trimmed, any character."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            validate=validate.Length(min=1, max=MAX_PASSWORD_LENGTH),
            load_only=True,
            metadata={"format": "password"},
            **options,
        )


class Phone(Text):
    """A telephone number as people write it; loads to its E.164 form."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max=32, **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            number = phonenumbers.parse(text, HOME_REGION)
        except phonenumbers.NumberParseException:
            raise ValidationError("Is not a telephone number.") from None
        if not phonenumbers.is_possible_number(number):
            raise ValidationError("Has too many or too few digits for a telephone number.")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class ConfirmedPasswordSchema(StrictSchema):
    """A new password, typed twice."""

    password = Password(required=True)
    password_confirm = Password(required=True)

    @validates_schema
    def same(self, data: Mapping[str, Any], **_: object) -> None:
        if data["password"] != data["password_confirm"]:
            raise ValidationError({"password_confirm": ["Is not the same as the password."]})


class ProfileSchema(StrictSchema):
    first_name = Text(max=100, required=True)
    last_name = Text(max=100, required=True)
    phone = Phone(load_default=None, allow_none=True)


class RegistrationSchema(ConfirmedPasswordSchema, ProfileSchema):
    email = Email(required=True)


class CredentialsSchema(StrictSchema):
    """Not checked for being an address: that would tell more than a wrong password does."""

    email = fields.String(required=True, validate=validate.Length(min=1, max=MAX_EMAIL_LENGTH))
    password = Password(required=True)


class RefreshTokenSchema(StrictSchema):
    refresh_token = fields.String(
        required=True, validate=validate.Length(min=1, max=MAX_TOKEN_LENGTH)
    )


class OneTimeTokenSchema(StrictSchema):
    token = fields.String(required=True, validate=validate.Length(min=1, max=MAX_TOKEN_LENGTH))


class PasswordResetSchema(OneTimeTokenSchema, ConfirmedPasswordSchema):
    """The token of the link, and the new password."""


class ForgottenPasswordSchema(StrictSchema):
    """Not checked for being an address: the answer is always the same."""

    email = fields.String(required=True, validate=validate.Length(min=1, max=MAX_EMAIL_LENGTH))


class LinkRequestSchema(StrictSchema):
    request_id = UUIDString(required=True)


class ErasureSchema(StrictSchema):
    password = Password(required=True)


class EmailChangeSchema(StrictSchema):
    email = Email(required=True)
    password = Password(required=True)


class PasswordChangeSchema(ConfirmedPasswordSchema):
    current_password = Password(required=True)


class AddressInputSchema(StrictSchema):
    full_name = Text(max=200, required=True)
    phone = Phone(required=True)
    line1 = Text(max=200, required=True)
    line2 = Text(max=200, load_default=None, allow_none=True)
    city = Text(max=100, required=True)
    state = Text(max=100, required=True)
    postal_code = Text(max=20, load_default=None, allow_none=True)
    country = Country(required=True)
    is_default = StrictBoolean(load_default=False)


class TokensSchema(Schema):
    access_token = fields.String()
    refresh_token = fields.String()
    token_type = fields.String(validate=validate.Equal("Bearer"))
    expires_in = fields.Integer(metadata={"description": "Seconds"})


class UserSchema(Schema):
    id = UUIDString()
    email = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    phone = fields.String(allow_none=True)
    roles = fields.List(fields.String())
    email_verified = fields.Boolean()
    is_active = fields.Boolean()
    created_at = AwareDateTime()


class AddressSchema(Schema):
    id = UUIDString()
    full_name = fields.String()
    phone = fields.String()
    line1 = fields.String()
    line2 = fields.String(allow_none=True)
    city = fields.String()
    state = fields.String()
    postal_code = fields.String(allow_none=True)
    country = fields.String()
    is_default = fields.Boolean()


AddressPageSchema = page_schema(AddressSchema, "AddressPage")


class SessionSchema(Schema):
    user = fields.Nested(UserSchema)
    permissions = fields.List(fields.String())
    csrf_token = fields.String(metadata={"description": "Send it back as X-CSRF-Token"})


class UserQuery(PageQuery):
    search = Text(max=100, load_default=None)
    role = Text(max=64, load_default=None)
    is_active = QueryBoolean(load_default=None)


UserPageSchema = page_schema(UserSchema, "UserPage")


class NewUserSchema(RegistrationSchema):
    roles = fields.List(Text(max=64), required=True, validate=validate.Length(max=20))


class UserChangeSchema(StrictSchema):
    is_active = StrictBoolean(load_default=None)
    roles = fields.List(Text(max=64), load_default=None, validate=validate.Length(max=20))

    @validates_schema
    def something(self, data: Mapping[str, Any], **_: object) -> None:
        if data["is_active"] is None and data["roles"] is None:
            raise ValidationError("Say what to change: is_active, roles, or both.")


class RoleSchema(Schema):
    name = fields.String()
    description = fields.String()
    built_in = fields.Boolean()
    permissions = fields.List(fields.String())


_PERMISSIONS = fields.List(Text(max=64), required=True, validate=validate.Length(max=100))


class RoleChangeSchema(StrictSchema):
    description = Text(max=200, required=True)
    permissions = _PERMISSIONS


class NewRoleSchema(RoleChangeSchema):
    name = fields.String(
        required=True,
        validate=[
            validate.Regexp(
                r"^[a-z][a-z0-9_]{0,63}$(?!\n)", error="Use a-z, 0-9 and _, a letter first."
            ),
            validate.Length(max=64),
        ],
    )


class ErasureQuery(PageQuery):
    finished = QueryBoolean(load_default=None)


class ReceiptSchema(Schema):
    service = fields.String()
    records = fields.Integer(metadata={"description": "How many were removed or masked"})
    erased_at = AwareDateTime()


class ErasedAccountSchema(Schema):
    user_id = UUIDString()
    asked_at = AwareDateTime()
    receipts = fields.List(fields.Nested(ReceiptSchema))
    missing = fields.List(fields.String())


ErasurePageSchema = page_schema(ErasedAccountSchema, "ErasurePage")


class SessionEntrySchema(Schema):
    id = UUIDString()
    created_at = AwareDateTime()
    used_at = AwareDateTime()
    expires_at = AwareDateTime()
    address = fields.String(allow_none=True)
    current = fields.Boolean(metadata={"description": "Whether it is the one that asks"})


SessionPageSchema = page_schema(SessionEntrySchema, "SessionPage")


class PermissionSchema(Schema):
    name = fields.String()
    description = fields.String()


RolePageSchema = page_schema(RoleSchema, "RolePage")
PermissionPageSchema = page_schema(PermissionSchema, "PermissionPage")


class KeySchema(Schema):
    kty = fields.String()
    crv = fields.String()
    x = fields.String()
    kid = fields.String()
    alg = fields.String()
    use = fields.String()


class KeySetSchema(Schema):
    keys = fields.List(fields.Nested(KeySchema))
