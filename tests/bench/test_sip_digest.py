from __future__ import annotations

from bench.sip_digest import proof_of
from controller.provision import SipAccount


def test_the_proof_is_that_of_the_standards_own_example() -> None:
    """RFC 2617, section 3.5."""
    challenge = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    account = SipAccount("Mufasa", "Circle Of Life")
    proof = proof_of(challenge, account, "GET", "/dir/index.html", cnonce="0a4f113b")
    assert 'response="6629fae49393a05397450978507c4ef1"' in proof
    assert 'opaque="5ccc069c403ebaf9f0171e9517f40e41"' in proof
    assert "qop=auth, nc=00000001" in proof


def test_without_a_quality_of_protection_the_old_form_is_used() -> None:
    """RFC 2617, section 3.2.2.1; the hash was made with md5sum."""
    proof = proof_of('Digest realm="r", nonce="n"', SipAccount("u", "p"), "REGISTER", "sip:h")
    assert "qop" not in proof
    assert 'response="f7949f33797a7abbe390eaa95b1ca294"' in proof
