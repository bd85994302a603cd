"""From a checked config to a model: its modules, parameters and functions."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae import config as config_lib
from structae.codec import Codec
from structae.config import graphs
from structae.models import (
  autoencoder,
  decoders,
  encoders,
  graph_decoder,
  ladder,
)
from structae.models import critic as critics
from structae.nn.backbone import Backbone
from structae.objectives import autoencoding, reconstruction

# What jax calls the precisions of `model.precision`.
PRECISIONS = {'float32': 'float32', 'tf32': 'tensorfloat32'}


def model(config: Any, channels: int) -> autoencoder.Autoencoder:
  """The autoencoder of `config.model` for square images or feature vectors.

  Args:
    config: a checked configuration.
    channels: channels of the images, or length of the feature vectors.

  Returns:
    The module; `init` and `apply` are pure functions.
  """
  settings = config.model
  backbone = Backbone(
    num_blocks=settings.num_blocks,
    width=settings.width,
    num_groups=settings.num_groups,
    initializer=settings.initializer,
    activation=settings.activation,
    strided=settings.resampling == 'strided',
    dtype=jnp.dtype(settings.dtype),
    precision=PRECISIONS[settings.precision],
  )
  gaussian = config.objective.name in config_lib.VARIATIONAL
  return autoencoder.Autoencoder(
    encoder=_encoder(config, gaussian, backbone),
    decoder=_decoder(config, channels, backbone),
    num_variables=settings.num_variables,
    gaussian=gaussian,
    vectors=config.data.size == 1,
  )


def _encoder(config: Any, gaussian: bool, backbone: Backbone) -> nn.Module:
  settings, widths = config.model, config_lib.widths(config)
  if settings.encoder == 'ladder':
    dim = settings.num_latents // settings.num_variables
    rung = widths['model.inference_rung']
    return ladder.LadderEncoder(
      settings.num_variables, dim, gaussian, rung, backbone
    )
  num_outputs = settings.num_latents * (1 + gaussian)
  mlp = settings.encoder == 'mlp'
  kind = encoders.MLPEncoder if mlp else encoders.ConvEncoder
  return kind(num_outputs, widths['model.head'], backbone)


def _decoder(config: Any, channels: int, backbone: Backbone) -> nn.Module:
  settings, widths = config.model, config_lib.widths(config)
  image: dict[str, Any] = dict(
    size=config.data.size, channels=channels, backbone=backbone
  )
  if settings.decoder == 'hourglass':
    return decoders.HourglassDecoder(hidden=widths['model.start'], **image)
  if settings.decoder == 'ladder':
    return ladder.LadderDecoder(
      num_variables=settings.num_variables,
      shrink=settings.preset == 'released',
      rung=widths['model.generative_rung'],
      **image,
    )
  if settings.decoder == 'graph':
    return graph_decoder.GraphDecoder(
      graph=graphs.parse(settings.graph).graph,
      str_tfm=widths['model.str_tfm'],
      level_blocks=tuple(settings.stage_blocks),
      **image,
    )
  return decoders.StructuralDecoder(
    num_stages=settings.num_stages or settings.num_variables,
    shared=settings.decoder == 'adaptive',
    str_tfm=widths['model.str_tfm'],
    unroll=settings.unroll,
    stage_blocks=tuple(settings.stage_blocks),
    **image,
  )


def init(
  config: Any,
  module: autoencoder.Autoencoder,
  key: jax.Array,
  image_shape: tuple[int, ...],
) -> dict[str, Any]:
  """The initial parameters, without running the model eagerly.

  Args:
    config: a checked configuration.
    module: its model.
    key: a PRNG key.
    image_shape: (H, W, C), or (X,) for feature vectors.

  Returns:
    Parameters of the `encoder`, the `decoder` and, for an objective that has
    one, the `critic`.
  """

  def start(key: jax.Array, images: jax.Array) -> dict[str, Any]:
    params = module.init(key, images)['params']
    if config.objective.name == 'factor_vae':
      codes = jnp.zeros((1, config.model.num_latents, 1))
      found = critic(config).init(jax.random.fold_in(key, 1), codes)
      params = {**params, 'critic': found['params']}
    return params

  images = jnp.zeros((1, *image_shape))
  # Runs once: optimizing it would take longer than it does.
  options: dict[str, Any] = {'xla_backend_optimization_level': 0}
  compiled = jax.jit(start).lower(key, images).compile(options)
  return compiled(key, images)


@functools.cache  # the same functions are compiled once, see `Codec`
def functions(
  module: autoencoder.Autoencoder,
) -> tuple[autoencoding.Encode, autoencoding.Decode]:
  """A model as two pure functions, `encode` and `decode`.

  Args:
    module: the model.

  Returns:
    `(params, images) -> Posterior` and `(params, codes) -> outputs`.
  """
  apply: Any = module.apply
  encode = lambda params, x: apply({'params': params}, x, method='encode')
  decode = lambda params, u: apply({'params': params}, u, method='decode')
  return encode, decode


def codec(config: Any, module: autoencoder.Autoencoder, params: Any) -> Codec:
  """The encoder and the decoder of a model over any number of examples.

  Args:
    config: a checked configuration.
    module: its model.
    params: parameters of the `encoder` and the `decoder`.
  """
  return Codec(
    *functions(module),
    params={half: params[half] for half in ('encoder', 'decoder')},
    likelihood=likelihood(config),
    batch_size=config.evaluation.batch_size,
  )


def critic(config: Any) -> critics.Critic:
  """FactorVAE's critic: maps codes `[B, K, D]` to logits `[B, 2]`."""
  return critics.Critic(
    tuple(config.objective.critic),
    precision=PRECISIONS[config.model.precision],
  )


def likelihood(config: Any) -> reconstruction.Likelihood:
  """The distribution of the data given the decoder's outputs."""
  if config.objective.likelihood == 'gaussian':
    return reconstruction.gaussian(config.objective.noise)
  return reconstruction.BERNOULLI
