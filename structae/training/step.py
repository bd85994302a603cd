"""One update: batch, loss, gradient, update; jitted with its shardings."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from structae import devices
from structae.objectives import autoencoding
from structae.objectives.autoencoding import Loss


class TrainState(NamedTuple):
  """Everything that an update changes.

  Attributes:
    step: the number of updates made, int32.
    params: the parameters.
    opt_state: the optimizer's state.
    totals: since the last row of metrics: sums of the loss and its terms,
      `num_steps`, and `first_bad`, the first step whose terms were not finite.
  """

  step: jax.Array
  params: Any
  opt_state: Any
  totals: dict[str, jax.Array]


class NotFinite(FloatingPointError):
  """A loss that is no longer a number; one line for the user."""


Batch = Callable[[Any, jax.Array], jax.Array]
NEVER = np.iinfo(np.int32).max


def init_state(
  params: Any,
  optimizer: optax.GradientTransformation,
  loss: Loss,
  images: jax.ShapeDtypeStruct,
  mesh: Mesh,
) -> TrainState:
  """The state before the first update.

  Args:
    params: the initial parameters.
    optimizer: makes its state from them.
    loss: has the names of its terms.
    images: shape and type of a batch.
    mesh: the devices.

  Returns:
    The state at step 0, on every device, as updates leave it: placed
    otherwise, the first update would be compiled for itself.
  """
  key = jax.eval_shape(lambda: jax.random.key(0))
  _, terms = jax.eval_shape(loss, params, images, key)
  state = TrainState(
    jnp.zeros((), jnp.int32), params, optimizer.init(params), _zeros(terms)
  )
  return devices.put(state, NamedSharding(mesh, P()))


def check_finite(state: TrainState) -> None:
  """Raises `NotFinite` if the loss was no number since the last row."""
  _means(jax.device_get(state.totals))


def take_means(state: TrainState) -> tuple[TrainState, dict[str, float]]:
  """Fetches the means since the last row, and starts the sums anew.

  Args:
    state: the state after at least one update.

  Returns:
    The state with sums of no steps, and the mean loss and terms.

  Raises:
    NotFinite: if the loss or a term was no number; names the step.
  """
  totals = jax.device_get(state.totals)
  means = _means(totals)
  # On the same devices as before, or the update would be compiled anew.
  fresh = devices.put(_zeros(means), state.totals['loss'].sharding)
  return state._replace(totals=fresh), means


def _means(totals: dict[str, Any]) -> dict[str, float]:
  sums = {
    k: v for k, v in totals.items() if k not in ('num_steps', 'first_bad')
  }
  if totals['first_bad'] != NEVER:
    bad = [name for name, total in sums.items() if not np.isfinite(total)]
    raise NotFinite(
      f'{" and ".join(bad) or "the loss"} is not finite at step '
      f'{totals["first_bad"]}; try a lower learning rate'
    )
  num_steps = max(totals['num_steps'], 1)
  return {name: float(total / num_steps) for name, total in sums.items()}


def _zeros(terms: dict[str, Any]) -> dict[str, jax.Array]:
  """Totals of no steps, for a loss of these terms."""
  return {name: jnp.zeros((), jnp.float32) for name in (*terms, 'loss')} | {
    'num_steps': jnp.zeros((), jnp.int32),
    'first_bad': jnp.full((), NEVER, jnp.int32),
  }


def make_step(
  loss: Loss,
  optimizer: optax.GradientTransformation,
  batch: Batch,
  key: jax.Array,
  mesh: Mesh,
  steps_per_dispatch: int = 1,
) -> Callable[[TrainState, Any], TrainState]:
  """Makes the compiled update of a model.

  Args:
    loss: `(params, images, key) -> (nats per example, terms)`.
    optimizer: turns gradients into updates.
    batch: `(data, step) -> images [B, H, W, C]`, drawn inside the step.
    key: the PRNG key of the loss's own noise.
    mesh: the devices; each gets its part of the batch.
    steps_per_dispatch: updates per call. More than one spares accelerators the
      round trip to the host; on CPUs a convolution inside a loop is many times
      slower.

  Returns:
    `step(state, data) -> state`; the old state is donated.
  """
  replicated = NamedSharding(mesh, P())
  across = NamedSharding(mesh, P('data'))

  def one(state: TrainState, data: Any) -> TrainState:
    images = batch(data, state.step)
    images = jax.lax.with_sharding_constraint(images, across)
    return update(loss, optimizer, state, images, key)

  def updates(state: TrainState, data: Any) -> TrainState:
    return repeated(one, state, data, steps_per_dispatch)

  return jax.jit(
    updates,
    in_shardings=(replicated, None),  # data comes placed
    out_shardings=replicated,
    donate_argnums=0,
  )


def update(
  loss: Loss,
  optimizer: optax.GradientTransformation,
  state: TrainState,
  images: jax.Array,
  key: jax.Array,
) -> TrainState:
  """The state after one more update; pure.

  Args:
    loss: see `make_step`; one that takes `step` is given the state's.
    optimizer: see `make_step`.
    state: the state before.
    images: `[B, H, W, C]`.
    key: the PRNG key of the noise of all steps.
  """
  noise = jax.random.fold_in(key, state.step)
  now = autoencoding.at(loss, state.step)
  (value, terms), gradients = jax.value_and_grad(now, has_aux=True)(
    state.params, images, noise
  )
  updates, opt_state = optimizer.update(
    gradients, state.opt_state, state.params
  )
  params = optax.apply_updates(state.params, updates)
  totals = _add(state.totals, {**terms, 'loss': value}, state.step)
  return TrainState(state.step + 1, params, opt_state, totals)


def repeated(
  one: Callable[[TrainState, Any], TrainState],
  state: TrainState,
  data: Any,
  num: int,
) -> TrainState:
  """The state after `num` updates, of which each is `one(state, data)`."""
  if num == 1:
    return one(state, data)
  return jax.lax.scan(lambda s, _: (one(s, data), None), state, length=num)[0]


def _add(
  totals: dict[str, jax.Array], terms: dict[str, jax.Array], step: jax.Array
) -> dict[str, jax.Array]:
  finite = jnp.isfinite(jnp.stack([*terms.values()])).all()
  first_bad = jnp.where(finite, NEVER, step)
  return {name: totals[name] + term for name, term in terms.items()} | {
    'num_steps': totals['num_steps'] + 1,
    'first_bad': jnp.minimum(totals['first_bad'], first_bad),
  }
