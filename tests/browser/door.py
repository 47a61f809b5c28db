"""The front door of a site: a proxy that speaks https under the public name, as nginx does in front of a real one."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.web.site import HOST, TUESDAY_TEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.web.site import Site

CHUNK_BYTES = 65536


class Door:
    """Hands the bytes of each connection on to the site that is open, and back."""

    def __init__(self) -> None:
        self.port = 0
        self._behind = 0
        self._conversations: set[asyncio.Task[None]] = set()

    @property
    def hosts(self) -> dict[str, str]:
        """Where a browser finds the public name."""
        return {HOST: f"127.0.0.1:{self.port}"}

    @asynccontextmanager
    async def leading_to(self, site: Site) -> AsyncIterator[None]:
        """Lead to a site for the length of the block; then every connection is cut."""
        self._behind = site.server.bound_port
        try:
            yield
        finally:
            self._behind = 0
            for conversation in self._conversations:
                conversation.cancel()
            await asyncio.gather(*self._conversations, return_exceptions=True)

    @asynccontextmanager
    async def standing(self, folder: Path) -> AsyncIterator[Door]:
        """Listen for browsers for the length of the block; `folder` takes the certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = _certificate(folder)
        context.load_cert_chain(certificate, key)
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.create_task(self._converse(reader, writer))
        self._conversations.add(conversation)
        conversation.add_done_callback(self._conversations.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._behind)
            try:
                ways = {
                    asyncio.create_task(_carry(reader, inner_writer)),
                    asyncio.create_task(_carry(inner_reader, writer)),
                }
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)
            finally:
                inner_writer.close()
        finally:
            writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Return the files, written into `folder`, of a certificate for the public name and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(TUESDAY_TEN - timedelta(days=365))
        .not_valid_after(TUESDAY_TEN + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files
