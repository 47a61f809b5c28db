"""The site's part of Asterisk's configuration, as text. Pure: a Site in, file names and contents out.

`[name](+)` adds to a section that the static file has begun; `[name](template)` builds on a template of it
(Asterisk's configuration syntax, `main/config.c`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.provision.site import CONTROL_HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.provision.site import Site

DOOR: Final = "kamailio"
"""The user name of the program at the door, in the OPTIONS that it sends (docker/kamailio/kamailio.cfg)."""
_HEAD = "; Written at every start from site.json and secrets.env; do not edit.\n\n"


def pbx_files(site: Site) -> Mapping[str, str]:
    """File name to content, for the folder `site/` of the PBX."""
    ports = site.ports
    # Without it two Asterisks that were started in the same second give the same ids to different calls.
    named = {} if site.door_sip is None else {"asterisk.conf": f"[options](+)\nsystemname = {site.name}\n"}
    return {
        name: _HEAD + text
        for name, text in {
            **named,
            "globals.conf": f"ORI_SERVICE_NUMBER = {site.service_number}\n",
            "http.conf": f"bindaddr = {CONTROL_HOST}\nbindport = {ports.ari}\n",
            "ari.conf": f"[{site.ari_user}]\ntype = user\nread_only = no\npassword_format = plain\n"
            f"password = {site.ari_password}\n",
            "manager.conf": _manager(site),
            "rtp.conf": f"rtpstart = {ports.pbx_rtp_first}\nrtpend = {ports.pbx_rtp_last}\n",
            "queue-members.conf": "".join(f"member => PJSIP/{agent.user},0,{agent.user}\n" for agent in site.agents),
            "pjsip.conf": _pbx_pjsip(site),
        }.items()
    }


def carrier_files(site: Site, *more: Site) -> Mapping[str, str]:
    """File name to content, for the folder `site/` of the telephone network in the lab.

    `more` are the Asterisks behind the same door, where there are several.
    """
    ports = site.ports
    return {
        name: _HEAD + text
        for name, text in {
            "globals.conf": f"CARRIER_SERVICE_NUMBER = {site.service_number}\n",
            "rtp.conf": f"rtpstart = {ports.carrier_rtp_first}\nrtpend = {ports.carrier_rtp_last}\n",
            "pjsip.conf": _carrier_pjsip(site, *more),
        }.items()
    }


def _manager(site: Site) -> str:
    events = ("FullyBooted", "Shutdown", "DeviceStateChange", "ContactStatus", "MusicOnHoldStart")
    filters = "".join(f"eventfilter(name({event})) =\n" for event in events)
    return (
        f"port = {site.ports.ami}\nbindaddr = {CONTROL_HOST}\n\n"
        f"[{site.ami_user}]\nsecret = {site.ami_password}\n"
        "; Events of these classes, and of them only the ones that are named.\n"
        f"read = system,call,reporting\n{filters}"
        "; PJSIPShowContacts stands in the class system, DeviceStateList in reporting, QueueLog in agent. Neither\n"
        "; commands nor originate nor configuration.\n"
        "write = system,reporting,agent\nwritetimeout = 5000\n"
    )


def _transports(bind: str, port: int) -> str:
    return "".join(f"[transport-{kind}](+)\nbind = {bind}:{port}\n\n" for kind in ("udp", "tcp"))


def _media(site: Site) -> str:
    """Keep sound on the address that SIP is bound to; without this, RTP listens on every address."""
    if site.bind != site.host:
        return ""
    return f"media_address = {site.bind}\nbind_rtp_to_media_address = yes\n"


def _trunk(site: Site, *, endpoint: str, ours: str, theirs: str, port: int) -> str:
    """One end of the trunk: `theirs` is the user that the other end proves, `ours` the one we prove to it."""
    return (
        f"[{endpoint}](trunk)\nidentify_by = auth_username\nauth = {endpoint}-in\n"
        f"outbound_auth = {endpoint}-out\naors = {endpoint}\nlanguage = {site.language}\n{_media(site)}\n"
        f"[{endpoint}](trunk-aor)\ncontact = sip:{site.host}:{port}\n\n"
        f"[{endpoint}-in](account)\nusername = {theirs}\npassword = {site.trunk_password}\n\n"
        f"[{endpoint}-out](account)\nusername = {ours}\npassword = {site.trunk_password}\n\n"
    )


def _pbx_pjsip(site: Site) -> str:
    text = _transports(site.bind, site.ports.sip)
    text += _trunk(site, endpoint=site.trunk, ours=site.name, theirs="carrier", port=site.ports.carrier_sip)
    for agent in site.agents:
        text += (
            f"[{agent.user}](agent)\nauth = {agent.user}\naors = {agent.user}\nlanguage = {site.language}\n"
            f"callerid = {agent.user} <{agent.user}>\n{_media(site)}\n"
            f"[{agent.user}](agent-aor)\n\n"
            f"[{agent.user}](account)\nusername = {agent.user}\npassword = {agent.password}\n\n"
        )
    return text + ("" if site.door_sip is None else _door(site))


def _door(site: Site) -> str:
    """Let the program at the door ask whether this Asterisk lives (OPTIONS), and do nothing else.

    Nobody is told the password of its account, so whatever it asks beyond that is refused. Without an endpoint of its
    own it would be told 401 for ever, and never the 503 of an Asterisk that is to end with its last call.
    """
    return (
        f"[{DOOR}](line)\nidentify_by = username\nauth = {DOOR}\nallow_unauthenticated_options = yes\n"
        f"context = nowhere\n{_media(site)}\n"
        f"[{DOOR}](account)\nusername = {DOOR}\npassword = {site.door_password}\n\n"
    )


def _carrier_pjsip(site: Site, *more: Site) -> str:
    text = _transports(site.bind, site.ports.carrier_sip)
    incoming = site.ports.sip if site.door_sip is None else site.door_sip
    text += _trunk(site, endpoint="pbx", ours="carrier", theirs="pbx", port=incoming)
    if site.door_sip is not None:
        # Whoever counts calls can tell who placed them.
        for one in (site, *more):
            text += _trunk(one, endpoint=one.name, ours="carrier", theirs=one.name, port=one.ports.sip)
    for line in site.customers:
        text += (
            f"[{line.user}](customer)\nauth = {line.user}\naors = {line.user}\n{_media(site)}\n"
            f"[{line.user}](customer-aor)\n\n"
            f"[{line.user}](account)\nusername = {line.user}\npassword = {line.password}\n\n"
        )
    return text
