"""From a checked config to its optimizer."""

from typing import Any

import jax
import optax


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
