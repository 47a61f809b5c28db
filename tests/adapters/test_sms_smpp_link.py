"""The connection to an SMS centre: how it is opened, kept, lost and found again."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from controller.ports.sms import Accepted
from controller.sms.smpp_account import SmppAccount
from lab.smsc.centre import LOCALHOST, Smsc
from tests.adapters.smpp_link import THEIR_ADDRESS, Link, linked

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_connection_that_is_cut_is_opened_again_and_texts_go_on() -> None:
    """After a pause."""
    async with linked() as link:
        link.centre.cut()
        await link.turned_once_sleeping(1)
        await link.bound()
        assert await link.send("Hello") == Accepted("1000")


async def test_pauses_grow_while_the_centre_is_gone_and_begin_anew_once_it_was_there() -> None:
    """A second first, a minute last."""
    async with linked(answer_timeout_s=9) as link:
        await link.centre.kill()
        await link.turned_once_sleeping(1)
        for pause_s in (2, 5, 10, 30, 60):
            await link.turned_once_sleeping(pause_s)
            assert "cannot be reached" in (link.gateway.problem or "")
        await link.until_sleeping(60)
        async with Smsc(port=link.centre.port) as again:
            link.centre = again
            link.clock.turn(60)
            await link.bound()
            assert link.gateway.problem is None
            again.cut()
            await link.turned_once_sleeping(1)
            await link.bound()


async def test_a_centre_that_hangs_is_dropped_and_called_again() -> None:
    """The connection stands, and nothing answers on it."""
    async with linked() as link:
        link.centre.orders.answers_nothing = True
        await link.turned_once_sleeping(30)
        while await link.centre.heard.get() != "enquire_link":
            pass
        link.centre.orders.answers_nothing = False
        link.clock.turn(10)
        await link.turned_once_sleeping(1)
        await link.bound()
        assert await link.send("Hello") == Accepted("1000")


async def test_a_centre_that_stops_in_the_middle_of_a_pdu_may_go_on_and_is_dropped_if_it_does_not() -> None:
    """Nobody waits for the rest of it for ever."""
    async with linked() as link:
        session = link.centre.session
        link.centre.orders.answers_nothing = True
        _, octets = session.codec.request(
            "deliver_sm", source_addr_ton=1, source_addr=THEIR_ADDRESS, short_message=b"STOP"
        )
        session.writer.write(octets[:-2])
        await link.turned_once_sleeping(30)
        while await link.centre.heard.get() != "enquire_link":
            pass
        session.writer.write(octets[-2:] + octets[:20])
        await link.book.came.get()
        assert link.book.texts == ["STOP"]
        link.centre.orders.answers_nothing = False
        link.clock.turn(10)
        await link.turned_once_sleeping(1)
        await link.bound()


async def test_a_centre_that_is_there_is_asked_every_half_minute() -> None:
    """An idle connection is not forgotten by the routers between."""
    async with linked() as link:
        session = link.centre.session
        for asked in range(3):
            await link.turned_once_sleeping(30)
            while session.enquiries <= asked:
                await session.enquired()


async def test_a_centre_that_does_not_answer_the_bind_is_left_after_the_timeout() -> None:
    """Not waited for for ever."""
    async with linked(connects=False) as link:
        link.centre.orders.answers_nothing = True
        link.start()
        while await link.centre.heard.get() != "bind_transceiver":
            pass
        link.centre.orders.answers_nothing = False
        link.clock.turn(10)
        await link.turned_once_sleeping(1)
        await link.bound()


async def test_a_wrong_password_is_said_and_tried_again_only_after_a_minute() -> None:
    """It is never in the log."""
    async with linked(connects=False, password="wr0ngest") as link:
        with capture_logs() as logs:
            link.start()
            await link.until_sleeping(60)
        assert "ESME_RINVPASWD" in (link.gateway.problem or "")
        assert "check system_id and password" in (link.gateway.problem or "")
        assert [line["log_level"] for line in logs if line["event"] == "smpp_down"] == ["error"]
        assert "wr0ngest" not in str(logs)
        assert "wr0ngest" not in repr(link.account)


async def test_a_centre_that_ends_the_session_gets_its_answer_and_is_called_again() -> None:
    """As before a restart of its own."""
    async with linked() as link:
        session = link.centre.session
        _, octets = session.codec.request("unbind")
        session.writer.write(octets)
        while await link.centre.heard.get() != "unbind_resp":
            pass
        await link.turned_once_sleeping(1)
        await link.bound()


async def test_a_gateway_that_is_stopped_says_goodbye() -> None:
    """So that the centre keeps what comes for us meanwhile."""
    async with linked() as link:
        await link.stop()
        heard: list[str] = []
        while not heard or heard[-1] != "unbind":
            heard.append(await link.centre.heard.get())


@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFFFFFF])
async def test_a_length_that_no_pdu_has_ends_the_connection_at_once(length: int) -> None:
    """Nothing of it is waited for."""
    async with linked() as link:
        link.centre.session.writer.write(length.to_bytes(4, "big") + bytes(12))
        await link.until_sleeping(1)
        assert link.gateway.problem == f"what the SMS centre sent is not SMPP: it announced a PDU of {length} bytes"
        link.clock.turn(1)
        await link.bound()


async def test_what_is_not_known_is_answered_with_generic_nack_and_the_connection_goes_on() -> None:
    """data_sm, and a command of the centre's own."""
    async with linked() as link:
        session = link.centre.session
        for command in (0x00000103, 0x00010200):
            session.writer.write(b"".join(value.to_bytes(4, "big") for value in (16, command, 0, 77)))
            while await link.centre.heard.get() != "generic_nack":
                pass
        assert await link.send("Hello") == Accepted("1000")


async def test_an_answer_to_nothing_changes_nothing() -> None:
    """One that came twice, say."""
    async with linked() as link:
        session = link.centre.session
        session.writer.write(session.codec.answer("submit_sm_resp", 4711, message_id="x"))
        assert await link.send("Hello") == Accepted("1000")


@pytest.mark.parametrize(
    "wrong", [{"password": "more than eight"}, {"system_id": "a" * 16}, {"system_type": "部"}], ids=str
)
def test_an_account_that_smpp_has_no_room_for_is_refused_at_the_start(wrong: dict[str, str]) -> None:
    """Not first when it is needed."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SmppAccount(**{"host": "x", "port": 1, "system_id": "a", "password": "b", **wrong})  # type: ignore[arg-type]


async def test_texts_and_password_are_hidden_by_tls_and_a_stranger_is_not_believed(tmp_path: Path) -> None:
    """A centre whose certificate nobody vouches for does not get to see the password."""
    certificate, key = certificate_of(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with Smsc(tls=context) as centre:
        for ca_file in (None, certificate):
            account = SmppAccount(LOCALHOST, centre.port, *centre.account, tls=True, ca_file=ca_file)
            link = Link(centre, account)
            link.start()
            if ca_file is None:
                await link.until_sleeping(1)
                assert "CERTIFICATE_VERIFY_FAILED" in (link.gateway.problem or "")
                assert centre.heard.empty()
            else:
                await link.bound()
                assert await link.send("Hello") == Accepted("1000")
            await link.stop()


def certificate_of(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, LOCALHOST)])
    now = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOCALHOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "centre.pem", folder / "centre.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
