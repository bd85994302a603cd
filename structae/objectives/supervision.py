"""Labels in the loss: chosen variables are to show chosen factors."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from structae.objectives import autoencoding
from structae.objectives.autoencoding import Encode, Loss, Metrics


class Pairing(NamedTuple):
  """Which variable is to show which factor.

  Attributes:
    variable: its place in a code, from 0; the first of its numbers is used.
    factor: the column of the factor.
    size: the number of values of the factor.
  """

  variable: int
  factor: int
  size: int


def supervised(
  loss: Loss, encode: Encode, pairings: Sequence[Pairing], weight: float
) -> Loss:
  """Adds weight times the cross entropy of codes to labels.

  Args:
    loss: `(params, images, key) -> (nats per example, its terms)`.
    encode: `(params, images) -> Posterior`.
    pairings: one or more.
    weight: of the term.

  Returns:
    `(params, batch, key) -> (nats per example, its terms)` of batches with the
    attributes of `data.labels.Labelled`, with the term `labels`.

  Source: Locatello et al., Disentangling factors of variation using few
    labels, ICLR 2020, https://arxiv.org/abs/1905.01258, section 4.
  """

  def with_labels(
    params: Any, batch: Any, key: jax.Array, step: jax.Array | int = 0
  ) -> tuple[jax.Array, Metrics]:
    value, terms = autoencoding.at(loss, step)(params, batch.images, key)
    means = encode(params, batch.labelled).mean
    found = cross_entropy(means, batch.factors, pairings).mean()
    return value + weight * found, {**terms, 'labels': found}

  return with_labels


def cross_entropy(
  codes: jax.Array, factors: jax.Array, pairings: Sequence[Pairing]
) -> jax.Array:
  """The cross entropy of numbers, as logits, to factors scaled to 0 ... 1.

  A middle value is no certain label: its cross entropy is above 0 at best.

  Args:
    codes: `[B, K, D]`.
    factors: `[B, F]`, counted from 0.
    pairings: which variable is compared with which factor.

  Returns:
    `[B]`, nats, summed over the pairings.
  """
  total = jnp.zeros(len(codes))
  for variable, factor, size in pairings:
    target = factors[:, factor] / (size - 1)
    logits = codes[:, variable, 0]
    total += optax.sigmoid_binary_cross_entropy(logits, target)
  return total
