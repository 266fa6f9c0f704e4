"""ncnn on the CPU, as a layer: one sequence at a time, in a network built from text and bytes.

How the weights of `Call` map, for a layer of D directions, forward first, and a cell of G gates;
each part of the model stands behind four bytes of zeros, which say that it is float32:

weight_xc  (D, G·H, I)   weight_ih of each direction
bias_c     (D, G·H)      bias_ih + bias_hh in float32, a rounding more; zeros where there are none
weight_hc  (D, G·H, H)   weight_hh of each direction

The gates of an LSTM come in the order i, f, o, g, those of a GRU in ours. Its bias_c is (D, 4·H):
both biases of r and z added, that of n from the inputs, and b_hn.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ncnn
import numpy as np

from rnn_conformance.contract.call import GATES, Answer, Array, Call
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.sizes import (
    biases_of_gru,
    in_order,
    merged_bias,
    refuse_misfits,
    stacked,
)

ORDERS = {"lstm": "ifog"}
KINDS = {"tanh": "RNN", "lstm": "LSTM", "gru": "GRU"}
MAGIC, FLOAT32 = "7767517", bytes(4)
FEWER_BITS = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage")


class NcnnLayer:
    """A chain of ncnn's RNN, LSTM or GRU, each with its initial state as inputs of their own."""

    name = "ncnn"
    adapter = True
    can_crash = True
    claims = frozenset(
        {"float32", "single", *KINDS, "layers", "bidirectional", "no_bias", "h_0", "h_n"}
    )
    known_failures = tuple(
        KnownFailure(check, "sizes are not looked at", link="findings.md, 12")
        for check in ("wrong_inputs_refused", "wrong_states_refused", "wrong_rows_refused")
    )

    def run(self, call: Call) -> Answer:
        o = call.options
        net = _network(call)
        extractor = net.create_extractor()
        _ok("inputs", extractor.input("x0", _mat(call.inputs)))
        for part, value in call.state.items():
            for layer, of_layer in enumerate(np.split(value, o.num_layers)):
                _ok(f"{part} of layer {layer}", extractor.input(f"{part}{layer}", _mat(of_layer)))
        layers = range(o.num_layers)
        last = {
            f"{part}_n": np.concatenate([_extracted(extractor, f"{part}_n{n}") for n in layers])
            for part in o.parts
        }
        return Answer.of({"output": _extracted(extractor, f"x{o.num_layers}"), **last})


def _network(call: Call) -> Any:
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    for option in FEWER_BITS:
        setattr(net.opt, option, False)
    _ok("parameters", net.load_param_mem(_parameters(call)))
    with TemporaryDirectory() as folder:
        path = Path(folder, "layer.bin")
        path.write_bytes(b"".join(_weights(call)))
        _ok("weights", net.load_model(str(path)))
    return net


def _parameters(call: Call) -> str:
    """Lines of: kind, name, how many inputs and outputs, their names, options."""
    o, lines, blobs = call.options, ["Input x0 0 1 x0"], 1
    for layer in range(o.num_layers):
        states = [f"{part}{layer}" for part in call.state]
        lines += [f"Input {state} 0 1 {state}" for state in states]
        inputs = [f"x{layer}", *states]
        outputs = [f"x{layer + 1}", *(f"{part}_n{layer}" for part in o.parts)]
        width = o.input_size if layer == 0 else o.directions * o.hidden_size
        size = o.directions * GATES[o.cell] * o.hidden_size * width
        lines.append(
            f"{KINDS[o.cell]} rnn{layer} {len(inputs)} {len(outputs)} "
            f"{' '.join([*inputs, *outputs])} "
            f"0={o.hidden_size} 1={size} 2={2 if o.bidirectional else 0}"
        )
        blobs += len(states) + len(outputs)
    return "\n".join([MAGIC, f"{len(lines)} {blobs}", *lines, ""])


def _weights(call: Call) -> list[bytes]:
    refuse_misfits(call, call.weights)  # bytes have no shape
    o = call.options
    ours = replace(call, weights=in_order(o, call.weights, ORDERS))
    parts: list[Array] = []
    for layer in range(o.num_layers):
        w = stacked(o, ours.weights, layer)
        ends = [f"l{layer}{suffix}" for suffix in ("", "_reverse")[: o.directions]]
        bias = np.concatenate([_bias(ours, end) for end in ends])
        parts += [w["weight_ih"], bias, w["weight_hh"]]
    return [FLOAT32 + part.tobytes() for part in parts]


def _bias(call: Call, end: str) -> Array:
    """bias_c of a layer and direction."""
    o = call.options
    if not o.bias:
        return np.zeros((GATES[o.cell] + (o.cell == "gru")) * o.hidden_size, call.dtype)
    return np.concatenate(biases_of_gru(call, end)) if o.cell == "gru" else merged_bias(call, end)


def _mat(value: Array) -> Any:
    """A copy: a Mat reads the memory of an array as if it had no strides, and does not own it."""
    contiguous = np.array(value, order="C")  # named, since a Mat keeps no array alive
    return ncnn.Mat(contiguous).clone()


def _extracted(extractor: Any, name: str) -> Array:
    status, found = extractor.extract(name)
    _ok(name, status)
    return np.array(found)


def _ok(what: str, status: int) -> None:
    if status != 0:
        raise RuntimeError(f"{what}: expected ncnn to return 0, got {status}")
