"""A small PBX for the contract of the phones: accounts 201 to 212 and a dialplan that does one thing a number."""

import contextlib
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lab import audio
from lab.audio import RATE_HZ, Samples
from lab.pbx import Asterisk, running
from lab.rootfolder import root_folder

EXTENSIONS = [str(number) for number in range(201, 213)]
WITHOUT_AOR = "299"  # may authenticate, but has nowhere to register: 403

TONE, BUSY, NEVER_ANSWERED, DIGITS_ECHOED, PAUSE, HANGS_UP, PROMPT_PLAYED, MUSIC, EARLY_TONE, UNKNOWN = (
    str(number) for number in range(600, 610)
)
TONE_HZ = 440

_MODULES = """
res_sorcery_config res_sorcery_memory res_sorcery_astdb res_timing_timerfd res_pjproject res_pjsip res_pjsip_session
res_pjsip_sdp_rtp res_pjsip_authenticator_digest res_pjsip_endpoint_identifier_user res_pjsip_pubsub
res_pjsip_registrar res_pjsip_caller_id res_pjsip_rfc3326 res_rtp_asterisk chan_pjsip codec_ulaw codec_alaw
format_wav bridge_simple bridge_native_rtp res_musiconhold pbx_config app_dial app_playback app_read app_senddtmf
"""

_DIALPLAN = f"""
[phones]
exten => {TONE},1,Answer()
 same => n(again),Playback(${{ASTETCDIR}}/tone)
 same => n,Goto(again)
exten => {BUSY},1,Hangup(17)
exten => {NEVER_ANSWERED},1,Ringing()
 same => n,Wait(60)
exten => {DIGITS_ECHOED},1,Answer()
 same => n,Read(DIGITS,,20,,1,20)
 same => n,SendDTMF(${{DIGITS}},80,80)
 same => n,Wait(30)
exten => {PAUSE},1,Answer()
 same => n,Playback(${{ASTETCDIR}}/tone)
 same => n,Wait(2)
 same => n,Playback(${{ASTETCDIR}}/tone)
 same => n,Wait(30)
exten => {HANGS_UP},1,Answer()
 same => n,Wait(0.5)
 same => n,Hangup()
exten => {PROMPT_PLAYED},1,Answer()
 same => n,Wait(0.5)
 same => n,Playback(${{ASTETCDIR}}/prompt)
 same => n,Wait(30)
exten => {MUSIC},1,Answer()
 same => n,MusicOnHold()
exten => {EARLY_TONE},1,Progress()
 same => n,Playback(${{ASTETCDIR}}/tone,noanswer)
 same => n,Hangup(17)
exten => _2XX,1,Dial(PJSIP/${{EXTEN}},30)
"""

_ACCOUNT = """
[{user}]
type = endpoint
context = phones
; Binds RTP to the transport's address. Otherwise Asterisk looks its own host name up at every call, in DNS
; where /etc/hosts does not have it, and a slow DNS server stalls all signalling for 5 s.
transport = udp
disallow = all
allow = ulaw
direct_media = no
auth = {user}
{aors}
[{user}]
type = auth
auth_type = userpass
username = {user}
password = {password}
"""

_AOR = """
[{user}]
type = aor
max_contacts = 1
remove_existing = yes
"""


@dataclass(frozen=True)
class PhonePbx:
    """A running PBX: where its SIP is, every account's password, and what its prompt sounds like."""

    asterisk: Asterisk
    sip_port: int
    passwords: dict[str, str]
    prompt: Samples


@contextlib.asynccontextmanager
async def small_pbx(conf_dir: Path) -> AsyncIterator[PhonePbx]:
    """Write the configuration into an empty folder and run it for the length of the block."""
    passwords = {user: secrets.token_urlsafe(16) for user in [*EXTENSIONS, WITHOUT_AOR]}
    sip_port = _free_udp_port()
    prompt = chirps(300)
    for name, text in _files(sip_port, passwords).items():
        (conf_dir / name).write_text(text, encoding="utf-8")
    audio.write_wav(conf_dir / "tone.wav", audio.sine(TONE_HZ, RATE_HZ))
    audio.write_wav(conf_dir / "prompt.wav", prompt)
    async with running(root_folder(), "phones", conf_dir, None) as asterisk:
        yield PhonePbx(asterisk, sip_port, passwords, prompt)


def chirps(from_hz: float) -> Samples:
    """Return 1.5 s of a rising and a slower chirp with a pause between and silence around, as a spoken prompt has."""
    steps = np.arange(RATE_HZ // 2) / RATE_HZ
    parts = [8000 * np.sin(2 * np.pi * (from_hz * steps + bend * np.square(steps))) for bend in (900, 350)]
    quiet = np.zeros(RATE_HZ // 10)
    return np.concatenate([quiet, parts[0], quiet, parts[1], quiet, quiet, quiet]).astype(np.int16)


def _files(sip_port: int, passwords: dict[str, str]) -> dict[str, str]:
    accounts = "".join(
        _ACCOUNT.format(user=user, password=password, aors="" if user == WITHOUT_AOR else f"aors = {user}")
        + ("" if user == WITHOUT_AOR else _AOR.format(user=user))
        for user, password in passwords.items()
    )
    return {
        "asterisk.conf": "[options]\nnocolor = yes\n",
        "logger.conf": "[logfiles]\nmessages => notice,warning,error\n",
        "modules.conf": "[modules]\nautoload = no\n" + "".join(f"load = {name}.so\n" for name in _MODULES.split()),
        "rtp.conf": "[general]\nrtpstart = 27000\nrtpend = 27400\n",
        "musiconhold.conf": "[default]\nmode = files\ndirectory = /usr/share/asterisk/moh\n",
        "pjsip.conf": f"[udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:{sip_port}\n{accounts}",
        "extensions.conf": _DIALPLAN,
    }


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
