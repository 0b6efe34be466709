"""The web application: the providers' APIs, the pages and the control API."""

from flask import Flask, render_template

from sandbox import control, faults
from sandbox.cloudinary import api as cloudinary_api
from sandbox.cloudinary import delivery
from sandbox.mail import inbox
from sandbox.parts import Parts, parts
from sandbox.paystack import api as paystack_api
from sandbox.paystack import checkout


def create_app(built: Parts) -> Flask:
    app = Flask(__name__)
    app.extensions["sandbox"] = built
    # JSON as the providers write it: fields in their order, umlauts as they are.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = 100 * 1024 * 1024
    faults.install(app)
    app.add_url_rule("/", view_func=start)
    for module in (paystack_api, checkout, cloudinary_api, delivery, inbox, control):
        app.register_blueprint(module.blp)
    return app


def start() -> str:
    """The page that explains everything here and links to it."""
    return render_template(
        "start.html",
        settings=parts().settings,
        payments=parts().transactions.select("TRUE", limit=20),
    )
