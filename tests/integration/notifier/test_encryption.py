"""Mail goes over the network encrypted, to the server that it is meant for, or not at all."""

import datetime
import ipaddress
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from notifier.adapters.smtp import SMTPAddress, SMTPServer
from notifier.use_cases.errors import ServerAway
from tests.integration.notifier.mail_server import MailServer
from tests.support.notifier import SENDER
from tests.unit.notifier.fakes import a_mail


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and its certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail server of a test")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def client_of(server: MailServer) -> SMTPServer:
    url = f"smtp+starttls://127.0.0.1:{server.port}"
    return SMTPServer(SMTPAddress.from_url(url), sender=SENDER, time_to_offer=5)


def offering(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def test_a_mail_goes_to_a_server_that_can_prove_who_it_is(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server, mail = MailServer(), a_mail()
    with server.running(tls=offering(certificate)):
        client = client_of(server)
        client.offer(mail)
        client.hand_over(mail)
        client.close()

    assert len(server.copies(mail.recipient)) == 1


def test_smtps_is_encrypted_from_the_first_byte(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    heard = []

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with offering(certificate).wrap_socket(connection, server_side=True) as encrypted:
            encrypted.sendall(b"220 here\r\n")
            for line in encrypted.makefile("rb"):
                heard.append(line[:4].upper())
                encrypted.sendall(b"250 OK\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        url = f"smtps://127.0.0.1:{listening.getsockname()[1]}"
        client = SMTPServer(SMTPAddress.from_url(url), sender=SENDER, time_to_offer=5)
        client.offer(a_mail())
        client.close()
        thread.join(10)

    assert heard == [b"EHLO", b"MAIL", b"RCPT", b"QUIT"]


def test_nothing_goes_to_a_server_that_cannot(certificate: Path) -> None:
    server = MailServer()
    with (
        server.running(tls=offering(certificate)),
        pytest.raises(ServerAway, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client_of(server).offer(a_mail())


def test_nothing_goes_unencrypted_where_encryption_is_asked_for(mail_server: MailServer) -> None:
    with pytest.raises(ServerAway, match="STARTTLS"):
        client_of(mail_server).offer(a_mail())
