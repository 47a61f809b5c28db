"""The proof that a phone knows its password, without telling it (RFC 2617 as RFC 3261, section 22, uses it)."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.provision import SipAccount


def proof_of(challenge: str, account: SipAccount, method: str, uri: str, *, cnonce: str = "bench") -> str:
    """Return the value of Authorization that answers a WWW-Authenticate. Only MD5 is spoken."""
    asked = {
        name.lower(): quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', challenge)
    }
    nonce, count = asked["nonce"], "00000001"
    ours = _md5(f"{account.user}:{asked['realm']}:{account.password}")
    theirs = _md5(f"{method}:{uri}")
    answer = [f'Digest username="{account.user}"', f'realm="{asked["realm"]}"', f'nonce="{nonce}"', f'uri="{uri}"']
    if "auth" in asked.get("qop", "").split(","):
        response = _md5(f"{ours}:{nonce}:{count}:{cnonce}:auth:{theirs}")
        answer += ["qop=auth", f"nc={count}", f'cnonce="{cnonce}"']
    else:
        response = _md5(f"{ours}:{nonce}:{theirs}")
    if "opaque" in asked:
        answer.append(f'opaque="{asked["opaque"]}"')
    return ", ".join([*answer, f'response="{response}"', "algorithm=MD5"])


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
