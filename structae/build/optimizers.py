"""From a checked config to its optimizer."""

from typing import Any

import jax
import optax


def optimizer(
  config: Any, rate: jax.typing.ArrayLike | None = None
) -> optax.GradientTransformation:
  """Adam with the learning rate of `config.train`; the critic has its own.

  The half of the model that `train.trainable` leaves out gets no updates and
  has no state. Moments are kept as one vector: parameter by parameter, Adam is
  a quarter of the kernels that a GPU launches for an update.

  Args:
    config: a checked configuration.
    rate: in place of `train.learning_rate`; a scalar of a program will do.

  Source: Kingma and Ba, https://arxiv.org/abs/1412.6980.
  """
  train = config.train
  peak = train.learning_rate if rate is None else rate
  adam = optax.flatten(optax.adam(schedule(train, peak)))
  has_critic = config.objective.name == 'factor_vae'
  if not has_critic and train.trainable == 'all':
    return adam
  groups = {'trained': adam}
  if train.trainable != 'all':
    groups['frozen'] = optax.set_to_zero()
  if has_critic:
    # Kim and Mnih, https://arxiv.org/abs/1802.05983, appendix A.
    critics = config.objective.critic_learning_rate
    groups['critic'] = optax.flatten(optax.adam(critics, 0.5, 0.9))

  def group(half: str) -> str:
    if half == 'critic':
      return 'critic'
    return 'trained' if train.trainable in ('all', half) else 'frozen'

  return optax.partition(groups, lambda params: {h: group(h) for h in params})


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
