"""Times the parts of a convolution block against the stock ones of jax, flax.

  python -m experiments.benchmarks.blocks

Value and gradient, on 4 maps of 64x64 pixels and 64 channels, the two in turn;
medians, and the median of the ratios.
"""

import statistics
import time
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.nn import blocks, resampling

SHAPE = (4, 64, 64, 64)
REPEATS = 20


def pairs() -> dict[str, tuple[Callable, Callable]]:
  """Our formulation and the stock one, by name."""
  params = {'params': {'scale': jnp.ones(64), 'bias': jnp.zeros(64)}}
  stock_norm = nn.GroupNorm(8, epsilon=1e-5)
  return {
    'mish': (blocks.mish, jax.nn.mish),
    'group norm': (
      lambda x: blocks.GroupNorm(8).apply(params, x),
      lambda x: stock_norm.apply(params, x),
    ),
    'upsample': (
      resampling.upsample,
      lambda x: jax.image.resize(x, (4, 128, 128, 64), 'bilinear'),
    ),
    'max pool': (
      resampling.max_pool,
      lambda x: nn.max_pool(x, (2, 2), (2, 2)),
    ),
  }


def main() -> None:
  """Prints a row per part."""
  x = jax.random.normal(jax.random.key(0), SHAPE)
  print(f'{"":12}{"ours, ms":>10}{"stock, ms":>11}{"stock/ours":>12}')
  for name, functions in pairs().items():
    runs = [
      jax.jit(jax.grad(lambda x, f=f: jnp.square(f(x)).sum()))
      for f in functions
    ]
    for run in runs:
      jax.block_until_ready(run(x))
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS):
      for run, taken in zip(runs, times):
        start = time.perf_counter()
        jax.block_until_ready(run(x))
        taken.append(1000 * (time.perf_counter() - start))
    ratio = statistics.median(b / a for a, b in zip(*times))
    ours, stock = map(statistics.median, times)
    print(f'{name:12}{ours:10.2f}{stock:11.2f}{ratio:12.1f}')


if __name__ == '__main__':
  main()
