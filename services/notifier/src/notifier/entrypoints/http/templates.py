"""The mails' templates."""

from dataclasses import asdict

from flask import Response

from notifier.entrypoints.http.dependencies import deps
from notifier.entrypoints.http.schemas import EmailTemplatePageSchema
from oja_web.auth import requires
from oja_web.blueprint import Blueprint
from oja_web.pagination import page
from oja_web.strict_json import json_response

blp = Blueprint(
    "email-templates",
    __name__,
    url_prefix="/api/admin/email-templates",
    description="The words of the mails",
)


@blp.get("")
@requires("notifications:read")
@blp.response(200, EmailTemplatePageSchema)
def list_templates() -> Response:
    """Every template, by name, as it is used now"""
    return json_response(page([asdict(template) for template in deps().templates.all()], None))
