"""RNN in JAX with lax.scan over time-major batches (T, B, I)."""

import jax
import jax.numpy as jnp
from jax import lax


def init(key, n_in, n_hidden, n_out):
    k1, k2, k3 = jax.random.split(key, 3)
    return {
        "wx": jax.random.normal(k1, (n_in, n_hidden)) / jnp.sqrt(n_in),
        "bx": jnp.zeros(n_hidden),
        "wh": jax.random.normal(k2, (n_hidden, n_hidden)) / jnp.sqrt(n_hidden),
        "bh": jnp.zeros(n_hidden),
        "wo": jax.random.normal(k3, (n_hidden, n_out)) / jnp.sqrt(n_hidden),
        "bo": jnp.zeros(n_out),
    }


@jax.jit
def rnn(params, xs, h0=None):
    if h0 is None:
        h0 = jnp.zeros((xs.shape[1], params["wh"].shape[0]), xs.dtype)

    def step(h, x):
        h = jnp.tanh(x @ params["wx"] + params["bx"] + h @ params["wh"] + params["bh"])
        return h, h

    last, hs = lax.scan(step, h0, xs)
    ys = hs @ params["wo"] + params["bo"]
    return ys, hs, last
