"""Files that anybody may have written: bounded, and one ValueError for whatever is wrong."""

import json
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from rnn_conformance.contract.refusal import printable

MOST_ERRORS = 10  # of a schema, from which the one that says most is taken


def content_of(shown: str, path: Path, most: int, *, inside: Path | None = None) -> bytes:
    """The bytes of a file.

    Args:
        shown: the name of the file in messages.
        most: how many bytes it may have; no more than one above are read.
        inside: the folder that it must lie in, after every link is followed.

    Raises ValueError, with one line that starts with the name, where there is no such file, or it
    is larger, no regular file (a pipe may have no end), or outside the folder.
    """
    try:
        found = path.resolve(strict=True)
        if inside is not None and not found.is_relative_to(inside.resolve()):
            raise ValueError("expected a file in the folder, got a way out of it")
        if not found.is_file():
            raise ValueError("expected a regular file")
        with found.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise ValueError(f"expected at most {most} bytes, got more")
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a link to itself
        why = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"{printable(shown)}: {printable(why)}") from error
    return content


def json_of(shown: str, content: bytes, schema: Path, version: int) -> Any:
    """The object in strict JSON, each name once, valid by a JSON Schema, of this "format".

    Raises ValueError, with one line that starts with `shown`, and ImportError without jsonschema.
    """
    try:
        return _valid(content.decode(), schema, version)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{printable(shown)}: {printable(str(error))}") from error


def _valid(text: str, schema: Path, version: int) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    data = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    if isinstance(data, dict) and (found := data.get("format")) != version:
        raise ValueError(f"format: expected {version}, got {found!r}; another version wrote it")
    validator = Draft202012Validator(json.loads(schema.read_text("utf-8")))
    wrong = best_match(islice(validator.iter_errors(data), MOST_ERRORS))
    if wrong is not None:
        raise ValueError(f"{wrong.json_path.removeprefix('$.')}: {wrong.message}")
    return data


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"expected each name once, got {twice[:100]!r} twice in an object")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"expected JSON, which has no number {name}")
