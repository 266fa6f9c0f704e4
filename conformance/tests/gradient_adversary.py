"""Right backward passes whose every sum, slope and activation errs by all that it may.

Written from the equations alone, and sharing nothing with the judge. Errors are added to numbers
that are wide beside those of float32 and float64. They push dL/d of the pre-activations of one gate
in one direction, so that they add up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Wide = npt.NDArray[Any]
Tape = Mapping[str, Wide]
ULPS = 4
U = {"float32": np.longdouble(2) ** -24, "float64": np.longdouble(2) ** -53}
ETA = {"float32": np.longdouble(2) ** -126, "float64": np.longdouble(2) ** -1022}
GATES = {"tanh": "d", "relu": "d", "lstm": "ifgo", "gru": "rzn", "gru_reset_before": "rzn"}


class Sum(NamedTuple):
    """A sum of products, the sum of their absolute values, how many of them are not 0."""

    value: Wide
    scale: Wide
    terms: Any

    def and_also(self, *others: "Sum") -> "Sum":
        return Sum(*(sum(parts) for parts in zip(self, *others, strict=True)))


class Pass(NamedTuple):
    """What one direction gives, in the order in which it reads, but `inputs` as sums."""

    output: Wide
    last: Wide
    d: Wide
    inputs: Sum
    initial: Wide
    weights: Mapping[str, Wide]


def wide(values: npt.NDArray[Any]) -> Wide:
    return values.astype(np.longdouble)


def side(values: Wide) -> Wide:
    """1 or -1; of 0, 1."""
    return np.where(values < 0, np.longdouble(-1), np.longdouble(1))


def sigmoid(a: Wide) -> Wide:
    found: Wide = 1 / (1 + np.exp(-a))
    return found


def products(v: Wide, W: Wide) -> Sum:
    """W v, of rows v."""
    terms = (v != 0).astype(int) @ (W != 0).T.astype(int)
    return Sum(v @ W.T, np.abs(v) @ np.abs(W).T, terms)


def term(values: Wide) -> Sum:
    return Sum(values, np.abs(values), 1)


@dataclass(frozen=True)
class Adversary:
    """A right computation of one layer and direction.

    Attributes:
        sign: whether the numbers that are aimed at are too large (1) or too small (-1).
        target: the gate whose d is aimed at.
        by_parts: whether (1 - z) dh is dh - z dh, and (h - n) dh is h dh - n dh.
        own: whether slopes and 1 - s are computed from the pre-activation, on their own.
    """

    dtype: str
    sign: int
    target: str
    by_parts: bool = False
    own: bool = False

    # What may err, and how far.

    def off(self, of: Sum, way: Wide | None = None) -> Wide:
        """A sum of which every term is rounded once for each other term, and twice besides."""
        m = of.terms + 1
        away = m * U[self.dtype] / (1 - m * U[self.dtype]) * of.scale + m * ETA[self.dtype]
        found: Wide = of.value + self.way(of.value, way) * away
        return found

    def final(self, of: Sum) -> Wide:
        """A sum that shows: its last rounding is that to what shows."""
        return self.off(of._replace(terms=of.terms - 1)).astype(self.dtype)

    def way(self, value: Wide, way: Wide | None) -> Wide:
        return self.sign * side(value) if way is None else way

    def rounded(self, value: Wide, way: Wide | None = None) -> Wide:
        away = U[self.dtype] * np.abs(value) + ETA[self.dtype]
        found: Wide = value + self.way(value, way) * away
        return found

    def activation(self, right: Wide, way: Wide) -> Wide:
        """Off by 4 ulps of the larger of itself and 1/2."""
        size = np.maximum(np.abs(right), 0.5)
        found: Wide = right + way * (2 * ULPS * U[self.dtype] * size + ETA[self.dtype])
        return found

    def gate(self, a: Sum, way: Wide) -> tuple[Wide, Wide]:
        """a and σ(a)."""
        by = self.off(a, way)
        return by, self.activation(sigmoid(by), way)

    def slope(self, a: Wide, s: Wide) -> Wide:
        """Of s = σ(a), times what is rounded together with it."""
        if self.own:
            one, other = (self.activation(sigmoid(x), 0 * a + self.sign) for x in (a, -a))
            return self.rounded(one * other)
        return self.rounded(s * self.rounded(1 - s))

    def slope_of_tanh(self, a: Wide, t: Wide) -> Wide:
        if self.own:
            right = 1 / np.cosh(a) ** 2
            found: Wide = right * (1 + self.sign * 2 * ULPS * U[self.dtype])
            return found
        return self.rounded(1 - self.rounded(t * t, -self.sign * np.ones_like(t)))

    def shown(self, values: Wide) -> Wide:
        """Rounded as what shows is."""
        return wide(values.astype(self.dtype))

    def over_rows(self, d: Wide, x: Wide, more: int = 0) -> Wide:
        """The sum of d x' over steps and rows; d was kept wider than it shows, and so was h."""
        d, x = d.reshape(-1, d.shape[-1]), x.reshape(-1, x.shape[-1])
        terms = np.count_nonzero(x, axis=0) + more
        return self.final(Sum(d.T @ x, np.abs(d).T @ np.abs(x), terms))

    # A layer.

    def run(
        self, cell: str, w: Sequence[Wide], x: Wide, initial: Wide, d_output: Wide, d_last: Wide
    ) -> Pass:
        """Inputs (T, B, I), initial and d_last (B, S·H), d_output (T, B, H)."""
        W_ih, W_hh, *_ = w = [wide(part) for part in w]
        H, state, tapes = W_hh.shape[1], initial, []
        forward, back = getattr(self, f"forward_{cell}"), getattr(self, f"back_{cell}")
        for x_t in x:
            tapes.append(forward(w, x_t, state))
            state = tapes[-1]["state"]
        of_state, hidden = term(d_last[:, :H]), d_last[:, H:]
        d_all, du_all = list[Wide](), list[Wide]()
        for tape, dy in zip(reversed(tapes), d_output[::-1], strict=True):
            dh = of_state.and_also(term(dy))
            d, du, of_state, hidden = back(W_hh, tape, self.off(dh), hidden)
            d_all.insert(0, d)
            du_all.insert(0, du)
        d, du = np.stack(d_all), np.stack(du_all)
        output = np.stack([tape["state"][:, :H] for tape in tapes])
        read = [np.concatenate([initial[np.newaxis, :, :H], output[:-1]])] * (len(W_hh) // H)
        if "reset" in tapes[0]:
            read[2] = np.stack([tape["reset"] for tape in tapes])
        gates = zip(np.split(du, len(read), axis=-1), read, strict=True)
        ones = np.ones_like(d[..., :1])
        weights = {
            "weight_ih": self.over_rows(d, x),
            "weight_hh": np.concatenate([self.over_rows(one, h, 1) for one, h in gates]),
            "bias_ih": self.over_rows(d, ones)[:, 0],
            "bias_hh": self.over_rows(du, ones)[:, 0],
        }
        first = np.concatenate([self.final(of_state), hidden.astype(self.dtype)], axis=-1)
        return Pass(output, state, d, products(d, W_ih.T), first, weights)

    def sums(self, w: Sequence[Wide], x: Wide, h: Wide) -> tuple[list[Sum], list[Sum]]:
        """W_ih x + b_ih and W_hh h + b_hh, gate by gate."""
        count = len(w[1]) // w[1].shape[1]
        both = []
        for W, b, v in ((w[0], w[2], x), (w[1], w[3], h)):
            each = zip(np.split(W, count), np.split(b, count), strict=True)
            both.append([products(v, W_k).and_also(term(b_k)) for W_k, b_k in each])
        return both[0], both[1]

    def handed(self, W_hh: Wide, du: Wide, *more: Wide) -> Sum:
        return products(du, W_hh.T).and_also(*map(term, more))

    # Plain.

    def forward_tanh(self, w: Sequence[Wide], x: Wide, h: Wide) -> Tape:
        (of_x,), (of_h,) = self.sums(w, x, h)
        a = of_x.and_also(of_h)
        off = 1 + self.sign * 2 * ULPS * U[self.dtype]
        by = self.off(a, -self.sign * side(a.value))
        t = np.tanh(by)
        # What shows is off one way, and the slope is that of what is off the other way.
        state = self.shown(t * off if self.own else t / off)
        return {"state": state, "a": by, "t": t / off}

    def back_tanh(
        self, W_hh: Wide, tape: Tape, dh: Wide, hidden: Wide
    ) -> tuple[Wide, Wide, Sum, Wide]:
        d = self.shown(dh * self.slope_of_tanh(tape["a"], tape["t"]))
        return d, d, self.handed(W_hh, d), hidden

    def forward_relu(self, w: Sequence[Wide], x: Wide, h: Wide) -> Tape:
        (of_x,), (of_h,) = self.sums(w, x, h)
        a = of_x.and_also(of_h)
        return {"state": self.shown(np.maximum(self.off(a), 0))}

    def back_relu(
        self, W_hh: Wide, tape: Tape, dh: Wide, hidden: Wide
    ) -> tuple[Wide, Wide, Sum, Wide]:
        d = self.shown(np.where(tape["state"] > 0, dh, 0))
        return d, d, self.handed(W_hh, d), hidden

    # LSTM.

    def forward_lstm(self, w: Sequence[Wide], x: Wide, state: Wide) -> Tape:
        h, c = np.split(state, 2, axis=-1)
        of_x, of_h = self.sums(w, x, h)
        a = dict(zip("ifgo", (p.and_also(q) for p, q in zip(of_x, of_h, strict=True)), strict=True))
        s, target = self.sign, self.target
        ways = {k: s * (side(-a[k].value) if k == target else np.ones_like(c)) for k in "ifo"}
        (i_a, i), (f_a, f), (o_a, o) = (self.gate(a[k], ways[k]) for k in "ifo")
        way = s * side(a["g"].value) * (-1 if target == "g" else 1)
        g_a = self.off(a["g"], way)
        g = self.activation(np.tanh(g_a), way)
        way = s * side(f * c + i * g) * (1 if target in "fo" else -1)
        c_t = self.rounded(self.rounded(f * c, way) + self.rounded(i * g, way), way)
        t = self.activation(np.tanh(c_t), way)
        return {
            "state": np.concatenate([self.shown(o * t), c_t], axis=-1),
            **{"before": c, "i": i, "f": f, "g": g, "o": o, "t": t},
            **{"a_i": i_a, "a_f": f_a, "a_g": g_a, "a_o": o_a, "a_t": c_t},
        }

    def back_lstm(self, W_hh: Wide, tape: Tape, dh: Wide, dc: Wide) -> tuple[Wide, Wide, Sum, Wide]:
        i, f, g, o, t = (tape[k] for k in "ifgot")
        of_i, of_f, of_o = (self.slope(tape[f"a_{k}"], tape[k]) for k in "ifo")
        of_t, of_g = (self.slope_of_tanh(tape[f"a_{k}"], tape[k]) for k in "tg")
        way = self.sign * side(dh * o * of_t + dc)
        new = self.rounded(self.rounded(dh * o, way) * of_t, way)
        dc = self.rounded(new + dc, way)
        d = self.shown(
            np.concatenate(
                [
                    self.rounded(dc * g) * of_i,
                    self.rounded(dc * tape["before"]) * of_f,
                    self.rounded(dc * i) * of_g,
                    self.rounded(dh * t) * of_o,
                ],
                axis=-1,
            )
        )
        return d, d, self.handed(W_hh, d), self.rounded(f * dc)

    # GRU.

    def forward_gru(self, w: Sequence[Wide], x: Wide, h: Wide) -> Tape:
        return self.gru(w, x, h, before=False)

    def forward_gru_reset_before(self, w: Sequence[Wide], x: Wide, h: Wide) -> Tape:
        return self.gru(w, x, h, before=True)

    def gru(self, w: Sequence[Wide], x: Wide, shown: Wide, *, before: bool) -> Tape:
        s, H, target = self.sign, shown.shape[1], self.target
        of_x, of_h = self.sums(w, x, shown)
        h = self.rounded(shown, s * side(shown))  # as it was kept
        a_r, a_z = (p.and_also(q) for p, q in zip(of_x[:2], of_h[:2], strict=True))
        r_a, r = self.gate(a_r, s * (side(-a_r.value) if target == "r" else np.ones_like(h)))
        tape: dict[str, Wide] = {}
        if before:
            tape["reset"] = self.rounded(r * h)
            parts = products(tape["reset"], w[1][2 * H :]), term(w[3][2 * H :])
            tape["beside"], a_n = h, of_x[2].and_also(*parts)
        else:
            # By parts, each product is multiplied before they are added.
            more = Sum(0 * h, 0 * h, int(self.by_parts))
            tape["beside"] = self.off(of_h[2].and_also(more))
            value, scale, terms = of_h[2]
            a_n = of_x[2].and_also(Sum(r * value, r * scale, terms + 2))
        way_z = side(-a_z.value) if target == "z" else -np.ones_like(h)
        way_n = side(np.tanh(a_n.value) - h) if target == "z" else -side(a_n.value)
        z_a, z = self.gate(a_z, s * way_z)
        n_a = self.off(a_n, s * way_n)
        n = self.activation(np.tanh(n_a), s * way_n)
        state = self.shown((1 - z) * n + z * h)
        return {
            **tape,
            **{"state": state, "h": h, "r": r, "z": z, "n": n, "a_r": r_a, "a_z": z_a, "a_n": n_a},
        }

    def back_gru_reset_before(
        self, W_hh: Wide, tape: Tape, dh: Wide, hidden: Wide
    ) -> tuple[Wide, Wide, Sum, Wide]:
        return self.back_gru(W_hh, tape, dh, hidden)

    def back_gru(
        self, W_hh: Wide, tape: Tape, dh: Wide, hidden: Wide
    ) -> tuple[Wide, Wide, Sum, Wide]:
        h, r, z, n = (tape[k] for k in "hrzn")
        H, s = h.shape[1], self.sign
        if self.by_parts:
            of_rest = self.rounded(dh - self.rounded(z * dh, -s * side(dh)), s * side(dh))
            way = s * side(dh * (h - n))
            between = self.rounded(self.rounded(dh * h, way) - self.rounded(dh * n, -way), way)
        else:
            on_its_own = self.activation(sigmoid(-tape["a_z"]), 0 * z + s)
            of_rest = self.rounded(dh * (on_its_own if self.own else self.rounded(1 - z)))
            between = self.rounded(dh * self.rounded(h - n))
        d_n = self.shown(of_rest * self.slope_of_tanh(tape["a_n"], n))
        d_z = self.shown(between * self.slope(tape["a_z"], z))
        slope, kept = self.slope(tape["a_r"], r), self.rounded(z * dh)
        if "reset" in tape:
            q = self.off(products(d_n, W_hh[2 * H :].T))
            d_r = self.shown(self.rounded(q * tape["beside"]) * slope)
            of_gates = np.concatenate([d_r, d_z], axis=-1)
            handed = self.handed(W_hh[: 2 * H], of_gates, kept, self.rounded(r * q))
            d = np.concatenate([of_gates, d_n], axis=-1)
            return d, d, handed, hidden
        before_it_shows = self.rounded(of_rest * self.slope_of_tanh(tape["a_n"], n))
        d_r = before_it_shows * tape["beside"]
        d_r = self.shown((d_r if self.by_parts else self.rounded(d_r)) * slope)
        du = np.concatenate([d_r, d_z, self.rounded(d_n * r)], axis=-1)
        d = np.concatenate([d_r, d_z, d_n], axis=-1)
        return d, du, self.handed(W_hh, du, kept), hidden
