"""Times the parts of a convolution block against the stock ones of jax, flax.

  python -m experiments.benchmarks.blocks

Value and gradient, ours and the stock one in turn; medians, and the median of
the ratios. Maps are 64x64 pixels and 64 channels, four of them, where nothing
else is said.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.nn import activations, convolution, norm, resampling

SHAPE = (4, 64, 64, 64)
REPEATS = 20


class Pair(NamedTuple):
  """Two ways to compute the same.

  Attributes:
    name: of what they compute.
    ours: our formulation.
    stock: that of jax or flax.
    shapes: of the arrays that they take.
  """

  name: str
  ours: Callable[..., jax.Array]
  stock: Callable[..., jax.Array]
  shapes: tuple[tuple[int, ...], ...] = (SHAPE,)


def pairs() -> Iterator[Pair]:
  """What is timed."""
  yield Pair('mish', activations.mish, jax.nn.mish)
  yield Pair(
    'bias, norm, mish',
    lambda *arrays: norm.group_norm(*arrays, 8, 'mish'),
    _stock_norm,
    (SHAPE, (64,), (64,), (64,)),
  )
  yield Pair(
    'upsample',
    resampling.upsample,
    lambda x: jax.image.resize(x, (4, 128, 128, 64), 'bilinear'),
  )
  yield Pair(
    'max pool',
    resampling.max_pool,
    lambda x: nn.max_pool(x, (2, 2), (2, 2)),
  )
  for what, *shapes in (
    ('3x3 of 2x2 pixels', (32, 2, 2, 64), (3, 3, 64, 64)),
    ('5x5 of 3 channels', (4, 64, 64, 3), (5, 5, 3, 64)),
    ('3x3 to 3 channels', SHAPE, (3, 3, 64, 3)),
  ):
    middle = shapes[1][0] // 2
    how: dict[str, Any] = {
      'dimension_numbers': ('NHWC', 'HWIO', 'NHWC'),
      'padding': [(middle, middle)] * 2,
    }
    yield Pair(
      what,
      lambda x, kernel, how=how: convolution.convolve(x, kernel, (1, 1), **how),
      lambda x, kernel, how=how: jax.lax.conv_general_dilated(
        x, kernel, (1, 1), **how
      ),
      tuple(shapes),
    )


def _stock_norm(
  x: jax.Array, before: jax.Array, gain: jax.Array, bias: jax.Array
) -> jax.Array:
  params = {'params': {'scale': gain, 'bias': bias}}
  y: Any = nn.GroupNorm(8, epsilon=1e-5).apply(params, x + before)
  return jax.nn.mish(y)


def main() -> None:
  """Prints a row per part."""
  print(f'{"":18}{"ours, ms":>10}{"stock, ms":>11}{"stock/ours":>12}')
  for pair in pairs():
    keys = jax.random.split(jax.random.key(0), len(pair.shapes))
    arrays = [jax.random.normal(*of) for of in zip(keys, pair.shapes)]
    runs = [_value_and_gradients(f) for f in (pair.ours, pair.stock)]
    for run in runs:
      jax.block_until_ready(run(arrays))
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS):
      for run, taken in zip(runs, times):
        start = time.perf_counter()
        jax.block_until_ready(run(arrays))
        taken.append(1000 * (time.perf_counter() - start))
    ratio = statistics.median(b / a for a, b in zip(*times))
    ours, stock = map(statistics.median, times)
    print(f'{pair.name:18}{ours:10.2f}{stock:11.2f}{ratio:12.1f}')


def _value_and_gradients(function: Callable[..., jax.Array]) -> Callable:
  return jax.jit(jax.grad(lambda arrays: jnp.square(function(*arrays)).sum()))


if __name__ == '__main__':
  main()
