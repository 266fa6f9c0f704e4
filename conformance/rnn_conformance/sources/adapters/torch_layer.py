"""torch.nn.RNN, LSTM and GRU: every option under its own name, weights by state_dict name."""

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
import torch

from rnn_conformance.contract.call import (
    FEATURES,
    GRADIENTS,
    NONLINEARITIES,
    Answer,
    Array,
    Call,
    Options,
)
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.contract.refusal import Broken, Violation
from rnn_conformance.sources.adapters.autodiff import torch_gradients
from rnn_conformance.sources.adapters.sizes import (
    READOUT,
    parts_of,
    refuse_misfits,
    state_of,
    upstream_of,
)
from rnn_conformance.sources.derivatives import NO_GRADIENT

UNPACKED = "pack_padded_sequence(enforce_sorted=False) drops the rows beyond the lengths given"
PACKED = "the rows of h_0 beyond those of a packed sequence are dropped"
ROWS_DROPPED = (
    KnownFailure("lengths_refused", UNPACKED, link="findings.md, 1"),
    KnownFailure("wrong_rows_refused", PACKED, "*sorted*", "findings.md, 1"),
    KnownFailure("wrong_rows_refused", PACKED, "*equal*", "findings.md, 1"),
)
UNCHECKED = "no size of a packed sequence or of its state is checked"
KEPT = 64  # modules
CLAIMED_AS = {
    "num_layers": "layers",
    "bias": "no_bias",
    "nonlinearity": "relu",
    "batch_first": "batch_first",
    "bidirectional": "bidirectional",
    "dropout": "dropout",
}  # each option of torch.nn.RNN that a stand-in may lack
Forward = Callable[[torch.Tensor, Sequence[torch.Tensor]], tuple[torch.Tensor, Any]]
Made = tuple[torch.nn.Module, Mapping[str, Array]]  # and the memory of its weights, if it shows


class TorchLayer:
    """A recurrent layer of torch on the CPU, or a class that stands in for it: made, loaded alike.

    Variable lengths go in and out as a packed sequence. A module is made once for its options, and
    gets the weights of each call by load_state_dict, so that what it keeps from call to call shows.
    Calls from other threads share a module where all their weights are the same.

    Args:
        make: a class, or what makes a module: called with input_size and hidden_size, and by name
            with those options of the layer that are not at their default. That of torch itself
            where it is None.
    """

    adapter = True
    own: type[torch.nn.Module] = torch.nn.RNN
    cells: Collection[str] = NONLINEARITIES
    known: tuple[KnownFailure, ...] = ROWS_DROPPED

    def __init__(self, make: Callable[..., torch.nn.Module] | None = None, name: str = "") -> None:
        self.name = name or f"torch.nn.{self.own.__name__}"
        self.claims = FEATURES - {"reverse", *NONLINEARITIES} | {*self.cells, GRADIENTS}
        self._make = make or self.own
        self._of_torch = self._make is self.own
        self.known_failures = self.known if self._of_torch else ()
        self._modules: OrderedDict[object, Made] = OrderedDict()
        self._lock = threading.Lock()

    def run(self, call: Call) -> Answer:
        rnn = self.module(call)
        if rnn.training != call.training:
            rnn.train(call.training)
        return answered(
            call, rnn.named_parameters(), lambda x, state: self._forward(rnn, call, x, state)
        )

    def _forward(
        self, rnn: torch.nn.Module, call: Call, inputs: torch.Tensor, given: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, Any]:
        """The output and the final state."""
        batch_first, state = call.layout == "batch_first", state_of(given)
        if call.lengths is None:
            found: tuple[torch.Tensor, Any] = rnn(inputs, state)
            return found
        rows = inputs.shape[0 if batch_first else 1]
        states = given[0].shape[1] if given else rows
        if (len(call.lengths) != rows or states > rows) and not self._of_torch:
            # torch's own functions would drop rows, which is no fault of what stands in.
            raise ValueError(
                f"expected {rows} rows, got {len(call.lengths)} lengths, h_0 of {states} rows"
            )
        # Lengths that fall are given as torch has it by default: without an order to undo.
        falling = rows == len(call.lengths) == states and bool((np.diff(call.lengths) <= 0).all())
        if type(rnn).forward is self.own.forward:
            self.refuse_crash(call)
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            inputs, torch.from_numpy(call.lengths), batch_first, enforce_sorted=falling
        )
        output, last = rnn(packed, state)
        padded, _ = torch.nn.utils.rnn.pad_packed_sequence(
            output, batch_first, total_length=inputs.shape[1 if batch_first else 0]
        )
        return padded, last

    def refuse_crash(self, call: Call) -> None:
        """Raises Broken for a call with a packed sequence that could end the process."""

    def module(self, call: Call) -> torch.nn.Module:
        """The module with the options and the weights of a call, the readout left out."""
        options = replace(call.options, output_size=0)
        weights = {name: value for name, value in call.weights.items() if name not in READOUT}
        key: tuple[object, ...] = (options, call.dtype, call.bfloat16, call.layout == "batch_first")
        if threading.current_thread() is not threading.main_thread():
            key += (sha256(b"".join(value.tobytes() for value in weights.values())).digest(),)
        with self._lock:
            if key not in self._modules:
                self._modules[key] = self._made(options, call)
            self._modules.move_to_end(key)
            rnn, memory = self._modules[key]
            if len(self._modules) > KEPT:
                self._modules.popitem(last=False)
            if memory and all(memory[n].shape == value.shape for n, value in weights.items()):
                for name, value in weights.items():  # a tenth of what load_state_dict takes
                    memory[name][...] = value
            else:
                rnn.load_state_dict({n: tensor(value, call) for n, value in weights.items()})
        return rnn

    def _made(self, options: Options, call: Call) -> Made:
        dtype = torch.bfloat16 if call.bfloat16 else getattr(torch, call.dtype.name)
        usual = Options(options.input_size, options.hidden_size).arguments
        given = {n: value for n, value in options.arguments.items() if n != "cell"}
        named = {name: value for name, value in given.items() if value != usual.get(name)}
        if call.layout == "batch_first":
            named["batch_first"] = True
        sizes = options.input_size, options.hidden_size
        with warnings.catch_warnings():
            # torch warns that dropout does nothing in a single layer, which is what is asked for.
            warnings.filterwarnings("ignore", "dropout option adds dropout after all but last")
            if not self._of_torch:
                return self._stand_in(*sizes, **named).to(dtype), {}
            rnn = _unset(self.own, *sizes, **named, dtype=dtype)
        memory = {} if call.bfloat16 else {n: w.numpy() for n, w in rnn.state_dict().items()}
        return rnn, memory

    def _stand_in(self, *sizes: int, **named: object) -> torch.nn.Module:
        """Raises TypeError, with what to do about it where an option is not taken."""
        try:
            return self._make(*sizes, **named)
        except TypeError as error:
            lacking = [CLAIMED_AS[name] for name in named if f"'{name}'" in str(error)]
            if not lacking:
                raise
            raise TypeError(
                f"{error}; if it lacks this option, give --claims FILE, in which claims = [...] "
                f"has no {lacking[0]!r}"
            ) from error


