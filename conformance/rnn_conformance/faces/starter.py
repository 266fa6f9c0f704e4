"""The command `rnn-conformance new`: a file to start from, right as it stands."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rnn_conformance.faces import status
from rnn_conformance.sources.starters import STARTERS


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a file; 0, or 2 if it is there already or cannot be written."""
    parser = argparse.ArgumentParser(
        prog="rnn-conformance new", description="Write a file to start from, right as it stands."
    )
    parser.add_argument("kind", choices=tuple(STARTERS), help="what you have")
    parser.add_argument("file", help="a new Python file")
    options = parser.parse_args(arguments)
    try:
        with Path(options.file).open("x", encoding="utf-8") as file:
            file.write(STARTERS[options.kind].format(file=options.file))
    except OSError as error:
        return status.not_judged(f"new: {error}")
    return status.CONFORMS
