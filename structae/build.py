"""From a checked config to a model, its objective and its optimizer."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from structae.data import sources
from structae.models import autoencoder, decoders, encoders
from structae.objectives import autoencoding


def source(config: Any) -> sources.Source:
  """The data set of `config.data`."""
  return sources.shapes3d(config.data.size)


def model(config: Any, channels: int) -> autoencoder.Autoencoder:
  """The autoencoder of `config.model` for square images.

  Args:
    config: a checked configuration.
    channels: channels of the images.

  Returns:
    The module; `init` and `apply` are pure functions.
  """
  settings = config.model
  common: dict[str, Any] = dict(
    num_blocks=settings.num_blocks,
    width=settings.width,
    num_groups=settings.num_groups,
    initializer=settings.initializer,
    dtype=jnp.dtype(settings.dtype),
  )
  return autoencoder.Autoencoder(
    encoder=encoders.ConvEncoder(
      settings.num_latents, head=tuple(settings.head), **common
    ),
    decoder=decoders.StructuralDecoder(
      size=config.data.size,
      num_stages=settings.num_stages or settings.num_variables,
      shared=settings.decoder == 'adaptive',
      channels=channels,
      str_tfm=tuple(settings.str_tfm),
      unroll=settings.unroll,
      **common,
    ),
    num_variables=settings.num_variables,
  )


def init(
  module: autoencoder.Autoencoder, key: jax.Array, image_shape: tuple[int, ...]
) -> Any:
  """The initial parameters of a model, without running it eagerly."""
  images = jnp.zeros((1, *image_shape))
  program = jax.jit(module.init).lower(key, images)
  # Runs once: optimizing it would take longer than it does.
  compiled = program.compile({'xla_backend_optimization_level': 0})
  return compiled(key, images)['params']


def loss(config: Any, module: autoencoder.Autoencoder) -> autoencoding.Loss:
  """The training loss of `config.objective`: `loss(params, images, key)`."""
  del config  # one objective so far
  apply: Any = module.apply
  return autoencoding.autoencoding(
    lambda params, x: apply({'params': params}, x, method='encode'),
    lambda params, u: apply({'params': params}, u, method='decode'),
  )


def optimizer(config: Any) -> optax.GradientTransformation:
  """Adam with the learning rate of `config.train`.

  Source: Kingma and Ba, https://arxiv.org/abs/1412.6980.
  """
  train = config.train
  rate = optax.warmup_cosine_decay_schedule(
    init_value=0.0 if train.warmup_steps else train.learning_rate,
    peak_value=train.learning_rate,
    warmup_steps=train.warmup_steps,
    decay_steps=train.num_steps,
  )
  if train.schedule == 'constant':
    rate = optax.warmup_constant_schedule(
      init_value=0.0 if train.warmup_steps else train.learning_rate,
      peak_value=train.learning_rate,
      warmup_steps=train.warmup_steps,
    )
  return optax.adam(rate)
