"""ncnn on the CPU, as a layer: one sequence at a time, in a network built from text and bytes.

How the weights of `Call` map, for a layer of D directions, forward first; each part of the
model stands behind four bytes of zeros, which say that it is float32:

weight_xc  (D, H, I)   weight_ih of each direction
bias_c     (D, H)      bias_ih + bias_hh in float32, a rounding more; zeros where there are none
weight_hc  (D, H, H)   weight_hh of each direction
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ncnn
import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.sizes import refuse_misfits, stacked

MAGIC, FLOAT32 = "7767517", bytes(4)
FEWER_BITS = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage")


class NcnnLayer:
    """A chain of ncnn's RNN, each with its initial state as an input of its own."""

    name = "ncnn"
    adapter = True
    can_crash = True
    claims = frozenset(
        {"float32", "single", "tanh", "layers", "bidirectional", "no_bias", "h_0", "h_n"}
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
        states = [] if call.h_0 is None else np.split(call.h_0, o.num_layers)
        for layer, h_0 in enumerate(states):
            _ok(f"h_0 of layer {layer}", extractor.input(f"h{layer}", _mat(h_0)))
        last = [_extracted(extractor, f"last{layer}") for layer in range(o.num_layers)]
        return Answer(_extracted(extractor, f"x{o.num_layers}"), np.concatenate(last))


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
    o, given = call.options, call.h_0 is not None
    lines, blobs = ["Input x0 0 1 x0"], 1 + 2 * o.num_layers
    for layer in range(o.num_layers):
        inputs = f"x{layer} h{layer}" if given else f"x{layer}"
        if given:
            lines.append(f"Input h{layer} 0 1 h{layer}")
            blobs += 1
        width = o.input_size if layer == 0 else o.directions * o.hidden_size
        size, direction = o.directions * o.hidden_size * width, 2 if o.bidirectional else 0
        lines.append(
            f"RNN rnn{layer} {1 + given} 2 {inputs} x{layer + 1} last{layer} "
            f"0={o.hidden_size} 1={size} 2={direction}"
        )
    return "\n".join([MAGIC, f"{len(lines)} {blobs}", *lines, ""])


def _weights(call: Call) -> list[bytes]:
    refuse_misfits(call, call.weights)  # bytes have no shape
    o = call.options
    parts: list[Array] = []
    none = np.zeros((o.directions, o.hidden_size), call.dtype)
    for layer in range(o.num_layers):
        w = stacked(o, call.weights, layer)
        parts += [w["weight_ih"], w["bias_ih"] + w["bias_hh"] if o.bias else none, w["weight_hh"]]
    return [FLOAT32 + part.tobytes() for part in parts]


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
