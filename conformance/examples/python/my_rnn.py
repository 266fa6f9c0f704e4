"""An RNN in Python for rnn-conformance, in an environment of its own: any Python 3, any NumPy.

    rnn-conformance check --exec "path/to/its/python my_rnn.py"

Put your own recurrence in the place of `forward`: one layer of tanh, time first.
"""

import json
import sys

import numpy as np

KINDS = {"F32": "<f4", "F64": "<f8"}


def forward(weights, inputs, h_0):
    """States (T, B, H) of inputs (T, B, I), and the last one, from h_0 (B, H) or None."""
    W_ih, W_hh = weights["weight_ih_l0"], weights["weight_hh_l0"]
    b_ih, b_hh = weights["bias_ih_l0"], weights["bias_hh_l0"]
    h = np.zeros((inputs.shape[1], len(W_hh)), inputs.dtype) if h_0 is None else h_0
    states = []
    for x in inputs:
        h = np.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)
        states.append(h)
    return np.stack(states), h


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


for line in sys.stdin:
    folder = line.rstrip("\n")
    call = read(folder + "/call.safetensors")
    states, last = forward(call, call["inputs"], call.get("h_0", [None])[0])
    answer = {"output": states, "h_n": last[np.newaxis]}
    if "W_ho" in call:
        answer["y"] = states @ call["W_ho"].T + call["b_ho"]
    write(folder + "/answer.safetensors", answer)
    print("ok", flush=True)
