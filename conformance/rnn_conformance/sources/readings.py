"""In which ways a class or function of a stranger can be read, found by trying."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from rnn_reference import WEIGHT_NAMES

from rnn_conformance.contract.call import BASIC, GATED, Answer, Call, Dtype
from rnn_conformance.contract.refusal import CannotBeJudged, one_line
from rnn_conformance.sources.as_written import AsWritten
from rnn_conformance.sources.first_call import (
    FORMS,
    STATES,
    Way,
    by_step,
    first_results,
    found_in,
    keeps_rows_apart,
    shows_nan,
)
from rnn_conformance.sources.functions import Function
from rnn_conformance.sources.gates import Gates, Undeclared
from rnn_conformance.sources.models import Model, arrays_of, constructed, method_of, positional
from rnn_conformance.sources.slots import H, I, O, Slot, slots_of


class Unread:
    """A class or function of which nothing is known before the smoke check has read it."""

    claims = BASIC
    assumed = frozenset(("readings", "nothing"))

    def __init__(self, name: str, written: Callable[..., Any]) -> None:
        self.name, self._written = name, written

    def readings(self) -> Iterator[AsWritten]:
        """As the function of this name."""
        return readings(self.name, self._written)

    def run(self, _: Call) -> Answer:
        raise TypeError("it is not read yet: the smoke check does that, as `check` calls it")


def of_own_form(written: Callable[..., Any]) -> bool:
    """Whether a class can be asked, and a function has other parameters than weights, inputs, h_0.

    A class has a method forward, __call__, or a single public one.
    """
    if isinstance(written, type):
        return method_of(written) is not None
    names = [p.name for p in positional(written)]
    return hasattr(written, "weights_named") or "W_hh" in names


def readings(name: str, written: Callable[..., Any]) -> Iterator[AsWritten]:
    """Every way in which a class or function can be read that fits the shapes, without a state.

    Raises TypeError, which says what came, where there is none.
    """
    whys: list[str] = []
    try:
        sources = [*_sources(written)]
    except Undeclared as error:
        raise CannotBeJudged(f"implementation {name!r}: {error}") from error
    for dtype in (None, "float32"):
        apart: list[AsWritten] = []  # where one row of a batch does not change the others
        mixed: list[AsWritten] = []
        for source, way, stepwise in _tries(sources, dtype):
            try:
                asked = by_step(source, way) if stepwise else source
                parts, others = found_in(asked, way)
                fitting = apart if keeps_rows_apart(asked, way, parts) else mixed
            except Exception as error:  # noqa: BLE001, a stranger's code refuses as it likes
                lacks = f"; say which weight it is: weights_named({error.args[0]}='W_xh')"
                advice = lacks if isinstance(error, KeyError) and error.args else ""
                whys += [] if stepwise else [f"{way}: {one_line(error)}{advice}"]
                continue
            fitting.append(AsWritten(name, asked, way, parts, others))
        if apart or mixed:
            yield from apart or mixed
            return
    raise TypeError(f"no way to read {written.__qualname__}: {'; '.join(dict.fromkeys(whys))}")


def _tries(
    sources: Sequence[Model | Function], dtype: Dtype | None
) -> Iterator[tuple[Model | Function, Way, bool]]:
    """Every way to call something, for whole sequences, then for one step at a time."""
    for stepwise in (False, True):
        for source in sources:
            for way in _ways(source, dtype):
                yield source, way, stepwise


def _ways(source: Model | Function, dtype: Dtype | None) -> Iterator[Way]:
    """Every way to call something without a state that is not zero."""
    for state in STATES if source.needs_a_state else ("none",):
        for layout, axes in FORMS:
            yield Way(layout, axes, state, dtype)


def _sources(written: Callable[..., Any]) -> Iterator[Model | Function]:
    """Raises TypeError."""
    if isinstance(written, type):
        method, said = method_of(written), getattr(written, "gates", Gates())
        assert method is not None
        for cell in {*GATED} & {*getattr(written, "claims", ())}:
            said = replace(said, cell=cell)
        arrays = arrays_of(constructed(written, (I, H, O), "float64"))
        for slots, gates in slots_of(arrays, partial(_unread, written, method, said), said):
            yield Model(written, method, slots, gates)
        return
    names = getattr(written, "weights_named", None) or {name: name for name in WEIGHT_NAMES}
    for flat in (True, False):
        yield Function(written, names, flat)


def _unread(cls: type[Any], method: str, gates: Gates, paths: Sequence[str]) -> frozenset[str]:
    """Which arrays of a class do not matter: a NaN in them is not seen in the first results."""
    source = Model(cls, method, {}, gates)
    for dtype in (None, "float32"):
        for way in _ways(source, dtype):
            try:
                first_results(source, way)
            except Exception:  # noqa: BLE001, a stranger's code refuses as it likes
                continue
            marked = {path: replace(source, slots={path: Slot(())}, made={}) for path in paths}
            return frozenset(path for path in paths if not shows_nan(marked[path], way))
    return frozenset(paths)
