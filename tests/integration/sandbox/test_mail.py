"""Mail by SMTP, and the inbox."""

import signal
import smtplib
from email.message import EmailMessage
from email.utils import make_msgid

import pytest

from tests.integration.sandbox.running import SMTP_PASSWORD, SMTP_USER, Sandbox, new_reference


def a_mail(recipient: str, subject: str = "Your order is on its way") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Oja <shop@example.com>"
    message["To"] = recipient
    message["Subject"] = subject
    message["Message-ID"] = make_msgid(domain="example.com")
    message.set_content("Hello Adé")
    message.add_alternative("<p>Hello <b>Adé</b></p>", subtype="html")
    return message


def send(sandbox: Sandbox, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as smtp:
        smtp.login(SMTP_USER, SMTP_PASSWORD)
        smtp.send_message(message)


def received(sandbox: Sandbox, **query: str) -> list[dict[str, object]]:
    items: list[dict[str, object]] = sandbox.get("/mail/messages", params=query)["items"]
    return items


def an_address() -> str:
    return f"{new_reference()}@example.com"


def test_a_mail_is_found_by_its_recipient(sandbox: Sandbox) -> None:
    message = a_mail(an_address(), "Ẹ káàbọ̀")
    send(sandbox, message)

    (mail,) = received(sandbox, recipient=message["To"].upper())

    assert mail["subject"] == "Ẹ káàbọ̀"
    assert mail["from"] == "shop@example.com"
    assert mail["to"] == [message["To"]]
    assert mail["message_id"] == message["Message-ID"]
    assert mail["text"] == "Hello Adé\n"
    assert "<b>Adé</b>" in str(mail["html"])
    assert sandbox.get(f"/mail/messages/{mail['id']}") == mail


def test_the_newest_mail_is_first_and_a_subject_narrows(sandbox: Sandbox) -> None:
    address = an_address()
    send(sandbox, a_mail(address, "first 100%"))
    send(sandbox, a_mail(address, "second"))

    subjects = [mail["subject"] for mail in received(sandbox, recipient=address)]

    assert subjects == ["second", "first 100%"]
    assert len(received(sandbox, recipient=address, subject="100%")) == 1
    assert len(received(sandbox, recipient=address.split("@")[0])) == 2


def test_the_inbox_shows_the_mail(sandbox: Sandbox) -> None:
    address = an_address()
    send(sandbox, a_mail(address))
    mail_id = received(sandbox, recipient=address)[0]["id"]

    inbox = sandbox.http.get(f"{sandbox.url}/mail", params={"recipient": address}).text
    page = sandbox.http.get(f"{sandbox.url}/mail/{mail_id}").text
    html = sandbox.http.get(f"{sandbox.url}/mail/{mail_id}/html")
    raw = sandbox.http.get(f"{sandbox.url}/mail/{mail_id}/raw").text

    assert f"/mail/{mail_id}" in inbox
    assert "Hello Adé" in page
    assert "sandbox" in html.headers["Content-Security-Policy"]
    assert "Subject: Your order is on its way" in raw


def test_who_does_not_log_in_sends_nothing(sandbox: Sandbox) -> None:
    message = a_mail(an_address())
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
            smtp.send_message(message)
        with pytest.raises(smtplib.SMTPAuthenticationError) as wrong:
            smtp.login(SMTP_USER, "wrong")

    assert (refusal.value.smtp_code, wrong.value.smtp_code) == (530, 535)


@pytest.mark.parametrize("code", [421, 450, 550])
def test_a_recipient_is_refused(sandbox: Sandbox, code: int) -> None:
    message = a_mail(an_address())
    sandbox.post("/_sandbox/mail/faults", recipient=message["To"], fault=str(code))

    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        send(sandbox, message)
    send(sandbox, message)

    assert refusal.value.recipients[message["To"]][0] == code
    assert len(received(sandbox, recipient=message["To"])) == 1


@pytest.mark.parametrize("code", [450, 550])
def test_a_mail_is_refused_after_its_data(sandbox: Sandbox, code: int) -> None:
    message = a_mail(an_address())
    fault = {"recipient": message["To"], "fault": str(code), "stage": "data"}
    sandbox.post("/_sandbox/mail/faults", **fault)

    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(sandbox, message)

    assert refusal.value.smtp_code == code


@pytest.mark.parametrize(("fault", "stored"), [("drop_before_store", 0), ("drop_after_store", 1)])
def test_the_connection_breaks_after_the_data(sandbox: Sandbox, fault: str, stored: int) -> None:
    message = a_mail(an_address())
    sandbox.post("/_sandbox/mail/faults", recipient=message["To"], fault=fault)

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(sandbox, message)

    assert len(received(sandbox, recipient=message["To"])) == stored


def test_the_server_hangs(sandbox: Sandbox) -> None:
    message = a_mail(an_address())
    sandbox.post("/_sandbox/mail/faults", recipient="ord-*", fault="hang", seconds=30)

    smtp = smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5)
    smtp.login(SMTP_USER, SMTP_PASSWORD)
    assert smtp.sock
    smtp.sock.settimeout(0.5)
    with pytest.raises((smtplib.SMTPServerDisconnected, TimeoutError)):
        smtp.send_message(message)
    smtp.close()

    assert received(sandbox, recipient=message["To"]) == []


def test_a_mail_outlives_a_kill_and_the_inbox_can_be_emptied(own_sandbox: Sandbox) -> None:
    message = a_mail(an_address())
    send(own_sandbox, message)

    own_sandbox.end(signal.SIGKILL)
    own_sandbox.start()

    assert len(received(own_sandbox, recipient=message["To"])) == 1
    own_sandbox.http.delete(f"{own_sandbox.url}/mail/messages")
    assert received(own_sandbox) == []
