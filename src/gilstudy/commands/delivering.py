"""The end of every command's path: save, then show."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gilstudy.errors import BadInput

Act = Callable[[], object]


def deliver(saves: Iterable[Act], show: Act) -> None:
    """Save all there is to be saved, then show it. What cannot be saved keeps nothing else from being saved or shown.

    Raises:
        BadInput: something could not be written; if there is more than one, the first.
    """
    failures: list[BadInput] = []
    for act in (*saves, show):
        try:
            act()
        except BadInput as error:
            failures.append(error)
    if failures:
        raise failures[0]
