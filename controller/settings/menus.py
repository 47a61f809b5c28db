"""The ways in, menus, and pages that are sent by SMS."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from controller.domain import menu as domain
from controller.settings.destinations import Answer, Onward
from controller.settings.values import DialledNumber, Language, Name, PageUrl, Prompt, Section, Title

KEYS = "0123456789*#"


def _key(text: str) -> str:
    if len(text) != 1 or text not in KEYS:
        raise ValueError(f'is no key of a telephone: write one of 0 to 9, "*" and "#", not "{text[:20]}"')
    return text


class Titled(Section):
    """Something with a name that people read or hear, in each language."""

    title_ja: Title
    title_en: Title
    titles: dict[Language, Title] = Field(default_factory=dict, validate_default=True)
    """By language; the two of above are among them once loaded."""

    @field_validator("titles")
    @classmethod
    def _complete(cls, titles: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        known = {language: info.data[key] for language in ("ja", "en") if (key := f"title_{language}") in info.data}
        for language in ("ja", "en"):
            if titles.get(language, known.get(language)) != known.get(language):
                raise ValueError(f"{language} has a key of its own: write title_{language}")
        return {**known, **titles}


class Entrance(Section):
    """A way in: the numbers that were dialled, the language, and what comes first."""

    name: Name
    dialled_numbers: Annotated[tuple[DialledNumber, ...], Field(min_length=1)]
    language: Language = "ja"
    welcome: Prompt = "welcome"
    leads_to: Onward

    @property
    def entrance(self) -> domain.Entrance:
        """The entrance as the domain knows it."""
        return domain.Entrance(
            name=self.name,
            dialled_numbers=self.dialled_numbers,
            language=self.language,
            leads_to=self.leads_to,
            welcome=self.welcome,
        )


class Menu(Section):
    """One question with keys for answers."""

    name: Name
    prompts: Annotated[tuple[Prompt, ...], Field(min_length=1)]
    keys: Annotated[dict[Annotated[str, AfterValidator(_key)], Answer], Field(min_length=1)]
    no_key: Onward = domain.SayGoodbye("goodbye")
    wrong_key: Onward = domain.SayGoodbye("goodbye")
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    first_key_timeout_s: Annotated[float, Field(ge=1, le=60, allow_inf_nan=False)] = 5

    @property
    def menu(self) -> domain.Menu:
        """The menu as the domain knows it."""
        return domain.Menu(
            name=self.name,
            prompts=self.prompts,
            keys=dict(self.keys),
            no_key=self.no_key,
            wrong_key=self.wrong_key,
            tries=self.tries,
            first_key_timeout_s=self.first_key_timeout_s,
        )


class WebPage(Titled):
    """A page that answers a question, sent by SMS."""

    name: Name
    url: PageUrl

    @property
    def web_page(self) -> domain.WebPage:
        """The page as the domain knows it."""
        return domain.WebPage(name=self.name, url=self.url, titles=self.titles)