def answered(call: Call, weights: Iterable[tuple[str, torch.Tensor]], forward: Forward) -> Answer:
    """The results as arrays, with a readout if there is one; gradients by autograd.

    Args:
        weights: those of the module, by our names.
        forward: from the inputs and the parts of the state to the output and the final state.
    """
    inputs = tensor(call.inputs, call)
    given = {name: tensor(part, call) for name, part in call.state.items()}
    if call.upstream is None:
        with torch.inference_mode():
            output, last = forward(inputs, [*given.values()])
            return _answer(call, output, last)
    of = {**({} if call.of_weights else {"inputs": inputs, **given}), **dict(weights)}
    for leaf in of.values():
        leaf.requires_grad_()
    output, last = forward(inputs, [*given.values()])
    results = (output, *(part for part in parts_of(last) if part is not None))
    pairs = [
        (result, tensor(loss, call))
        for result, loss in zip(results, upstream_of(call).values(), strict=True)
        if loss is not None
    ]
    if not all(result.requires_grad for result, _ in pairs):
        raise Violation(f'{NO_GRADIENT}; if it has none, leave "gradients" out of the claims')
    found = torch_gradients(pairs, [*of.values()])
    gradients = {
        name: np.zeros(leaf.shape, call.dtype) if part is None else array(part)
        for (name, leaf), part in zip(of.items(), found, strict=True)
    }
    output, *states = (result.detach() for result in results)
    return replace(_answer(call, output, state_of(states)), gradients=gradients)


def _answer(call: Call, output: torch.Tensor, last: Any) -> Answer:
    h_n, c_n = (None if part is None else array(part) for part in parts_of(last))
    if not call.options.output_size:
        return Answer(array(output), h_n, c_n=c_n)
    refuse_misfits(call, READOUT)  # F.linear takes weights of other sizes
    W_ho, b_ho = (tensor(call.weights[name], call) for name in READOUT)
    y = torch.nn.functional.linear(output, W_ho, b_ho)
    return Answer(array(output), h_n, array(y), c_n)


def _unset(layer: type[torch.nn.Module], *sizes: int, **named: Any) -> torch.nn.Module:
    """A layer whose weights are all loaded: drawing them first takes longer than to run it."""
    unset = type(layer.__name__, (layer,), {"reset_parameters": lambda _: None})
    made: torch.nn.Module = unset(*sizes, **named)
    return made


class TorchLSTM(TorchLayer):
    """torch.nn.LSTM, or what stands in for it."""

    own = torch.nn.LSTM
    cells = ("lstm",)
    known = (
        *ROWS_DROPPED,
        *(
            KnownFailure(f"wrong_{what}_refused", UNCHECKED, lengths, "findings.md, 15")
            for what in ("inputs", "states")
            for lengths in ("*sorted*", "*equal*")
        ),
    )

    def __init__(self, make: Callable[..., torch.nn.Module] | None = None, name: str = "") -> None:
        super().__init__(make, name)
        derived = isinstance(self._make, type) and issubclass(self._make, self.own)
        self.can_crash = derived and getattr(self._make, "forward", None) is not self.own.forward

    def refuse_crash(self, call: Call) -> None:
        o, axis = call.options, 0 if call.layout == "batch_first" else 1
        rows, given = call.inputs.shape[axis], {part.shape for part in call.state.values()}
        fitting = {(o.num_layers * o.directions, rows, o.hidden_size)} if given else given
        if given != fitting or call.inputs.shape[2] != o.input_size:
            raise Broken(f"{UNCHECKED}: torch may crash, or give what it finds in its memory")


class TorchGRU(TorchLayer):
    """torch.nn.GRU, or what stands in for it."""

    own = torch.nn.GRU
    cells = ("gru",)


def tensor(value: Array, call: Call) -> torch.Tensor:
    """The array's own memory where torch can have it: strides not negative, and writable."""
    if min(value.strides, default=0) < 0 or not value.flags.writeable:
        value = np.array(value, order="C")
    found = torch.from_numpy(value)
    return found.bfloat16() if call.bfloat16 else found


def array(value: torch.Tensor) -> Array:
    """The numbers of a tensor; bfloat16 becomes float32."""
    return (value.float() if value.dtype == torch.bfloat16 else value).cpu().numpy()
