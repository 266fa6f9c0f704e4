// Check an RNN, an LSTM and a GRU, written here from their equations, against the vectors of
// rnn-conformance.
//
//   node verify.mjs FOLDER
//
// FOLDER is what `rnn-conformance vectors export` wrote. Put your own RNN in the place of `rnn`
// below. Node computes in float64; for float32 each state is rounded. Exits with 0 where every
// number is within its bound.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ARRAYS = { F32: Float32Array, F64: Float64Array, I64: BigInt64Array };

/** Every array of a safetensors file by name: its numbers and its shape. */
function tensors(bytes) {
  const begin = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, begin));
  const found = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(header)) {
    const aligned = new Uint8Array(bytes.subarray(begin + from, begin + to)).buffer;
    found[name] = { values: Array.from(new ARRAYS[dtype](aligned), Number), shape };
  }
  return found;
}

const { tanh } = Math;
const sigmoid = (a) => 1 / (1 + Math.exp(-a));

/** For each cell, the new state of unit u: [h], or [h, c]. x(k) and a(k) are its gate k of
 * W_ih x + b_ih and of W_hh h + b_hh; a(k, other) is that of another h. reset is r h. */
const CELLS = {
  tanh: ({ x, a }) => [tanh(x(0) + a(0))],
  relu: ({ x, a }) => [Math.max(x(0) + a(0), 0)],
  lstm({ x, a, c, u }) {
    const [i, f, o] = [0, 1, 3].map((k) => sigmoid(x(k) + a(k)));
    const next = f * c[u] + i * tanh(x(2) + a(2));
    return [o * tanh(next), next];
  },
  gru({ x, a, h, u }) {
    const [r, z] = [0, 1].map((k) => sigmoid(x(k) + a(k)));
    return [(1 - z) * tanh(x(2) + r * a(2)) + z * h[u]];
  },
  gru_reset_before({ x, a, h, u, reset }) {
    const z = sigmoid(x(1) + a(1));
    return [(1 - z) * tanh(x(2) + a(2, reset)) + z * h[u]];
  },
};

/** The states of one layer and direction, each [h] or [h, c], in the order in which it reads. */
function direction(weight, options, round, steps, initial) {
  const H = options.hidden_size, cell = options.cell ?? options.nonlinearity;
  const W_ih = weight("weight_ih"), W_hh = weight("weight_hh");
  const b_ih = options.bias && weight("bias_ih"), b_hh = options.bias && weight("bias_hh");
  const row = (W, b, i, v) => v.reduce((a, n, j) => a + W[i * v.length + j] * n, b ? b[i] : 0);
  let state = initial;
  return steps.map((input) => {
    const [h, c] = state;
    const gates = h.map((_, u) => ({
      x: (k) => row(W_ih, b_ih, k * H + u, input),
      a: (k, other = h) => row(W_hh, b_hh, k * H + u, other),
    }));
    const reset = gates.map(({ x, a }, u) => sigmoid(x(0) + a(0)) * h[u]);
    const units = gates.map((gate, u) => CELLS[cell]({ ...gate, h, c, u, reset }).map(round));
    state = state.map((_, part) => units.map((unit) => unit[part]));
    return state;
  });
}

/** `output`, `h_n` and, of an LSTM, `c_n` in the layout of the call, as flat arrays. */
function rnn(call, given) {
  const { options, layout } = call;
  const round = call.dtype === "float32" ? Math.fround : (value) => value;
  const H = options.hidden_size, D = options.bidirectional ? 2 : 1, L = options.num_layers;
  const parts = options.cell === "lstm" ? ["h", "c"] : ["h"];
  const [first, second] = given.inputs.shape;
  const sizes = { single: [first, 1], time_first: [first, second], batch_first: [second, first] };
  const [T, B] = sizes[layout];
  const at = (t, b) => (layout === "batch_first" ? b * T + t : t * B + b);
  const cut = (values, index, width) => values.slice(index * width, (index + 1) * width);
  const output = Array(T * B * D * H).fill(0);
  const last = parts.map(() => Array(L * D * B * H).fill(0));
  for (let b = 0; b < B; b++) {
    const length = given.lengths ? given.lengths.values[b] : T;
    const row = (_, t) => cut(given.inputs.values, at(t, b), options.input_size);
    let steps = Array.from({ length }, row);
    for (let layer = 0; layer < L; layer++) {
      const halves = [];
      for (let d = 0; d < D; d++) {
        const weight = (kind) => given[`${kind}_l${layer}${d ? "_reverse" : ""}`].values;
        const index = (layer * D + d) * B + b;
        const initial = parts.map((part) => {
          const all = given[`${part}_0`];
          return all ? cut(all.values, index, H) : Array(H).fill(0);
        });
        const read = d ? [...steps].reverse() : steps;
        const states = direction(weight, options, round, read, initial);
        states.at(-1).forEach((part, p) => part.forEach((v, i) => { last[p][index * H + i] = v; }));
        const shown = states.map(([h]) => h);
        halves.push(d ? shown.reverse() : shown);
      }
      steps = steps.map((_, t) => halves.flatMap((states) => states[t]));
    }
    steps.forEach((y, t) => y.forEach((h, i) => { output[at(t, b) * D * H + i] = h; }));
  }
  return { output, ...Object.fromEntries(parts.map((part, p) => [`${part}_n`, last[p]])) };
}

/** How many numbers are outside their bounds; NaN is. */
function outside(found, expected, bound) {
  if (found.length !== expected.length || bound.length !== expected.length) return Infinity;
  return found.filter((value, i) => !(Math.abs(value - expected[i]) <= bound[i])).length;
}

const folder = process.argv[2];
if (!folder) {
  console.error("usage: node verify.mjs FOLDER");
  process.exit(2);
}
const { cases } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
let failed = 0;
for (const { id, call, file, sha256 } of cases) {
  const bytes = readFileSync(join(folder, file));
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
    throw new Error(`${file}: not the file of the manifest`);
  }
  const given = tensors(bytes);
  const found = rnn(call, given);
  let wrong = 0;
  for (const [name, values] of Object.entries(found)) {
    wrong += outside(values, given[`expected.${name}`].values, given[`bound.${name}`].values);
  }
  console.log(wrong ? `FAILED ${id}: ${wrong} numbers are outside their bounds` : `ok ${id}`);
  failed += wrong > 0;
}
console.log(`${cases.length} cases, ${failed} failed`);
process.exitCode = cases.length === 0 ? 2 : failed > 0 ? 1 : 0;
