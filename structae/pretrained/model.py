"""A trained model by itself: images to codes and back, without its data."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from structae import build, sampling
from structae import config as config_lib
from structae.config import presets
from structae.nn.posterior import Posterior
from structae.objectives import reconstruction
from structae.pretrained import configs, tensors

KINDS = ('hybrid', 'hybrid_by_dimension', 'prior')


@dataclasses.dataclass(frozen=True, eq=False)
class Pretrained:
  """A trained encoder and decoder.

  `encode` and `decode` are compiled once for every shape they are given, and
  may be differentiated, vmapped and compiled into other functions.

  Attributes:
    config: the configuration that builds the model, `structae.config`.
    params: the parameters of `encoder` and `decoder`, float32. FactorVAE's
      critic is left out: it serves training alone.
    pool: `[P, K, D]`, stored codes that `sample` recombines, or None.
    about: where it comes from, as far as known: `name`, `step`, `config_hash`,
      `digests` of the data, `scores` and `versions`.

  Raises:
    ValueError: if parameters or pool do not fit the configuration.
  """

  config: Any
  params: dict[str, Any]
  pool: Any = None
  about: Mapping[str, Any] = dataclasses.field(default_factory=dict)

  def __post_init__(self) -> None:
    configs.check_model(self.config)
    config = self.config.copy_and_resolve_references()
    # Written out, so that no later change of a preset changes the model.
    config_lib.update(config, config_lib.widths(config))
    flat = tensors.flatten(
      {name: self.params.get(name, {}) for name in ('encoder', 'decoder')}
    )
    flat = {name: np.asarray(array) for name, array in flat.items()}
    tensors.check(config, flat)
    params = tensors.unflatten(
      {name: jnp.asarray(a, jnp.float32) for name, a in flat.items()}
    )
    object.__setattr__(self, 'config', config)
    object.__setattr__(self, 'params', params)
    if self.pool is not None:
      object.__setattr__(self, 'pool', self._checked_pool())

  def _checked_pool(self) -> jax.Array:
    pool = jnp.asarray(self.pool, jnp.float32)
    if pool.ndim != 3 or not len(pool) or pool.shape[1:] != self.code_shape:
      raise ValueError(
        f'the pool of stored codes has shape {pool.shape}, expected '
        f'{_shape("P", self.code_shape)}.'
      )
    return pool

  @functools.cached_property
  def image_shape(self) -> tuple[int, ...]:
    """The shape `(H, W, C)` of an image; `(X,)` of a feature vector."""
    return tensors.image_shape(
      self.config, tensors.num_channels(tensors.flatten(self.params))
    )

  @property
  def code_shape(self) -> tuple[int, int]:
    """The shape `(K, D)` of a code: K variables of D numbers."""
    model = self.config.model
    return model.num_variables, model.num_latents // model.num_variables

  @functools.cached_property
  def module(self) -> Any:
    """The Flax module: `module.apply({'params': params}, ..., method=...)`."""
    return build.model(self.config, self.image_shape[-1])

  @functools.cached_property
  def kinds(self) -> tuple[str, ...]:
    """The kinds of samples that it offers, out of `KINDS`."""
    found = []
    if self.pool is not None:
      found.append('hybrid')
      if self.code_shape[1] > 1:
        found.append('hybrid_by_dimension')
    if self.config.objective.name in presets.WITH_PRIOR:
      found.append('prior')
    return tuple(found)

  def encode(self, images: Any) -> jax.Array:
    """Maps images to codes, the means of their posteriors.

    Args:
      images: `[B, H, W, C]`, uint8, or floats in [0, 1]; feature vectors
        `[B, X]`, floats.

    Returns:
      `[B, K, D]` float32.

    Raises:
      ValueError: if they are of another shape, type or range.
    """
    return self.posterior(images).mean

  def posterior(self, images: Any) -> Posterior:
    """Maps images to posteriors over codes; the arguments are `encode`'s."""
    return self._encode(self.params, self._checked_images(images))

  def decode(self, codes: Any) -> jax.Array:
    """Maps codes to images.

    Args:
      codes: `[B, K, D]`.

    Returns:
      uint8 `[B, H, W, C]`; feature vectors float32 `[B, X]`.

    Raises:
      ValueError: if codes are of another shape.
    """
    return self._decode(self.params, self._checked_codes(codes))

  def decode_mean(self, codes: Any) -> jax.Array:
    """As `decode`, but floats in [0, 1], which can be differentiated."""
    return self._decode_mean(self.params, self._checked_codes(codes))

  def sample(
    self, key: jax.Array, num_samples: int, kind: str = 'hybrid'
  ) -> jax.Array:
    """Draws new images; see `sample_codes`.

    Returns:
      uint8 `[S, H, W, C]`; feature vectors float32 `[S, X]`.
    """
    return self.decode(self.sample_codes(key, num_samples, kind))

  def sample_codes(
    self, key: jax.Array, num_samples: int, kind: str = 'hybrid'
  ) -> jax.Array:
    """Draws new codes.

    Args:
      key: a PRNG key.
      num_samples: their number S.
      kind: 'hybrid' copies each variable from another code of the pool,
        'hybrid_by_dimension' each single number, 'prior' draws N(0, 1).

    Returns:
      `[S, K, D]`.

    Raises:
      ValueError: if the model does not offer this kind.
    """
    self._check_kind(kind)
    if kind == 'prior':
      return sampling.prior(key, num_samples, *self.code_shape)
    if kind == 'hybrid':
      return sampling.hybrid(key, self.pool, num_samples)
    flat = self.pool.reshape(len(self.pool), -1, 1)
    return sampling.hybrid(key, flat, num_samples).reshape(-1, *self.code_shape)

  def _check_kind(self, kind: str) -> None:
    if kind in self.kinds:
      return
    if kind not in KINDS:
      raise ValueError(
        f'unknown kind of samples {kind!r}; one of {", ".join(KINDS)}.'
      )
    if kind == 'prior':
      reason = f'{self.config.objective.name} gives codes no prior'
    elif self.pool is None:
      reason = 'it has no stored codes; encode some images and use sampling'
    else:
      reason = 'its variables are single numbers, so hybrid is the same'
    offered = ', '.join(self.kinds) or 'none'
    raise ValueError(
      f'this model has no {kind} samples: {reason} (it offers: {offered}).'
    )

  @functools.cached_property
  def _encode(self) -> Callable:
    module: Any = self.module
    return jax.jit(
      lambda params, x: module.apply({'params': params}, x, method='encode')
    )

  @functools.cached_property
  def _decode_mean(self) -> Callable:
    module: Any = self.module
    mean = build.likelihood(self.config).mean

    def decode(params: Any, codes: jax.Array) -> jax.Array:
      out = mean(module.apply({'params': params}, codes, method='decode'))
      return out if out.ndim == 2 else jnp.clip(out, 0, 1)

    return jax.jit(decode)

  @functools.cached_property
  def _decode(self) -> Callable:
    def decode(params: Any, codes: jax.Array) -> jax.Array:
      return reconstruction.as_bytes(self._decode_mean(params, codes))

    return jax.jit(decode)

  def _checked_images(self, images: Any) -> jax.Array:
    images = images if hasattr(images, 'dtype') else np.asarray(images)
    shape, dtype = tuple(images.shape), images.dtype
    vectors = len(self.image_shape) == 1
    if len(shape) != 1 + len(self.image_shape) or shape[1:] != self.image_shape:
      raise ValueError(
        f'images have shape {shape}, expected {_shape("B", self.image_shape)}.'
      )
    if dtype == np.uint8 and not vectors:
      return jnp.asarray(images)
    if not jnp.issubdtype(dtype, jnp.floating):
      raise ValueError(
        f'images are {dtype}, expected '
        f'{"floats" if vectors else "uint8, or floats in [0, 1]"}.'
      )
    images = jnp.asarray(images, jnp.float32)
    known = not isinstance(images, jax.core.Tracer) and images.size
    if known and not (vectors or (images.min() >= 0 and images.max() <= 1)):
      raise ValueError(
        f'images run from {images.min():g} to {images.max():g}; floats must '
        'lie in [0, 1], or give uint8.'
      )
    return images

  def _checked_codes(self, codes: Any) -> jax.Array:
    shape = np.shape(codes)
    if len(shape) != 3 or shape[1:] != self.code_shape:
      raise ValueError(
        f'codes have shape {shape}, expected {_shape("B", self.code_shape)}.'
      )
    return jnp.asarray(codes, jnp.float32)


def _shape(first: str, rest: tuple[int, ...]) -> str:
  return f'[{", ".join([first, *map(str, rest)])}]'
