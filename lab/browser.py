"""A real browser: Debian's Chromium, without a screen, driven by Selenium.

`python -m lab.browser` installs it when it is missing, and prints where it is.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from lab.debian_packages import PackageError, install

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGES = ("chromium", "chromium-driver", "fonts-noto-cjk", "fonts-dejavu-core")
QUIET = (
    "--headless=new",
    "--no-sandbox",  # the tests run as root, which Chromium's own sandbox refuses
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=2",
    "--hide-scrollbars",
)


def chromium() -> tuple[str, str]:
    """Return where Chromium and its driver are, installed when missing. Raises PackageError."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        install(*PACKAGES)
        browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        raise PackageError(f"Chromium is not where it should be; do it by hand: apt-get install {' '.join(PACKAGES)}")
    return browser, driver


@contextmanager
def open_browser(
    *,
    width: int = 360,
    height: int = 740,
    language: str = "ja",
    scripts: bool = True,
    hosts: Mapping[str, str] | None = None,
) -> Iterator[webdriver.Chrome]:
    """Yield a browser of its own, as wide and high (CSS pixels) as a small phone; `scripts` allows JavaScript.

    `language` is what it asks pages for (`Accept-Language`). `hosts` says where names are, as `127.0.0.1:8443`; with
    it, no other name is found, and certificates are not asked who signed them. It keeps logs: `browser` and
    `performance`. Raises PackageError.
    """
    browser, driver = chromium()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    with tempfile.TemporaryDirectory(prefix="orikaeshi-browser-") as profile:
        for argument in (*QUIET, f"--user-data-dir={profile}", f"--lang={language}"):
            options.add_argument(argument)
        settings: dict[str, object] = {"intl.accept_languages": language}
        if not scripts:
            settings["profile.managed_default_content_settings.javascript"] = 2
        options.add_experimental_option("prefs", settings)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        if hosts:
            rules = [*(f"MAP {name} {place}" for name, place in hosts.items()), "MAP * ~NOTFOUND"]
            options.add_argument(f"--host-resolver-rules={', '.join(rules)}")
            options.accept_insecure_certs = True
        options.add_experimental_option(
            "mobileEmulation", {"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0, "touch": True}}
        )
        chrome = webdriver.Chrome(options=options, service=Service(executable_path=driver))
        try:
            yield chrome
        finally:
            chrome.quit()


def main() -> int:
    """Print where the browser is, and return 0; or say on stderr why there is none, and return 2."""
    try:
        print(*chromium())
    except PackageError as error:
        sys.stderr.write(f"browser: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
