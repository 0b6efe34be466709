"""Refusals, in the texts and codes that Paystack was seen to answer with."""

from typing import Any

from flask import Response, jsonify


class PaystackError(Exception):
    """One of Paystack's answers with `status: false`."""

    def __init__(
        self,
        http: int,
        message: str,
        code: str | None = None,
        kind: str = "validation_error",
        next_step: str | None = None,
    ) -> None:
        super().__init__(message)
        self.http, self.message, self.code, self.kind = http, message, code, kind
        self.next_step = next_step

    def response(self) -> Response:
        body: dict[str, Any] = {"status": False, "message": self.message}
        if self.code:
            step = self.next_step or "Ensure that the value(s) you're passing are valid."
            body |= {"meta": {"nextStep": step}, "type": self.kind, "code": self.code}
        answer = jsonify(body)
        answer.status_code = self.http
        return answer


def invalid_key() -> PaystackError:
    return PaystackError(
        401,
        "Invalid key",
        "invalid_Key",
        next_step="Ensure that you provide the correct authorization key for the request",
    )


def missing(text: str) -> PaystackError:
    return PaystackError(400, text, "missing_params", next_step="Provide all required params ")


def duplicate_reference() -> PaystackError:
    return PaystackError(
        400,
        "Duplicate Transaction Reference",
        "duplicate_reference",
        next_step="Try and create the Transaction or Charge with a new reference",
    )


def unknown_reference() -> PaystackError:
    return PaystackError(
        400,
        "Transaction reference not found.",
        "transaction_not_found",
        next_step="Ensure that you're passing the reference of a transaction"
        " that exists on this integration",
    )


def rate_limited() -> PaystackError:
    return PaystackError(
        429,
        "Rate limit exceeded!",
        "rate_limited",
        "api_error",
        "Wait a few minutes and try the API call again",
    )


def server_error(http: int) -> PaystackError:
    return PaystackError(http, "An error occurred", "unknown", "api_error", "Try again later")
