"""From what a user names or passes to an implementation that can be run."""

import sys
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

from rnn_conformance.contract import conventions
from rnn_conformance.contract.call import GATED, Implementation, claimed
from rnn_conformance.contract.declaration import Declaration, KnownFailure, declared
from rnn_conformance.contract.refusal import CannotBeJudged, installing, one_line
from rnn_conformance.sources import adapters
from rnn_conformance.sources.adapters.catalogue import CATALOGUE, extra_of
from rnn_conformance.sources.derivatives import wants_gradients
from rnn_conformance.sources.functions import MAPPINGS
from rnn_conformance.sources.gated import CAN_CLAIM_GATED, GatedFunction
from rnn_conformance.sources.plain import PlainFunction, StepByStepClass
from rnn_conformance.sources.readings import Unread, of_own_form
from rnn_conformance.sources.seed_model import of_one_layer, seed_claims

GROUP = "rnn_conformance.implementations"  # of the entry points by which a package lists its own


def load(name: str) -> Implementation:
    """The implementation of this name, as `named` takes it; for its kinds see `as_implementation`.

    Raises CannotBeJudged, with one line that says what is wrong.
    """
    if name.endswith(".py"):
        module = _imported(name, name)
        only = _only_one(name, module)
        return as_implementation(getattr(module, only), name=f"{name}:{only}")
    return as_implementation(named(name), name=name)


def _only_one(name: str, module: ModuleType) -> str:
    """What the one thing in a file that can be judged is called.

    Raises CannotBeJudged if there are several, or none.
    """
    own = {n: o for n, o in vars(module).items() if getattr(o, "__module__", "") == module.__name__}
    ours = {n: o for n, o in own.items() if not n.startswith("_") and callable(o)}
    classes = [n for n, o in ours.items() if isinstance(o, type) and _can_be_asked(o)]
    functions = [n for n, o in ours.items() if not isinstance(o, type) and _can_be_asked(o)]
    found = classes or functions
    if len(found) != 1:
        several = " or ".join(f"{name}:{one}" for one in found or ours) or "nothing"
        raise CannotBeJudged(f"implementation {name!r}: say what in it: {several}")
    return found[0]


def _can_be_asked(found: Any) -> bool:
    if isinstance(found, type):
        return not issubclass(found, tuple) and (hasattr(found, "run") or of_own_form(found))
    takes_weights = next(iter(signature(found).parameters), "") in MAPPINGS
    return takes_weights or of_own_form(found)


def named(name: str) -> Any:
    """The object of this name: a built-in one, one that another package lists by an entry point,
    `package.module:object` or `path/to/file.py:object`.

    Raises CannotBeJudged.
    """
    target = f"{adapters.__name__}.{CATALOGUE[name].target}" if name in CATALOGUE else name
    listed = () if name in CATALOGUE else tuple(entry_points(group=GROUP, name=name))
    target = listed[0].value if listed else target
    place, colon, attribute = target.rpartition(":")
    if not colon or not place or not attribute:
        raise CannotBeJudged(
            f"implementation {name!r}: {_near(name)}expected module:object, or file.py:object, or "
            f"one of {', '.join(names())}"
        )
    if target == name and not place.endswith(".py") and "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` does: a module in the working directory is found
    module = _imported(name, place)
    if not hasattr(module, attribute):
        raise CannotBeJudged(f"implementation {name!r}: {place} has no {attribute!r}")
    return getattr(module, attribute)


def _imported(name: str, place: str) -> ModuleType:
    """A module or file. Raises CannotBeJudged."""
    try:
        return _from_file(place) if place.endswith(".py") else import_module(place)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a stranger's module may raise anything while it is imported
        raise CannotBeJudged(
            f"implementation {name!r}: importing {place} failed: {one_line(error)}{_advice(error)}"
        ) from error


def _near(name: str) -> str:
    """A known name that could be meant."""
    near = get_close_matches(name, names(), n=1, cutoff=0.7)
    return f"{near[0]} is meant? " if near else ""


def names() -> tuple[str, ...]:
    """Every implementation that is known by name: the built-in ones, then those of entry points."""
    return (*CATALOGUE, *sorted(entry.name for entry in entry_points(group=GROUP)))


