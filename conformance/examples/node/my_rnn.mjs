// An RNN in JavaScript for rnn-conformance: profile "core", layout "time_first", float32, float64.
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
  const [H, O] = [call.W_hh.shape[0], call.W_ho.shape[0]];
  for (let u = 0; u < H; u++) {
    const a = call.b_xh.numbers[u] + call.b_hh.numbers[u];
    h[to + u] = Math.tanh(a + product(call.W_xh, u, x, xAt) + product(call.W_hh, u, before, at));
  }
  for (let o = 0; o < O; o++) y[yTo + o] = product(call.W_ho, o, h, to) + call.b_ho.numbers[o];
}

// Every step of every row: inputs (T, B, I) give hidden_states (T, B, H), outputs (T, B, O).
function forward(call) {
  const [T, B, I] = call.inputs.shape;
  const [H, O] = [call.W_hh.shape[0], call.W_ho.shape[0]];
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
    hidden_states: { shape: [T, B, H], numbers: states },
    h_n: { shape: [B, H], numbers: T ? states.slice((T - 1) * B * H) : first },
    outputs: { shape: [T, B, O], numbers: outputs },
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
