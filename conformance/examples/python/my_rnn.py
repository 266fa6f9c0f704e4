"""An RNN in Python for rnn-conformance, in an environment of its own: any Python 3, any NumPy.

    rnn-conformance check --exec "path/to/its/python my_rnn.py"
    rnn-conformance check --exec "path/to/its/python my_rnn.py" --claims my_rnn.toml

my_rnn.toml asks for gradients too, and says that sizes are not looked at:

    claims = ["tanh", "float32", "float64", "time_first", "h_0", "h_n", "readout", "gradients"]
    conventions = {"wrong sizes" = "undefined", "T = 0" = "undefined"}

Put your own recurrence in the place of `forward`, and yours of `backward` if you have one: one
layer of tanh, time first.
"""

import json
import sys

import numpy as np

KINDS = {"F32": "<f4", "F64": "<f8"}


def forward(weights, inputs, h):
    """States (T, B, H) of inputs (T, B, I), and the last one, from the first one (B, H)."""
    W_ih, W_hh = weights["weight_ih_l0"], weights["weight_hh_l0"]
    b_ih, b_hh = weights["bias_ih_l0"], weights["bias_hh_l0"]
    states = []
    for x in inputs:
        h = np.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)
        states.append(h)
    return np.stack(states), h


def backward(weights, inputs, first, states, d_states, d_last):
    """The gradient of each of these, from those of the states and of the last one."""
    W_ih, W_hh = weights["weight_ih_l0"], weights["weight_hh_l0"]
    d, d_h = np.zeros_like(states), d_last
    for t in reversed(range(len(states))):
        d[t] = (d_states[t] + d_h) * (1 - states[t] ** 2)
        d_h = d[t] @ W_hh
    before = np.concatenate([first[np.newaxis], states[:-1]])
    return {
        "inputs": d @ W_ih,
        "h_0": d_h,
        "weight_ih_l0": np.einsum("tbh,tbi->hi", d, inputs),
        "weight_hh_l0": np.einsum("tbh,tbk->hk", d, before),
        "bias_ih_l0": d.sum(axis=(0, 1)),
        "bias_hh_l0": d.sum(axis=(0, 1)),
    }


def read(path):
    """The arrays of a safetensors file by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")).decode())
        data = file.read()
    arrays = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        numbers = np.frombuffer(data[start:end], KINDS[entry["dtype"]])
        arrays[name] = numbers.reshape(entry["shape"])
    return arrays


def write(path, arrays):
    """The same as a file."""
    header, parts, at = {}, [], 0
    for name, array in arrays.items():
        part = np.ascontiguousarray(array).tobytes()
        dtype = "F32" if array.dtype == np.float32 else "F64"
        offsets = [at, at + len(part)]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": offsets}
        parts.append(part)
        at += len(part)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(parts))


def answer(call):
    """All that is asked for, by name."""
    inputs, shape = call["inputs"], (1, call["inputs"].shape[1], len(call["weight_hh_l0"]))
    (first,) = call.get("h_0", np.zeros(shape, inputs.dtype))
    states, last = forward(call, inputs, first)
    found = {"output": states, "h_n": last[np.newaxis]}
    if "W_ho" in call:
        found["y"] = states @ call["W_ho"].T + call["b_ho"]
    if any(name.startswith("upstream.") for name in call):
        d_states = call.get("upstream.output", np.zeros_like(states))
        (d_last,) = call.get("upstream.h_n", np.zeros(shape, inputs.dtype))
        gradients = backward(call, inputs, first, states, d_states, d_last)
        gradients["h_0"] = gradients["h_0"][np.newaxis]
        found.update(("gradient." + name, value) for name, value in gradients.items())
    return found


for line in sys.stdin:
    folder = line.rstrip("\n")
    write(folder + "/answer.safetensors", answer(read(folder + "/call.safetensors")))
    print("ok", flush=True)
