"""From a checked config to a model, its objective and its optimizer."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from structae import config as config_lib
from structae.codec import Codec
from structae.config import graphs
from structae.data import catalog, hold_out, labels, sources, splits
from structae.data import pairs as data_pairs
from structae.models import (
  autoencoder,
  decoders,
  encoders,
  graph_decoder,
  ladder,
)
from structae.models import critic as critics
from structae.nn.backbone import Backbone
from structae.objectives import (
  adversarial,
  autoencoding,
  consistency,
  divergences,
  moments,
  pairs,
  reconstruction,
  supervision,
)

# What jax calls the precisions of `model.precision`.
PRECISIONS = {'float32': 'float32', 'tf32': 'tensorfloat32'}


def source(config: Any) -> sources.Source:
  """Opens the data set of `config.data`, and prepares it where it must be.

  Args:
    config: a checked configuration.

  Raises:
    ConfigError: if its files are missing, damaged or of another form.
  """
  data = config.data
  crop = int(data.crop) if data.crop.isdecimal() else data.crop or None
  try:
    return sources.load(
      data.name,
      data.size,
      data.path,
      storage=data.storage,
      crop=crop,
      verify=data.verify,
      skip_corrupt=data.skip_corrupt,
    )
  except (ValueError, OSError) as error:
    raise config_lib.ConfigError(' '.join(str(error).split())) from error


def split(config: Any, images: sources.Source) -> splits.Splits:
  """The images that train, validate and test.

  Args:
    config: a checked configuration.
    images: its data set.

  Raises:
    ConfigError: if there is no such split of this set, a part is empty, or
      the objective needs more images to train on.
  """
  data = config.data
  try:
    parts = splits.split(
      images.size, data.split_seed, data.split, images.extras.get('partition')
    )
  except ValueError as error:
    raise config_lib.ConfigError(f'data.split: {error}') from error
  whole = parts
  if data.hold_out != 'none':
    parts, _ = splits.hold_out(
      parts, images.factors, images.factor_names, held_out(config, images)
    )
    if all(len(a) == len(b) for a, b in zip(parts, whole)):
      raise config_lib.ConfigError(
        f'data.hold_out is {data.hold_out}, which no image of {images.name} '
        'shows; hold out what some show'
      )
  for name, part in parts._asdict().items():
    if not len(part):
      without = f' without {data.hold_out}' * (data.hold_out != 'none')
      raise config_lib.ConfigError(
        f'{images.name} has {images.size} images, of which the {data.split} '
        f'split{without} leaves none for {name}; 10 are always enough'
        + ', or hold out less'
        * bool(without)
      )
  batch_size, num = config.train.batch_size, len(parts.train)
  if config.objective.name == 'beta_tcvae' and batch_size > num:
    raise config_lib.ConfigError(
      f'train.batch_size is {batch_size}; beta_tcvae, which weighs a batch '
      f'against all training images, takes {num} at most, as many as there are'
    )
  return parts


def held_out(config: Any, images: sources.Source) -> dict[str, tuple[int, ...]]:
  """The factor values that no image shows, see `hold_out.parse`.

  Args:
    config: a checked configuration that holds something out.
    images: its data set.

  Raises:
    ConfigError: on a factor or a value that the set does not have.
  """
  factors = catalog.get(config.data.name).factors or hold_out.unnamed(
    images.factor_names, images.factor_sizes
  )
  try:
    return hold_out.parse(config.data.hold_out, factors)
  except ValueError as error:
    raise config_lib.ConfigError(f'data.hold_out: {error}') from error


def digests(config: Any, images: sources.Source) -> dict[str, str]:
  """What a run is trained on, in checksums.

  Returns:
    'data': of the images, factors and extras, '' if they are made here;
    'train': of the numbers of the training images.
  """
  train = split(config, images).train
  return {'data': images.digest, 'train': splits.digest(train)}


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


def images_per_update(config: Any) -> int:
  """How many images the loss is given: the batch, and the critic's own."""
  batches = 2 if config.objective.name == 'factor_vae' else 1
  return batches * config.train.batch_size


def loss(
  config: Any, module: autoencoder.Autoencoder, num_examples: int
) -> autoencoding.Loss:
  """The training loss of `config.objective`: `loss(params, images, key)`.

  Args:
    config: a checked configuration.
    module: its model.
    num_examples: the number of training images.

  Returns:
    The loss, which takes `images_per_update` images.
  """
  encode, decode = functions(module)
  # Of pairs, what the two share is averaged before it is decoded.
  of_batch = pairs.averaging(encode) if config.labels.pairs else encode
  plain = _plain_loss(config, of_batch, decode, num_examples)
  consistent = consistency.hybrid_consistency(
    plain, encode, decode, config.objective.consistency, likelihood(config)
  )
  if not has_labels(config):
    return consistent
  return supervision.supervised(
    consistent, encode, pairings(config), config.labels.weight
  )


