"""Parameters by flat dotted names, held against what a configuration builds."""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from structae import build


def flatten(params: Mapping[str, Any]) -> dict[str, Any]:
  """Arrays by dotted names, such as `decoder.out.kernel`, sorted."""
  leaves = jax.tree_util.tree_leaves_with_path(dict(params))
  return {'.'.join(str(k.key) for k in path): leaf for path, leaf in leaves}


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
  """The inverse of `flatten`.

  Raises:
    ValueError: if a name lies inside another.
  """
  tree: dict[str, Any] = {}
  for name in sorted(flat):  # a name stands before those that lie inside it
    node = tree
    *parents, last = name.split('.')
    for parent in parents:
      node = node.setdefault(parent, {})
      if not isinstance(node, dict):
        raise ValueError(f'the parameter {name} lies inside another.')
    node[last] = flat[name]
  return tree


def num_channels(flat: Mapping[str, Any]) -> int:
  """The channels of images, or the length of feature vectors.

  They follow from the data, not from the configuration; the output convolution
  of the decoder has as many.

  Raises:
    ValueError: if there is no output convolution.
  """
  for name in ('decoder.out.bias', 'decoder.chain.out.bias'):
    if name in flat and len(flat[name].shape) == 1:
      return flat[name].shape[0]
  some = ', '.join([*flat][:3]) or 'nothing'
  raise ValueError(
    f'there is no decoder.out.bias, so these are no parameters of a decoder '
    f'(found {some}).'
  )


def image_shape(config: Any, channels: int) -> tuple[int, ...]:
  """`(H, W, C)`, or `(X,)` for feature vectors."""
  size = config.data.size
  return (channels,) if size == 1 else (size, size, channels)


def expected(config: Any, channels: int) -> dict[str, jax.ShapeDtypeStruct]:
  """The parameters of the model of a configuration; nothing is computed."""
  shape = image_shape(config, channels)
  return {**_shapes(build.model(config, channels), shape)}


@functools.cache  # tracing takes a second, and a run asks several times
def _shapes(
  module: Any, shape: tuple[int, ...]
) -> dict[str, jax.ShapeDtypeStruct]:
  images = jax.ShapeDtypeStruct((1, *shape), 'float32')
  key = jax.eval_shape(lambda: jax.random.key(0))
  return flatten(jax.eval_shape(module.init, key, images)['params'])


def check(config: Any, flat: Mapping[str, Any]) -> None:
  """Refuses parameters that are not those of the configuration.

  Args:
    config: a configuration.
    flat: arrays, or their shapes and types, by dotted names.

  Raises:
    ValueError: names the first that is missing, too many, of another shape or
      no float.
  """
  asked = expected(config, num_channels(flat))
  for name, leaf in asked.items():
    if name not in flat:
      raise ValueError(f'the parameter {name} {leaf.shape} is missing.')
    if tuple(flat[name].shape) != leaf.shape:
      raise ValueError(
        f'the parameter {name} has shape {tuple(flat[name].shape)}, the '
        f'configuration asks for {leaf.shape}.'
      )
    if not np.issubdtype(flat[name].dtype, np.floating):
      raise ValueError(
        f'the parameter {name} is {flat[name].dtype}, expected float32.'
      )
  for name in flat:
    if name not in asked:
      raise ValueError(f'the configuration builds no parameter {name}.')


def checked(config: Any, params: Mapping[str, Any]) -> dict[str, Any]:
  """Parameters of encoder and decoder, float32, if they are the model's.

  Args:
    config: a configuration.
    params: a tree with `encoder` and `decoder`; what else is in it is left out.

  Raises:
    ValueError: see `check`.
  """
  halves = {name: params.get(name, {}) for name in ('encoder', 'decoder')}
  flat = {name: np.asarray(array) for name, array in flatten(halves).items()}
  check(config, flat)
  return unflatten({n: jnp.asarray(a, jnp.float32) for n, a in flat.items()})
