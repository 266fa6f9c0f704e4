"""The names of all lines, for options that must work, and say what is missing, without torch."""

from collections.abc import Sequence

YARDSTICK_NAME = "torch-rnn"
OURS = "batch-rnn"
LIMIT = "floor"

# Those of `lines.LINES`, in its order.
CORE = ("blackboard", OURS, "layer", "rnn-cell", YARDSTICK_NAME)

# Name to module in `rivals`, which is imported only if the line is asked for.
RIVALS = {
    "torch-compile": "torch_compile",
    "onnxruntime": "onnxruntime_rnn",
    "jax-scan": "jax_scan",
    "numba": "numba_loop",
    LIMIT: "floor",
}
NAMES = (*CORE, *RIVALS)


def chosen_names(text: str) -> tuple[str, ...]:
    """The names in a list with commas, in the order of NAMES; the yardstick is always among them.

    An empty list means all. ValueError for a name that is none.
    """
    wanted = {name.strip() for name in text.split(",") if name.strip()}
    unknown = sorted(wanted - set(NAMES))
    if unknown:
        raise ValueError(f"lines: expected names of {', '.join(NAMES)}, got {', '.join(unknown)}")
    return tuple(name for name in NAMES if not wanted or name in wanted | {YARDSTICK_NAME})


def joined(names: Sequence[str]) -> str:
    """The names as words: a, b and c."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
