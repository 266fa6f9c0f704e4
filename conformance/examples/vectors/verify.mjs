// Check an RNN, written here from its equations, against the vectors of rnn-conformance.
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

/** The states of one layer and direction, in the order in which it reads `steps`. */
function direction(weight, options, round, steps, h) {
  const H = options.hidden_size;
  const W_ih = weight("weight_ih"), W_hh = weight("weight_hh");
  const b_ih = options.bias && weight("bias_ih"), b_hh = options.bias && weight("bias_hh");
  return steps.map((x) => {
    const next = [];
    for (let i = 0; i < H; i++) {
      let a = options.bias ? b_ih[i] + b_hh[i] : 0;
      for (let j = 0; j < x.length; j++) a += W_ih[i * x.length + j] * x[j];
      for (let j = 0; j < H; j++) a += W_hh[i * H + j] * h[j];
      next.push(round(options.nonlinearity === "relu" ? Math.max(a, 0) : Math.tanh(a)));
    }
    h = next;
    return h;
  });
}

/** `output` and `h_n` in the layout of the call, as flat arrays. */
function rnn(call, given) {
  const { options, layout } = call;
  const round = call.dtype === "float32" ? Math.fround : (value) => value;
  const H = options.hidden_size, D = options.bidirectional ? 2 : 1, L = options.num_layers;
  const [first, second] = given.inputs.shape;
  const sizes = { single: [first, 1], time_first: [first, second], batch_first: [second, first] };
  const [T, B] = sizes[layout];
  const at = (t, b) => (layout === "batch_first" ? b * T + t : t * B + b);
  const cut = (values, index, width) => values.slice(index * width, (index + 1) * width);
  const output = Array(T * B * D * H).fill(0), h_n = Array(L * D * B * H).fill(0);
  for (let b = 0; b < B; b++) {
    const length = given.lengths ? given.lengths.values[b] : T;
    const row = (_, t) => cut(given.inputs.values, at(t, b), options.input_size);
    let steps = Array.from({ length }, row);
    for (let layer = 0; layer < L; layer++) {
      const halves = [];
      for (let d = 0; d < D; d++) {
        const weight = (kind) => given[`${kind}_l${layer}${d ? "_reverse" : ""}`].values;
        const index = (layer * D + d) * B + b;
        const h_0 = given.h_0 ? cut(given.h_0.values, index, H) : Array(H).fill(0);
        const read = d ? [...steps].reverse() : steps;
        const states = direction(weight, options, round, read, h_0);
        states.at(-1).forEach((h, i) => { h_n[index * H + i] = h; });
        halves.push(d ? [...states].reverse() : states);
      }
      steps = steps.map((_, t) => halves.flatMap((states) => states[t]));
    }
    steps.forEach((y, t) => y.forEach((h, i) => { output[at(t, b) * D * H + i] = h; }));
  }
  return { output, h_n };
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
