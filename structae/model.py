"""A trained model: images to codes and back, and new images."""

import base64
import dataclasses
import functools
import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from structae import build, parameters, sampling, saved_model
from structae import config as config_lib
from structae.codec import Codec
from structae.config import WITH_PRIOR, graphs
from structae.data import examples
from structae.models import graph as graph_lib
from structae.nn.posterior import Posterior

KINDS = ('hybrid', 'hybrid_by_dimension', 'prior')


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Model:
  """A trained encoder and decoder, with stored codes to recombine.

  Every method takes any number of examples, which pass through in batches of
  `config.evaluation.batch_size`, cut over all devices. Arrays come back in
  numpy; inside `jax.jit`, `grad` or `vmap` tracers come back.

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
    config_lib.check_model(self.config)
    config = self.config.copy_and_resolve_references()
    config_lib.update(config, config_lib.model_written_out(config))
    params = parameters.checked(config, self.params)
    object.__setattr__(self, 'config', config)
    object.__setattr__(self, 'params', params)
    if self.pool is not None:
      object.__setattr__(self, 'pool', self._checked_pool())

  def _checked_pool(self) -> np.ndarray:
    pool = np.asarray(self.pool, np.float32)
    if pool.ndim != 3 or not len(pool) or pool.shape[1:] != self.code_shape:
      raise ValueError(
        f'the pool of stored codes has shape {pool.shape}, expected '
        f'{_shape("P", self.code_shape)}.'
      )
    return pool

  @functools.cached_property
  def image_shape(self) -> tuple[int, ...]:
    """The shape `(H, W, C)` of an image; `(X,)` of a feature vector."""
    return parameters.image_shape(
      self.config, parameters.num_channels(parameters.flatten(self.params))
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
  def codec(self) -> Codec:
    """The encoder and the decoder as functions over any number of examples."""
    return build.codec(self.config, self.module, self.params)

  @functools.cached_property
  def kinds(self) -> tuple[str, ...]:
    """The kinds of samples that it offers, out of `KINDS`."""
    found = []
    if self.pool is not None:
      found.append('hybrid')
      if self.code_shape[1] > 1:
        found.append('hybrid_by_dimension')
    if self.config.objective.name in WITH_PRIOR:
      found.append('prior')
    return tuple(found)

  def encode(self, images: Any) -> Any:
    """Maps images to codes, the means of their posteriors.

    Args:
      images: `[B, H, W, C]`, uint8, or floats in [0, 1]; a Pillow image, a
        file of a picture or a list of them, of which the largest centred square
        is resized; feature vectors `[B, X]`, floats.

    Returns:
      `[B, K, D]` float32.

    Raises:
      ValueError: if they are of another shape, type or range.
    """
    return self.posterior(images).mean

  def posterior(self, images: Any) -> Posterior:
    """Maps images to posteriors over codes; the arguments are `encode`'s."""
    return self.codec.posterior(self._checked_images(images))

  def decode(self, codes: Any) -> Any:
    """Maps codes to images.

    Args:
      codes: `[B, K, D]`.

    Returns:
      uint8 `[B, H, W, C]`; feature vectors float32 `[B, X]`.

    Raises:
      ValueError: if codes are of another shape.
    """
    return self.codec.decode(self._checked_codes(codes))

  def decode_mean(self, codes: Any) -> Any:
    """As `decode`, but floats in [0, 1], for `jax.grad` and `jax.jacrev`."""
    return self.codec.decode_mean(self._checked_codes(codes))

  def reconstruct(self, images: Any) -> Any:
    """Decodes the codes of images; the arguments are `encode`'s."""
    return self.codec.reconstruct(self._checked_images(images))

  def errors(
    self, images: Any, key: jax.Array | None = None
  ) -> dict[str, np.ndarray]:
    """How far reconstructions are from their images; see `Codec.errors`."""
    return self.codec.errors(self._checked_images(images), key)

  def sample(
    self, key: jax.Array | int, num_samples: int, kind: str = 'hybrid'
  ) -> Any:
    """Draws new images; see `sample_codes`.

    Returns:
      uint8 `[S, H, W, C]`; feature vectors float32 `[S, X]`.
    """
    return self.decode(self.sample_codes(key, num_samples, kind))

  def sample_codes(
    self, key: jax.Array | int, num_samples: int, kind: str = 'hybrid'
  ) -> jax.Array:
    """Draws new codes.

    Args:
      key: a PRNG key, or the seed of one.
      num_samples: their number S.
      kind: 'hybrid' copies each variable from another code of the pool,
        'hybrid_by_dimension' each single number, 'prior' draws N(0, 1).

    Returns:
      `[S, K, D]`.

    Raises:
      ValueError: if the model does not offer this kind.
    """
    self._check_kind(kind)
    if isinstance(key, int | np.integer):
      if not -(2**63) <= key < 2**63:
        raise ValueError('the seed of a key must be a number of 64 bits.')
      key = jax.random.key(int(key))
    if kind == 'prior':
      return sampling.prior(key, num_samples, *self.code_shape)
    pool = jnp.asarray(self.pool)
    if kind == 'hybrid':
      return sampling.hybrid(key, pool, num_samples)
    flat = pool.reshape(len(pool), -1, 1)
    return sampling.hybrid(key, flat, num_samples).reshape(-1, *self.code_shape)

  @functools.cached_property
  def variable_names(self) -> tuple[str, ...]:
    """What its variables are called: as in its graph, or `U1`, `U2`, ..."""
    if self.config.model.decoder == 'graph':
      return graphs.parse(self.config.model.graph).names
    return tuple(f'U{k + 1}' for k in range(self.code_shape[0]))

  def intervene(self, codes: Any, values: Mapping[str, Any]) -> jax.Array:
    """Sets variables by their names: `intervene(codes, {'U3': 0.5})`.

    Args:
      codes: `[B, K, D]`.
      values: by `variable_names`, or `U3` for the third; see
        `sampling.intervene`.

    Returns:
      `[B, K, D]`, for `decode`.

    Raises:
      ValueError: on an unknown name, or a value of another shape.
    """
    names = self.variable_names
    numbers = {graphs.number(name, names): v for name, v in values.items()}
    return sampling.intervene(jnp.asarray(self._checked_codes(codes)), numbers)

  def descendants(self, name: str) -> tuple[int, ...]:
    """The variables whose maps a variable changes: itself and all behind it.

    `sampling.partial_hybrid(key, model.pool, codes, model.descendants('U3'))`
    recombines these and keeps what does not depend on them.

    Args:
      name: one of `variable_names`, or `U3` for the third.

    Returns:
      Their numbers, counted from 0.

    Raises:
      ValueError: on an unknown name, or a decoder that reads the whole code at
        once, so that no variable stands behind another.
    """
    settings = self.config.model
    if settings.decoder in ('adaptive', 'hourglass'):
      raise ValueError(
        f'in an {settings.decoder} decoder no variable stands behind another: '
        'each acts on all maps; take a structural, ladder or graph one.'
      )
    graph = graph_lib.chain(self.code_shape[0])
    if settings.decoder == 'graph':
      graph = graphs.parse(settings.graph).graph
    return graph.descendants(graphs.number(name, self.variable_names))

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

  def _checked_images(self, images: Any) -> Any:
    if not hasattr(images, 'dtype'):
      images = self._opened(images)
    shape, dtype = tuple(images.shape), images.dtype
    vectors = len(self.image_shape) == 1
    if shape == self.image_shape:
      raise ValueError(
        f'one example has shape {shape}, expected a batch '
        f'{_shape("B", self.image_shape)}: give images[None].'
      )
    if len(shape) != 1 + len(self.image_shape) or shape[1:] != self.image_shape:
      raise ValueError(
        f'images have shape {shape}, expected {_shape("B", self.image_shape)}.'
      )
    if dtype == np.uint8 and not vectors:
      return images
    if not jnp.issubdtype(dtype, jnp.floating):
      raise ValueError(
        f'images are {dtype}, expected '
        f'{"floats" if vectors else "uint8, or floats in [0, 1]"}.'
      )
    if isinstance(images, np.ndarray | jax.Array) and not vectors:
      _check_range(images)
    if isinstance(images, np.ndarray | jax.Array):
      images = images.astype(np.float32)
    return images

  def _opened(self, images: Any) -> np.ndarray:
    """An array out of a sequence of pictures, files or numbers."""
    if examples.is_picture(images):
      images = [images]
    is_list = isinstance(images, Sequence) and len(self.image_shape) == 3
    if is_list and images and examples.is_picture(images[0]):
      return examples.read_pictures(images, self.image_shape)
    return np.asarray(images)

  def _checked_codes(self, codes: Any) -> Any:
    shape = np.shape(codes)
    if len(shape) != 3 or shape[1:] != self.code_shape:
      raise ValueError(
        f'codes have shape {shape}, expected {_shape("B", self.code_shape)}.'
      )
    if isinstance(codes, jax.core.Tracer):
      return codes
    return np.asarray(codes, np.float32)

  def save(self, folder: str | os.PathLike, dtype: str = 'float32') -> Path:
    """Writes the model as a folder; see `structae.save_pretrained`."""
    return saved_model.write(folder, self, dtype)

  @property
  def title(self) -> str:
    """Its name, and the data that it was trained on."""
    return f'{self.about.get("name", "model")} on {self.config.data.name}'

  def __repr__(self) -> str:
    """Three lines: what it is, its shapes, what it offers."""
    step = f', step {self.about["step"]:,}' if 'step' in self.about else ''
    num = sum(x.size for x in jax.tree.leaves(self.params))
    shape = 'x'.join(map(str, self.image_shape))
    variables, dim = self.code_shape
    kinds = ', '.join(self.kinds) or 'none (no stored codes)'
    return (
      f'structae.Model: {self.title}{step}\n'
      f'  {shape} to {variables} variables of {dim} and back, {num:,} '
      f'parameters\n'
      f'  samples: {kinds}'
    )

  def _repr_html_(self) -> str:
    """The same in a notebook, with samples where there are any."""
    from structae.figures import grids  # which imports matplotlib

    text = f'<pre>{html.escape(repr(self))}</pre>'
    if not self.kinds or len(self.image_shape) == 1:
      return text
    sheet = grids.png(grids.grid(self.sample(0, 16, self.kinds[0]), 8))
    uri = base64.b64encode(sheet).decode()
    return f'{text}<img alt="samples" src="data:image/png;base64,{uri}">'


def _check_range(images: Any) -> None:
  known = not isinstance(images, jax.core.Tracer) and images.size
  if known and not (images.min() >= 0 and images.max() <= 1):
    raise ValueError(
      f'images run from {images.min():g} to {images.max():g}; floats must lie '
      'in [0, 1], or give uint8.'
    )


def _shape(first: str, rest: tuple[int, ...]) -> str:
  return f'[{", ".join([first, *map(str, rest)])}]'
