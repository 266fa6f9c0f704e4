"""torch.nn.RNN as a layer: every option under its own name, weights by state_dict name."""

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256

import numpy as np
import torch

from rnn_conformance.contract.call import FEATURES, Answer, Array, Call, Options
from rnn_conformance.contract.declaration import KnownFailure

ROWS_DROPPED = (
    KnownFailure(
        "lengths_refused",
        "pack_padded_sequence(enforce_sorted=False) drops the rows beyond the lengths given",
        link="findings.md, 1",
    ),
    *(
        KnownFailure(
            "wrong_rows_refused",
            "the rows of h_0 beyond those of a packed sequence are dropped",
            case,
            link="findings.md, 1",
        )
        for case in ("*sorted*", "*equal*")
    ),
)
KEPT = 64  # modules


class TorchLayer:
    """torch.nn.RNN on the CPU, or a class that stands in for it: made, loaded and called alike.

    Variable lengths go in and out as a packed sequence. A module is made once for its options, and
    gets the weights of each call by load_state_dict, so that what it keeps from call to call shows.
    Calls from other threads share a module where all their weights are the same.

    Args:
        make: a class, or what makes a module: called with input_size and hidden_size, and by name
            with those options of torch.nn.RNN that are not at their default.
    """

    claims = FEATURES
    adapter = True

    def __init__(
        self, make: Callable[..., torch.nn.Module] = torch.nn.RNN, name: str = "torch.nn.RNN"
    ) -> None:
        self.name = name
        self._make = make
        self._of_torch = make is torch.nn.RNN
        self.known_failures = ROWS_DROPPED if self._of_torch else ()
        self._modules: OrderedDict[object, torch.nn.Module] = OrderedDict()
        self._lock = threading.Lock()

    @torch.inference_mode()
    def run(self, call: Call) -> Answer:
        batch_first = call.layout == "batch_first"
        inputs = tensor(call.inputs, call)
        weights = {name: tensor(value, call) for name, value in call.weights.items()}
        W_ho, b_ho = weights.pop("W_ho", None), weights.pop("b_ho", None)
        rnn = self.module(call.options, weights, inputs.dtype, batch_first=batch_first)
        rnn.train(call.training)
        h_0 = None if call.h_0 is None else tensor(call.h_0, call)
        if call.lengths is None:
            output, h_n = rnn(inputs, h_0)
            return _answer(output, h_n, W_ho, b_ho)
        rows = inputs.shape[0 if batch_first else 1]
        states = rows if h_0 is None else h_0.shape[1]
        if (len(call.lengths) != rows or states > rows) and not self._of_torch:
            # torch's own functions would drop rows, which is no fault of what stands in.
            raise ValueError(
                f"expected {rows} rows, got {len(call.lengths)} lengths, h_0 of {states} rows"
            )
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            inputs, torch.from_numpy(call.lengths), batch_first, enforce_sorted=False
        )
        output, h_n = rnn(packed, h_0)
        padded, _ = torch.nn.utils.rnn.pad_packed_sequence(
            output, batch_first, total_length=inputs.shape[1 if batch_first else 0]
        )
        return _answer(padded, h_n, W_ho, b_ho)

    def module(
        self,
        options: Options,
        weights: dict[str, torch.Tensor],
        dtype: torch.dtype,
        *,
        batch_first: bool,
    ) -> torch.nn.Module:
        """The module with these options and weights, in evaluation mode."""
        key: tuple[object, ...] = (options, dtype, batch_first)
        if threading.current_thread() is not threading.main_thread():
            numbers = (w.contiguous().view(torch.uint8).numpy() for w in weights.values())
            key += (sha256(b"".join(map(bytes, numbers))).digest(),)
        with self._lock:
            if key not in self._modules:
                self._modules[key] = self._made(options, dtype, batch_first)
            self._modules.move_to_end(key)
            rnn = self._modules[key]
            if len(self._modules) > KEPT:
                self._modules.popitem(last=False)
            if self._of_torch and _fit(rnn, weights):
                with torch.no_grad():  # a quarter of what load_state_dict takes
                    for name, weight in weights.items():
                        getattr(rnn, name).copy_(weight)
            else:
                rnn.load_state_dict(weights)
        return rnn.eval()

    def _made(self, options: Options, dtype: torch.dtype, batch_first: bool) -> torch.nn.Module:
        usual = vars(Options(options.input_size, options.hidden_size)) | {
            "output_size": options.output_size
        }
        named = {name: value for name, value in vars(options).items() if value != usual[name]}
        if batch_first:
            named["batch_first"] = True
        sizes = options.input_size, options.hidden_size
        with warnings.catch_warnings():
            # torch warns that dropout does nothing in a single layer, which is what is asked for.
            warnings.filterwarnings("ignore", "dropout option adds dropout after all but last")
            if self._of_torch:
                return _Unset(*sizes, **named, dtype=dtype)
            return self._make(*sizes, **named).to(dtype)


def _answer(
    output: torch.Tensor,
    h_n: torch.Tensor,
    W_ho: torch.Tensor | None,
    b_ho: torch.Tensor | None,
) -> Answer:
    """The results as arrays, read out by torch.nn.Linear if there is a readout."""
    if W_ho is None:
        return Answer(array(output), array(h_n))
    output_size, width = W_ho.shape
    readout = torch.nn.Linear(width, output_size, dtype=W_ho.dtype)
    readout.load_state_dict({"weight": W_ho, "bias": b_ho})
    return Answer(array(output), array(h_n), array(readout(output)))


def _fit(rnn: torch.nn.Module, weights: dict[str, torch.Tensor]) -> bool:
    """Whether every weight has the shape of its parameter: copy_ would broadcast another."""
    return all(getattr(rnn, name).shape == weight.shape for name, weight in weights.items())


class _Unset(torch.nn.RNN):
    """A layer whose weights are all loaded: drawing them first takes longer than to run it."""

    def reset_parameters(self) -> None:
        pass


def tensor(value: Array, call: Call) -> torch.Tensor:
    """The array's own memory where torch can have it: strides not negative, and writable."""
    if min(value.strides, default=0) < 0 or not value.flags.writeable:
        value = np.array(value, order="C")
    found = torch.from_numpy(value)
    return found.bfloat16() if call.bfloat16 else found


def array(value: torch.Tensor) -> Array:
    """The numbers of a tensor; bfloat16 becomes float32."""
    found: Array = (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    return found