def as_implementation(implementation: Any, *, name: str | None = None) -> Implementation:
    """An implementation, made from whatever of these it is given.

    - a name, as `load` takes it;
    - an `Implementation`: an object with `name`, `claims` and `run(call)`, or its class;
    - a class like those of the reference: `Class(input_size, hidden_size, output_size, dtype=…,
      rng=…)`, weights assigned as attributes, `forward(inputs, h_0)` that returns outputs and
      hidden states by time step;
    - a function `f(weights, inputs, h_0)` that returns a mapping with "hidden_states", and "h_n"
      and "outputs" where it has them; of an LSTM or a GRU, as `GatedFunction` has it.

    A class or function is taken to claim `BASIC`, unless it is decorated with
    `rnn_conformance.claims`.

    Raises CannotBeJudged.
    """
    if isinstance(implementation, str):
        return load(implementation)
    shown = name or type(implementation).__name__
    try:
        shown = name or _name_of(implementation)
        found = _adapted(implementation, shown)
        _refuse_wrong(found)
    except (CannotBeJudged, KeyboardInterrupt):
        raise
    except BaseException as error:  # a stranger's constructor may raise anything
        raise CannotBeJudged(f"implementation {shown!r}: {one_line(error)}") from error
    return found


def _refuse_wrong(found: Implementation) -> None:
    """Raises TypeError or ValueError for what is said wrongly: now rather than in every check."""
    if not isinstance(found.name, str):
        raise TypeError(f"name: expected str, got {type(found.name).__name__}")
    if not isinstance(found.claims, frozenset):
        raise TypeError(f"claims: expected frozenset, got {type(found.claims).__name__}")
    claimed(found.claims)
    known = getattr(found, "known_failures", ())
    if not isinstance(known, tuple) or not all(isinstance(some, KnownFailure) for some in known):
        raise TypeError(f"known_failures: expected a tuple of KnownFailure, got {known!r}")
    conventions.declared(found)


def _adapted(implementation: Any, shown: str) -> Implementation:
    if hasattr(implementation, "run_layer"):
        raise CannotBeJudged(
            f"implementation {shown!r}: rename run_layer to run and features to claims; its call "
            "is a Call and its answer an Answer since 0.2.0"
        )
    if isinstance(implementation, type):
        if hasattr(implementation, "run"):
            implementation = implementation()
        elif any(base.__module__.startswith("torch.nn") for base in implementation.__mro__):
            if {"num_layers", "bidirectional"} & {*signature(implementation).parameters}:
                raise CannotBeJudged(
                    f"implementation {shown!r}: a module of torch with layers or directions; if it "
                    "stands in for torch.nn.RNN, LSTM or GRU, say so: --like torch.nn.RNN"
                )
            return _unread(shown, implementation)
        elif hasattr(implementation, "forward") and not (
            hasattr(implementation, "gates")
            or _claims_gates(implementation)
            or wants_gradients(implementation)
        ):
            return StepByStepClass(shown, implementation)
        elif of_own_form(implementation):
            return _unread(shown, implementation)
    if isinstance(implementation, Implementation):
        return implementation
    if callable(implementation) and not isinstance(implementation, type):
        if _claims_gates(implementation):
            return GatedFunction(shown, implementation)
        if not hasattr(implementation, "claims") and of_own_form(implementation):
            return Unread(shown, implementation)
        return PlainFunction(shown, implementation)
    raise CannotBeJudged(
        f"implementation {shown!r}: expected a function (weights, inputs, h_0), a class with "
        f"forward, or an object with name, claims and run, got {_kind(implementation)}"
    )


def _claims_gates(written: Any) -> bool:
    return bool({*getattr(written, "claims", ())} & {*GATED})


def _unread(shown: str, written: type[Any]) -> Implementation:
    """A class that is read by trying, with what it says of itself."""
    claims = getattr(written, "claims", None)
    if _claims_gates(written):
        of_one_layer(written.claims, CAN_CLAIM_GATED)
    elif claims is not None:
        seed_claims(claims)
    said = Declaration(claims=claims, conventions=getattr(written, "conventions", None))
    return declared(Unread(shown, written), said)


def _from_file(place: str) -> ModuleType:
    path = Path(place)
    if not path.is_file():
        raise FileNotFoundError(f"no file {place}")
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{place} is not a Python file")
    module = module_from_spec(spec)
    if (folder := str(path.resolve().parent)) not in sys.path:
        sys.path.insert(0, folder)  # as `python file.py` does: its neighbours are found
    sys.modules.setdefault(path.stem, module)  # dataclasses and pickles look their module up
    spec.loader.exec_module(module)
    return module


def _advice(error: BaseException) -> str:
    extra = extra_of(error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    return f"; to install it: {installing(extra)}" if extra else ""


def _name_of(implementation: Any) -> str:
    names = (getattr(implementation, attribute, None) for attribute in ("name", "__qualname__"))
    return next((n for n in names if n and isinstance(n, str)), type(implementation).__name__)


def _kind(implementation: Any) -> str:
    if isinstance(implementation, type):
        return f"the class {implementation.__qualname__}, which has neither run nor forward"
    lacking = [name for name in ("name", "claims") if not hasattr(implementation, name)]
    without = f", without {' and '.join(lacking)}" if hasattr(implementation, "run") else ""
    return f"an object of type {type(implementation).__name__}{without}"
