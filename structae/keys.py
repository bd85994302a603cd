"""The keys of a run: one split of its seed, so that no two purposes share one.

`split(key, n)[i]` is `fold_in(key, i)`: what folds small numbers into a key
that is also split draws the same numbers twice.
"""

from typing import NamedTuple

import jax


class Keys(NamedTuple):
  """A PRNG key for each purpose; a new one comes last.

  Attributes:
    init: of parameters.
    batches: of which examples are drawn.
    noise: of losses.
    samples: of stored codes, and of the samples that figures show.
    scored: of the samples that are scored beside test images.
  """

  init: jax.Array
  batches: jax.Array
  noise: jax.Array
  samples: jax.Array
  scored: jax.Array


def of_seed(seed: int) -> Keys:
  """The keys of a run.

  Args:
    seed: `seed` of its configuration.
  """
  return Keys(*jax.random.split(jax.random.key(seed), len(Keys._fields)))
