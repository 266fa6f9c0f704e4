"""How the tests hold a refusal to its exact words."""

from collections.abc import Callable
from typing import Any

import pytest


def ident(value: object) -> str | None:
    """A short name for a parameter, the same in every process."""
    if isinstance(value, type):
        return value.__name__
    plain = value is None or isinstance(value, int | float | str)
    return repr(value)[:30] if plain else type(value).__name__


def refused(
    error: type[Exception], message: str, call: Callable[..., object], *args: Any, **kwargs: Any
) -> None:
    """The call raises exactly this kind of error with exactly this message; `…` stands for any."""
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    assert type(caught.value) is error
    text = str(caught.value)
    assert "\n" not in text
    start, dots, end = message.partition("…")
    assert text == message if not dots else text.startswith(start) and text.endswith(end), text
