// An RNN in JavaScript for rnn-conformance: one layer of tanh, time first, float32 and float64.
//     rnn-conformance check --exec "node my_rnn.mjs"
//
// Put your own recurrence in the place of `step`. JavaScript computes in float64; in a call of
// float32 the results are rounded when they go into a Float32Array.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const KINDS = { F32: Float32Array, F64: Float64Array };

// The sum of a row of W (·, n) times the n numbers of v from `at` on.
function product(W, row, v, at) {
  const n = W.shape[1];
  let sum = 0;
  for (let k = 0; k < n; k++) sum += W.numbers[row * n + k] * v[at + k];
  return sum;
}

// One row: h[to …] (H) and y[yTo …] (O) from x[xAt …] (I) and the state before[at …] (H).
function step(call, x, xAt, before, at, h, to, y, yTo) {
  const [W_ih, W_hh] = [call.weight_ih_l0, call.weight_hh_l0];
  const [H, O] = [W_hh.shape[0], call.W_ho ? call.W_ho.shape[0] : 0];
  for (let u = 0; u < H; u++) {
    const a = call.bias_ih_l0.numbers[u] + call.bias_hh_l0.numbers[u];
    h[to + u] = Math.tanh(a + product(W_ih, u, x, xAt) + product(W_hh, u, before, at));
  }
  for (let o = 0; o < O; o++) y[yTo + o] = product(call.W_ho, o, h, to) + call.b_ho.numbers[o];
}

// Every step of every row: inputs (T, B, I) give output (T, B, H) and, if there is a readout,
// y (T, B, O).
function forward(call) {
  const [T, B, I] = call.inputs.shape;
  const [H, O] = [call.weight_hh_l0.shape[0], call.W_ho ? call.W_ho.shape[0] : 0];
  const Kind = call.inputs.numbers.constructor;
  const [states, outputs] = [new Kind(T * B * H), new Kind(T * B * O)];
  const first = call.h_0 ? call.h_0.numbers : new Kind(B * H);
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < B; b++) {
      const [before, at] = t ? [states, ((t - 1) * B + b) * H] : [first, b * H];
      const row = t * B + b;
      step(call, call.inputs.numbers, row * I, before, at, states, row * H, outputs, row * O);
    }
  }
  return {
    output: { shape: [T, B, H], numbers: states },
    h_n: { shape: [1, B, H], numbers: T ? states.slice((T - 1) * B * H) : first },
    ...(O && { y: { shape: [T, B, O], numbers: outputs } }),
  };
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
