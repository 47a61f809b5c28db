"""The accounts at providers whose language the controller knows. Their secrets come from the environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from controller.settings.values import AccountWord, Host, Port, ProviderUrl, Section, file_beside
from controller.sms.smpp_account import LongTexts, MessageIds, SmppAccount
from controller.sms.twilio import TwilioAccount
from controller.sms.vonage import VonageAccount


def _plain(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("must be plain ASCII letters, digits and signs")
    return text


class Twilio(Section):
    """An account at Twilio. ORIKAESHI_SMS_SECRET is its auth token, or the secret of the API key."""

    account_sid: AccountWord
    api_key_sid: AccountWord | None = None
    """With it, ORIKAESHI_SMS_WEBHOOK_SECRET is the auth token, which signs what Twilio sends to us."""
    messaging_service_sid: AccountWord | None = None
    """Chooses the sender; sms.sender is not sent then."""
    base_url: ProviderUrl = "https://api.twilio.com"

    def account(self, secret: str) -> TwilioAccount:
        """Return the account as its gateway knows it."""
        return TwilioAccount(secret=secret, **self.model_dump())


class Vonage(Section):
    """An account at Vonage. ORIKAESHI_SMS_SECRET is its API secret, ORIKAESHI_SMS_WEBHOOK_SECRET what it signs with."""

    api_key: AccountWord
    """Names the account, and is no secret."""
    base_url: ProviderUrl = "https://api.nexmo.com"

    def account(self, secret: str) -> VonageAccount:
        """Return the account as its gateway knows it."""
        return VonageAccount(secret=secret, **self.model_dump())


class Smpp(Section):
    """An account at an SMS centre (SMPP 3.4). ORIKAESHI_SMS_SECRET is its password."""

    host: Host
    port: Port = 2775
    tls: bool = False
    ca_file: Annotated[Path | None, BeforeValidator(file_beside)] = None
    """Who vouches for the centre's certificate; None: those that the system trusts."""
    system_id: Annotated[str, AfterValidator(_plain), Field(min_length=1, max_length=15)]
    system_type: Annotated[str, AfterValidator(_plain), Field(max_length=12)] = ""
    long_texts: Literal["udh", "payload"] = "udh"
    """The words are `controller.sms.smpp_account.LongTexts`."""
    message_ids: Literal["same", "decimal", "hex_then_decimal", "decimal_then_hex"] = "same"
    """The words are `controller.sms.smpp_account.MessageIds`."""
    validity_h: Annotated[float, Field(ge=0.1, le=72, allow_inf_nan=False)] = 4
    """How long the centre tries to deliver."""
    enquire_interval_s: Annotated[float, Field(ge=5, le=600, allow_inf_nan=False)] = 30
    answer_timeout_s: Annotated[float, Field(ge=1, le=120, allow_inf_nan=False)] = 10
    window: Annotated[int, Field(ge=1, le=1000)] = 10

    def account(self, password: str, *, home: str) -> SmppAccount:
        """Return the account as its gateway knows it; `home` as [dialer] has it. Raises ValueError for the password."""
        given = self.model_dump(exclude={"long_texts", "message_ids", "validity_h"})
        return SmppAccount(
            **given,
            password=password,
            home=home,
            long_texts=LongTexts(self.long_texts),
            message_ids=MessageIds(self.message_ids),
            validity_s=self.validity_h * 3600,
        )
