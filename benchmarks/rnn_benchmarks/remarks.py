"""What a run leaves to be told beside its measurements: lines absent, points left out.

pytest keeps them in the stash of its configuration until the results are written.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Remarks:
    """Why lines are absent, by name; the points left out, with the seconds a call took there."""

    absent: dict[str, str] = field(default_factory=dict)
    left_out: list[dict[str, Any]] = field(default_factory=list)


KEY = pytest.StashKey[Remarks]()


def remarks_of(config: pytest.Config) -> Remarks:
    """The remarks of this run, to be added to."""
    return config.stash.setdefault(KEY, Remarks())
