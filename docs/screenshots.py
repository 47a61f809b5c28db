"""Takes the pictures of the booking page: docs/screenshots/SCENE-LANGUAGE.png.

    python -m docs.screenshots

The pages are those of the tests: the real ones, from a real database, in Chromium, on a phone 360 pixels wide.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import struct
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import structlog

from lab.browser import open_browser
from tests.browser.door import Door
from tests.browser.scenes import LANGUAGES, SCENES
from tests.browser.visitor import Visitor
from tests.web.site import site_at

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FOLDER = Path(__file__).with_name("screenshots")
SHOWN = ("promise", "chosen", "full", "done", "number", "code")
"""The scenes that are shown, each in both languages."""
COLOURS = 14
_DECODED = """
const [png, done] = arguments;
const image = new Image();
image.onload = () => {
  const surface = new OffscreenCanvas(image.width, image.height).getContext("2d");
  surface.drawImage(image, 0, 0);
  const bytes = surface.getImageData(0, 0, image.width, image.height).data;
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  done([image.width, image.height, btoa(text)]);
};
image.src = "data:image/png;base64," + png;
"""


async def take(folder: Path) -> None:
    """Write every picture. Raises PackageError when there is no browser."""
    with tempfile.TemporaryDirectory() as home:
        async with Door().standing(Path(home)) as door:
            with open_browser(hosts=door.hosts) as chrome:
                for scene in SHOWN:
                    for language in LANGUAGES:
                        picture = await _picture(scene, language, door, Visitor(chrome))
                        chrome.get("about:blank")
                        folder.joinpath(f"{scene}-{language}.png").write_bytes(small(picture, chrome))


async def _picture(scene: str, language: str, door: Door, visitor: Visitor) -> bytes:
    with tempfile.TemporaryDirectory() as home:
        async with site_at(Path(home)) as site, door.leading_to(site):
            await SCENES[scene](site, visitor, language)
            return await visitor.picture()


def small(png: bytes, chrome: Chrome, most_colours: int = COLOURS) -> bytes:
    """Return a picture in its most frequent colours, a quarter as large and the same to the eye."""
    width, height, text = chrome.execute_async_script(_DECODED, base64.b64encode(png).decode())
    pixels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 4)[:, :3].astype(np.uint32)
    packed = pixels[:, 0] << 16 | pixels[:, 1] << 8 | pixels[:, 2]
    found, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1).astype(int)
    palette = colours[np.argsort(counts)[::-1][:most_colours]]
    nearest = np.abs(colours[:, None] - palette[None]).sum(axis=2).argmin(axis=1).astype(np.uint8)
    lines = np.zeros((height, width + 1), np.uint8)  # Each line begins with its filter, which is none.
    lines[:, 1:] = nearest[places].reshape(height, width)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette.astype(np.uint8).tobytes()),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, contents: bytes) -> bytes:
    """Return one chunk of a PNG (RFC 2083 3.2)."""
    return struct.pack(">I", len(contents)) + name + contents + struct.pack(">I", zlib.crc32(name + contents))


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(take(FOLDER))
