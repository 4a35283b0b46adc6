"""The sentences of the lessons, in the reader's language. All of them are in ``texts``, one file per language."""

from __future__ import annotations

import locale
import os
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from gilstudy.text import shown

LANGUAGES: Final = ("en", "zh")


class Words:
    """All sentences in one language."""

    def __init__(self, language: str) -> None:
        path = resources.files("gilstudy.lessons") / "texts" / f"{language}.toml"
        self.language = language
        self._tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))

    @property
    def code(self) -> Mapping[str, str]:
        """What a program's comments and messages are in this language; empty where they are in it already."""
        return dict(self._tables.get("code", {}))

    def ui(self, key: str, **facts: object) -> str:
        """A word or sentence of the display."""
        return self._text(self._tables["ui"], key, facts)

    def reason(self, key: str, *, detail: str = "") -> str:
        """Why a lesson cannot be given, with what the system said."""
        return self._text(self._tables["reasons"], key, {"detail": shown(detail)})

    def lesson(self, name: str, key: str, **facts: object) -> str:
        """A sentence of a lesson."""
        return self._text(self._tables["lessons"][name], key, facts)

    def within(self, name: str, group: str, key: str) -> str:
        """A lesson's option, check or row."""
        return self._text(self._tables["lessons"][name][group], key, {})

    def keys(self, name: str, group: str) -> tuple[str, ...]:
        """The keys of a lesson's options, checks or rows."""
        return tuple(self._tables["lessons"][name][group])

    def has(self, name: str, key: str) -> bool:
        """Whether a lesson has a sentence of that key."""
        return key in self._tables["lessons"][name]

    @staticmethod
    def _text(table: Mapping[str, str], key: str, facts: Mapping[str, object]) -> str:
        return table[key].format(**facts) if facts else table[key]


def default_language(environment: Mapping[str, str] | None = None) -> str:
    """The language of the locale, if there are texts in it; otherwise English.

    Args:
        environment: instead of ``os.environ``. LC_ALL comes before LC_MESSAGES, and that before LANG (locale(7)); where
            none is set, as on Windows, the system is asked.
    """
    environment = os.environ if environment is None else environment
    names = (environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    name = next(filter(None, names), "") or locale.getlocale()[0] or ""
    # Windows says Chinese (Simplified)_China
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"
