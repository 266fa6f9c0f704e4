"""What passes between the suite and an implementation: a call, an answer, what is claimed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar, get_args, runtime_checkable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
Layout = Literal["single", "time_first", "batch_first"]
Dtype = Literal["float32", "float64", "float16", "bfloat16"]

LAYOUTS: tuple[Layout, ...] = get_args(Layout)
DTYPES: tuple[Dtype, ...] = ("float32", "float64")
HALF_DTYPES: tuple[Dtype, ...] = ("float16", "bfloat16")  # claimed only where it is said


@dataclass(frozen=True)
class Call:
    """What an implementation is given. Every array is its own, contiguous and writable copy.

    Attributes:
        weights: W_xh (H, I), b_xh (H, 1), W_hh (H, H), b_hh (H, 1), W_ho (O, H), b_ho (O, 1).
        inputs: (T, I) in the layout "single", (T, B, I) in "time_first", (B, T, I) in
            "batch_first".
        h_0: None where it is omitted, else (H,) in "single" and (B, H) in the other two.
        layout: which of the three it is.
        bfloat16: whether the arrays hold numbers of bfloat16, which NumPy lacks, as float32, and
            the answer is to hold such numbers too.
    """

    weights: Mapping[str, Array]
    inputs: Array
    h_0: Array | None
    layout: Layout
    bfloat16: bool = False

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Of every array, and of the answer's."""
        return self.inputs.dtype


@dataclass(frozen=True)
class Answer:
    """What an implementation gives back, in the dtype of the call. What is None is not judged.

    Attributes:
        hidden_states: h_0 … h_{T-1} after each step: (T, H), (T, B, H) or (B, T, H), by layout.
        h_n: the state after the last step: (H,) or (B, H).
        outputs: y_t of each step: (T, O), (T, B, O) or (B, T, O).
    """

    hidden_states: Array
    h_n: Array | None = None
    outputs: Array | None = None


@dataclass(frozen=True)
class Claims:
    """What an implementation says that it does. Nothing beyond it is asked of it.

    Attributes:
        dtypes: of float32, float64, float16 and bfloat16, each judged by its own unit roundoff.
        h_0: whether an initial state can be given; if not, every call omits it.

    Raises ValueError where a claim is empty or unknown.
    """

    layouts: tuple[str, ...] = ("time_first",)
    dtypes: tuple[str, ...] = DTYPES
    h_0: bool = True

    @property
    def features(self) -> frozenset[str]:
        """Everything claimed, in one set."""
        return frozenset((*self.layouts, *self.dtypes, *["h_0"] * self.h_0))

    def __post_init__(self) -> None:
        for name, known in (("layouts", LAYOUTS), ("dtypes", get_args(Dtype))):
            claimed = getattr(self, name)
            if isinstance(claimed, str) or not claimed or not set(claimed) <= set(known):
                raise ValueError(
                    f"{name}: expected a selection of {', '.join(known)}, got {claimed!r}"
                )
        if not isinstance(self.h_0, bool):
            raise ValueError(f"h_0: expected True or False, got {self.h_0!r}")


EVERYTHING = Claims(LAYOUTS, (*DTYPES, *HALF_DTYPES))


@runtime_checkable
class Implementation(Protocol):
    """An RNN under test."""

    @property
    def name(self) -> str: ...

    @property
    def claims(self) -> Claims: ...

    def run(self, call: Call) -> Answer: ...


F = TypeVar("F", bound=Callable[..., Any])


def claims(
    *,
    layouts: tuple[str, ...] = ("time_first",),
    dtypes: tuple[str, ...] = DTYPES,
    h_0: bool = True,
) -> Callable[[F], F]:
    """Decorate a function or a class with what it claims; see `Claims`."""
    claimed = Claims(tuple(layouts), tuple(dtypes), h_0)

    def decorate(implementation: F) -> F:
        implementation.claims = claimed  # type: ignore[attr-defined]
        return implementation

    return decorate
