// An RNN, an LSTM and a GRU in JavaScript for rnn-conformance: one layer, time first, float32 and
// float64.
//     rnn-conformance check --exec "node my_rnn.mjs"
//     rnn-conformance check --exec "node my_rnn.mjs" --claims my_lstm.toml
//
// my_lstm.toml says what is claimed, and that sizes are not looked at:
//     claims = ["lstm", "float32", "float64", "time_first", "h_0", "h_n", "readout"]
//     conventions = {"wrong sizes" = "undefined", "T = 0" = "undefined"}
//
// Put your own recurrence in the place of `step`. JavaScript computes in float64; in a call of
// float32 the results are rounded when they go into a Float32Array.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const KINDS = { F32: Float32Array, F64: Float64Array };

// One row of W v + b.
function affine(W, b, row, v) {
  const n = v.length;
  let a = b.numbers[row];
  for (let k = 0; k < n; k++) a += W.numbers[row * n + k] * v[k];
  return a;
}

const sigmoid = (a) => 1 / (1 + Math.exp(-a));

// The state [h, c] of one row, each (H), from x (I) and the state before; c is that of an LSTM. The
// rows of the weights are those of i, f, g, o, or those of r, z, n.
function step(call, x, [h, c]) {
  const H = h.length, gates = call.weight_hh_l0.shape[0] / H;
  const next = [new Float64Array(H), new Float64Array(H)];
  for (let u = 0; u < H; u++) {
    const of = (k) => affine(call.weight_ih_l0, call.bias_ih_l0, k * H + u, x);
    const of_state = (k) => affine(call.weight_hh_l0, call.bias_hh_l0, k * H + u, h);
    const gate = (k) => sigmoid(of(k) + of_state(k));
    if (gates === 4) {
      next[1][u] = gate(1) * c[u] + gate(0) * Math.tanh(of(2) + of_state(2));
      next[0][u] = gate(3) * Math.tanh(next[1][u]);
    } else if (gates === 3) {
      const z = gate(1);
      next[0][u] = (1 - z) * Math.tanh(of(2) + gate(0) * of_state(2)) + z * h[u];
    } else {
      next[0][u] = Math.tanh(of(0) + of_state(0));
    }
  }
  return next;
}

// Every step of every row: inputs (T, B, I) give output (T, B, H) and, if there is a readout,
// y (T, B, O).
function forward(call) {
  const [T, B, I] = call.inputs.shape;
  const [rows, H] = call.weight_hh_l0.shape, O = call.W_ho ? call.W_ho.shape[0] : 0;
  const Kind = call.inputs.numbers.constructor;
  const array = (...shape) => ({ shape, numbers: new Kind(shape.reduce((n, size) => n * size)) });
  const [output, h_n, c_n, y] = [array(T, B, H), array(1, B, H), array(1, B, H), array(T, B, O)];
  const row = ({ numbers }, at, n) => numbers.subarray(at * n, (at + 1) * n);
  for (let b = 0; b < B; b++) {
    const zeros = { numbers: new Kind(B * H) };
    let state = [row(call.h_0 ?? zeros, b, H), row(call.c_0 ?? zeros, b, H)];
    for (let t = 0; t < T; t++) {
      state = step(call, row(call.inputs, t * B + b, I), state);
      const h = row(output, t * B + b, H);
      h.set(state[0]);
      state[0] = h; // as it is rounded
      row(y, t * B + b, O).forEach((_, o, of_row) => {
        of_row[o] = affine(call.W_ho, call.b_ho, o, h);
      });
    }
    state.forEach((part, p) => row([h_n, c_n][p], b, H).set(part));
  }
  return { output, h_n, ...(rows === 4 * H && { c_n }), ...(O && { y }) };
}

function read(path) {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const arrays = {};
  for (const [name, entry] of Object.entries(JSON.parse(file.toString("utf8", 8, start)))) {
    const [from, to] = entry.data_offsets.map((offset) => file.byteOffset + start + offset);
    const numbers = new KINDS[entry.dtype](file.buffer.slice(from, to)); // a copy is aligned
    arrays[name] = { shape: entry.shape, numbers };
  }
  return arrays;
}

function write(path, arrays) {
  const [header, parts] = [{}, []];
  let offset = 0;
  for (const [name, { shape, numbers }] of Object.entries(arrays)) {
    const dtype = numbers instanceof Float32Array ? "F32" : "F64";
    header[name] = { dtype, shape, data_offsets: [offset, (offset += numbers.byteLength)] };
    parts.push(Buffer.from(numbers.buffer));
  }
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.from(BigUint64Array.of(BigInt(text.length)).buffer);
  writeFileSync(path, Buffer.concat([size, text, ...parts]));
}

for await (const folder of createInterface({ input: process.stdin })) {
  write(join(folder, "answer.safetensors"), forward(read(join(folder, "call.safetensors"))));
  console.log("ok");
}