def has_labels(config: Any) -> bool:
  """Whether the loss sees the factors of any example."""
  return bool(config.labels.weight and config.labels.fraction)


def pairings(config: Any) -> list[supervision.Pairing]:
  """Which variable is to show which factor."""
  data_set = catalog.get(config.data.name)
  names, sizes = data_set.factor_names, data_set.factor_sizes
  factors = config.labels.factors or [
    name for name in names if name not in data_set.constant_factors
  ]
  variables = config.labels.variables or range(1, len(factors) + 1)
  return [
    supervision.Pairing(k - 1, names.index(name), sizes[names.index(name)])
    for k, name in zip(variables, factors)
  ]


def labelled(
  config: Any, images: sources.Source, part: np.ndarray
) -> sources.Source:
  """The source of training batches: with pairs or labels that a loss asks for.

  Args:
    config: a checked configuration.
    images: the data set.
    part: the numbers of the training images.

  Raises:
    ConfigError: if the images stay on the host.
  """
  settings, seed = config.labels, config.data.split_seed
  try:
    if settings.pairs:
      images = data_pairs.with_pairs(images, part, settings.pairs, config.seed)
    if has_labels(config):
      known = labels.choose(part, settings.fraction, seed)
      images = labels.with_labels(images, known)
  except ValueError as error:
    raise config_lib.ConfigError(str(error)) from error
  return images


def _plain_loss(
  config: Any,
  encode: autoencoding.Encode,
  decode: autoencoding.Decode,
  num_examples: int,
) -> autoencoding.Loss:
  """The loss that `objective.name` names, without further terms."""
  settings = config.objective
  kl = divergences.released_kl if settings.released else divergences.kl
  mmd = divergences.released_mmd if settings.released else divergences.mmd
  if settings.name == 'factor_vae':
    discriminate: Any = critic(config).apply
    return adversarial.factor_vae(
      encode,
      decode,
      lambda params, u: discriminate({'params': params['critic']}, u),
      gamma=settings.gamma,
      divergence=kl,
      likelihood=likelihood(config),
    )
  if settings.name == 'annealed_vae':
    return autoencoding.annealed(
      encode,
      decode,
      gamma=settings.annealed_weight,
      capacity=settings.capacity,
      num_steps=settings.capacity_steps,
      divergence=kl,
      likelihood=likelihood(config),
    )
  dip = functools.partial(
    moments.dip_penalty, settings.dip_covariance, settings.dip_variance
  )
  penalties = {
    'autoencoding': lambda: None,
    'beta_vae': lambda: autoencoding.kl_penalty(settings.beta, kl),
    'wae': lambda: autoencoding.mmd_penalty(settings.mmd_weight, mmd),
    'beta_tcvae': lambda: autoencoding.dependence_penalty(
      settings.beta_tc, num_examples, settings.tc_estimator
    ),
    'dip_vae_i': lambda: dip(of_samples=False),
    'dip_vae_ii': lambda: dip(of_samples=True),
  }
  penalty = penalties[settings.name]()
  return autoencoding.autoencoding(encode, decode, penalty, likelihood(config))


def schedule(train: Any, rate: jax.typing.ArrayLike) -> optax.Schedule:
  """The learning rate by the step.

  Args:
    train: the section `train` of a configuration.
    rate: its peak, which a linear rise leads to.
  """
  warmup = optax.linear_schedule(
    0.0 if train.warmup_steps else rate, rate, train.warmup_steps
  )
  if train.schedule == 'constant':
    return warmup  # which stays where it ends
  decay = optax.cosine_decay_schedule(
    rate, train.num_steps - train.warmup_steps
  )
  return optax.join_schedules([warmup, decay], [train.warmup_steps])


def optimizer(
  config: Any, rate: jax.typing.ArrayLike | None = None
) -> optax.GradientTransformation:
  """Adam with the learning rate of `config.train`; the critic has its own.

  The half of the model that `train.trainable` leaves out gets no updates and
  has no state.

  Args:
    config: a checked configuration.
    rate: in place of `train.learning_rate`; a scalar of a program will do.

  Source: Kingma and Ba, https://arxiv.org/abs/1412.6980.
  """
  train = config.train
  peak = train.learning_rate if rate is None else rate
  groups = {
    'trained': optax.adam(schedule(train, peak)),
    'frozen': optax.set_to_zero(),
    # Kim and Mnih, https://arxiv.org/abs/1802.05983, appendix A.
    'critic': optax.adam(config.objective.critic_learning_rate, 0.5, 0.9),
  }

  def group(half: str) -> str:
    if half == 'critic':
      return 'critic'
    return 'trained' if train.trainable in ('all', half) else 'frozen'

  if config.objective.name != 'factor_vae' and train.trainable == 'all':
    return groups['trained']
  return optax.partition(groups, lambda params: {h: group(h) for h in params})
