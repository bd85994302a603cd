"""Every image once an epoch, in an order that no list holds.

An epoch is a keyed bijection of the places in it, so that the images of a step
are a pure function of (key, step), without a permutation to keep or to sort.

Source: Hoang, Morris, Rogaway, An Enciphering Scheme Based on a Card Shuffle,
https://arxiv.org/abs/1208.1176: the swap-or-not shuffle, which is a bijection
of any number of places, whatever its round function.
"""

import jax
import jax.numpy as jnp

# Each moves half of the places. Of a few places all orders are then equally
# frequent, and of many, neighbours land as if independent: tests count them.
_ROUNDS = 64
_GOLDEN = 0x9E3779B9  # 2^32 over the golden ratio


def batch_indices(
  key: jax.Array, step: jax.Array, part: jax.Array, batch_size: int
) -> jax.Array:
  """Takes the image numbers of one step, each once an epoch.

  Batch after batch, epochs follow each other without a gap: a batch may end one
  and begin the next. The order is another in each epoch.

  Args:
    key: the PRNG key of the run's batches.
    step: the step, from 0.
    part: `[N]` image numbers to take from.
    batch_size: how many.

  Returns:
    `[batch_size]` image numbers.
  """
  epochs, places = places_of(step, len(part), batch_size)
  seeds = jax.vmap(
    lambda epoch: jax.random.bits(jax.random.fold_in(key, epoch), (2,))
  )(epochs)
  return part[shuffled(seeds, places, len(part))]


def places_of(
  step: jax.Array, num: int, batch_size: int
) -> tuple[jax.Array, jax.Array]:
  """The epoch of each image of a step, and its place in it.

  Exact, however large the product of step and batch size is.

  Args:
    step: the step, from 0 to 2^31.
    num: images of an epoch.
    batch_size: images of a step.

  Returns:
    Two arrays `[batch_size]` uint32.
  """
  whole, rest = divmod(batch_size, num)
  step = jnp.asarray(step, jnp.uint32)

  def double(i: jax.Array, x: tuple[jax.Array, jax.Array]) -> tuple:
    """The product with one more bit of the step, as quotient and remainder."""
    quotient, remainder = 2 * x[0], 2 * x[1]
    quotient, remainder = _carried(quotient, remainder, num)
    bit = (step >> (31 - i).astype(jnp.uint32)) & 1
    return _carried(quotient, remainder + bit * jnp.uint32(rest), num)

  zero = jnp.zeros((), jnp.uint32)
  quotient, first = jax.lax.fori_loop(0, 32, double, (zero, zero))
  epoch = step * jnp.uint32(whole) + quotient
  along = first + jnp.arange(batch_size, dtype=jnp.uint32)
  return epoch + along // num, along % num


def _carried(
  quotient: jax.Array, remainder: jax.Array, num: int
) -> tuple[jax.Array, jax.Array]:
  over = remainder >= num
  return quotient + over, jnp.where(over, remainder - num, remainder)


def shuffled(seeds: jax.Array, places: jax.Array, num: int) -> jax.Array:
  """Where places go: for equal seeds a bijection of 0, ..., num - 1.

  A round pairs each place x with K - x, and swaps the pair or not by a coin
  that both share.

  Args:
    seeds: `[B, 2]` uint32, of the epoch of each.
    places: `[B]` uint32, below `num`.
    num: the number of places, below 2^31.

  Returns:
    `[B]` uint32, below `num`.
  """

  def swap(i: jax.Array, x: jax.Array) -> jax.Array:
    number = (i.astype(jnp.uint32) + 1) * jnp.uint32(_GOLDEN)
    shift = _mixed(seeds[:, 0] ^ number) % num
    other = (shift + (num - x)) % num
    coin = _mixed(jnp.maximum(x, other) ^ _mixed(seeds[:, 1] ^ number))
    return jnp.where(coin >> 31, other, x)

  return jax.lax.fori_loop(0, _ROUNDS, swap, places)


def _mixed(x: jax.Array) -> jax.Array:
  """Spreads every bit of a number over all others.

  Source: Wellons, https://github.com/skeeto/hash-prospector, `lowbias32`.
  """
  x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
  x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
  return x ^ (x >> 16)
