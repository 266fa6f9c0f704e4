"""Where practice differs between frameworks: what is permitted, and what an implementation says."""

from collections.abc import Mapping

UNDEFINED = "undefined"  # whatever comes is not judged

# What is permitted; the first is taken where nothing is declared, as torch.nn.RNN has it.
CONVENTIONS: Mapping[str, tuple[str, ...]] = {
    "T = 0": ("refused", "empty", UNDEFINED),
    "B = 0": ("empty", "refused", UNDEFINED),
    "length 0": ("refused", "h_0", UNDEFINED),
    "padded output": ("zeros", UNDEFINED),
    "NaN in padding": ("ignored", UNDEFINED),
    "wrong sizes": ("refused", UNDEFINED),
    "memory": ("any", "contiguous"),  # what is given may be a view with strides, or only this
    "sizes": ("free", "fixed"),  # an ONNX model leaves T and B free, or is written for each call's
    "shapes": ("any", "few"),  # calls of sizes that are new take long, as where code is compiled
    "states": ("every step", "last alone"),  # the last takes a call for every step of a sequence
    # Whether what is differentiated is the forward pass that gave the results, or another one.
    "backward pass": ("with the results", "of its own"),
    "gradients": ("of everything", "of weights alone"),  # inputs and states have theirs, or not
}


def following(what: str, option: str) -> str:
    """The feature that a check or a case needs which is for those who follow this option.

    Raises ValueError for an option that is unknown.
    """
    if option not in CONVENTIONS[what]:
        expected = ", ".join(CONVENTIONS[what])
        raise ValueError(f"conventions: {what}: expected one of {expected}, got {option!r}")
    return f"{what}: {option}"


NAN_IGNORED = following("NaN in padding", "ignored")
ZEROS_IN_PADDING = following("padded output", "zeros")
REFUSES_WRONG_SIZES = following("wrong sizes", "refused")
ANY_MEMORY = following("memory", "any")
LAST_ALONE = following("states", "last alone")
FEW_SHAPES = following("shapes", "few")
OWN_PASS = following("backward pass", "of its own")
OF_EVERYTHING, OF_WEIGHTS = (following("gradients", one) for one in CONVENTIONS["gradients"])


def declared(implementation: object) -> frozenset[str]:
    """What an implementation follows, by its attribute `conventions`, a mapping; as features.

    Raises ValueError for a convention or an option that is unknown.
    """
    chosen = getattr(implementation, "conventions", {})
    if not isinstance(chosen, Mapping) or not chosen.keys() <= CONVENTIONS.keys():
        raise ValueError(
            f"conventions: expected a mapping with some of {', '.join(CONVENTIONS)}, got {chosen!r}"
        )
    return frozenset(
        following(what, chosen.get(what, options[0])) for what, options in CONVENTIONS.items()
    )
