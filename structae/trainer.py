"""One run from its configuration to its report."""

import contextlib
import hashlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from clu import parameter_overview
from jax.sharding import Mesh

from structae import build, cluster, devices, processes, results
from structae import config as config_lib
from structae import keys as keys_lib
from structae.codec import Codec
from structae.config import ConfigError
from structae.data import pipeline, sources
from structae.data import splits as splits_lib
from structae.data.selection import Selection
from structae.model import Model
from structae.run import CannotSave, Run, check_start
from structae.training import checkpoint, hooks, loop, progress, step, writers
from structae.training import stop as stop_lib

# More than this many updates per call gain nothing on an accelerator.
MOST_STEPS_PER_DISPATCH = 50
# With fewer images, a device mostly waits for launches and for the others.
_FEW_IMAGES = 32
_FEW_BATCHES = 20  # in the whole set
STOPPING = 'stopping once the state is saved (again: at once)'
_GO_ON = (
  'once that is mended, the same command goes on from the last checkpoint'
)


def train(
  config: Any, workdir: str | Path | None = None, **overrides: Any
) -> Model:
  """Trains a model, to codes, scores, figures and a report in a folder.

  The same call goes on with a run that was stopped, and opens a finished one.

  Args:
    config: the name of a model with tokens, such as 'sae12:quick', or a
      configuration, see `structae.config.get_config`.
    workdir: the folder of the run, `runs/NAME-DATA-SCALE-HASH` by default.
    **overrides: fields of the configuration by their names, dotted
      (`**{'train.num_steps': 100}`) or their last part where it is the only one
      (`num_steps=100`).

  Returns:
    The trained model.

  Raises:
    ValueError: one line that names what is wrong with the configuration, the
      data or the folder.
    FloatingPointError: if the loss is no longer a number; the last good state
      is kept.
    RuntimeError: if the folder takes no more, as on a full disk.
    training.stop.Interrupted: if asked to stop, once the state is saved.
  """
  name = 'model'
  if isinstance(config, str):
    name, _, tokens = config.partition(':')
    config = config_lib.get_config(name, tokens)
  config = config.copy_and_resolve_references()
  for field, value in overrides.items():
    config_lib.change(config, config_lib.full_name(field), value)
  config_lib.check(config)
  if config.train.num_runs > 1:
    raise ConfigError(
      f'train.num_runs is {config.train.num_runs}; several seeds at once are '
      'trained by the command `structae train`'
    )
  config_lib.update(config, config_lib.written_out(config))
  run = Run.choose(Path(workdir) if workdir else None, name, config)
  run.check(config)
  check_start(config)
  if run.is_complete(config):
    return run.model()
  if processes.several():
    raise ConfigError(
      f'this is one of {jax.process_count()} processes, which train together '
      'through the command `structae train`'
    )
  model = make(run, name, config)
  assert model is not None
  return model


def make(run: Run, name: str, config: Any, hint: str = '') -> Model | None:
  """Makes a run, or goes on with it, to the end.

  Of several processes all train, and the first alone does the rest.

  Args:
    run: its folder, which has been checked.
    name: of the model.
    config: a checked configuration.
    hint: what to run instead where this one would take days.

  Returns:
    The trained model; None in a process other than the first.

  Raises:
    ConfigError: if data, devices or checkpoints cannot be used.
    CannotSave: if the folder takes no more, as on a full disk.
    step.NotFinite: if the loss is no longer a number.
    stop.Interrupted: if asked to stop, once the state is saved.
    processes.Told: of several, if one cannot go on.
    processes.Lost: of several, if one has ended.
  """
  devices.check()
  source, digests = processes.agree(lambda: _open(config))
  processes.same({'data': digests, 'data.storage': source.storage})

  def begin() -> None:
    run.sweep()
    run.begin(name, config, digests)

  with contextlib.ExitStack() as held:
    processes.lead(lambda: _hold(held, run))
    with one_line(run), stop_lib.Stop(STOPPING) as stopping:
      processes.check_shared(run.folder)
      processes.lead(begin)
      state = _train(run, config, source, stopping, hint)
      if not cluster.part():
        return None
      model = trained(run, config, state)
      run.begin(name, config, digests)  # again, lest it was removed meanwhile
      model = results.write(run, model, sources.near(source), stopping)
      run.complete(config)
  return model


def _hold(held: contextlib.ExitStack, run: Run) -> None:
  held.enter_context(run.locked())


def _open(config: Any) -> tuple[sources.Source, dict[str, str]]:
  """The data and their digests, prepared where they must be."""
  _check_divides(config, 'train.batch_size')
  try:
    source = build.source(config)
  except KeyboardInterrupt as error:
    raise stop_lib.Interrupted('stopped while preparing the data') from error
  if source.storage == 'sharded':
    _check_divides(config, 'evaluation.batch_size')
  return source, build.digests(config, source)


@contextlib.contextmanager
def one_line(run: Run) -> Iterator[None]:
  """Turns what a disk or a checkpoint of a run raises into one line."""
  try:
    yield
  except checkpoint.SaveError as error:
    raise CannotSave(f'{error}; {_GO_ON}') from error
  except checkpoint.CheckpointError as error:
    raise ConfigError(str(error)) from error
  except OSError as error:
    raise CannotSave(
      f'{error.filename or run.folder}: {error.strerror or error}; {_GO_ON}'
    ) from error


def _check_divides(config: Any, field: str) -> None:
  batch, num = config_lib.flat(config)[field], jax.device_count()
  if batch % num:
    raise ConfigError(
      f'{field} is {batch}, not a multiple of the {num} devices'
    )


def _train(
  run: Run,
  config: Any,
  source: sources.Source,
  stopping: stop_lib.Stop,
  hint: str,
) -> step.TrainState:
  """Trains, or goes on, to the last update."""
  show = progress.Progress(config.train.batch_size, hint)
  mesh, splits = devices.data_mesh(), build.split(config, source)
  module = build.model(config, source.image_shape[-1])
  ready = prepare(config, source, splits.train, module, mesh)
  # Two checkpoints are kept while the next is written.
  num_bytes = sum(x.nbytes for x in jax.tree.leaves(ready.state))
  processes.lead(lambda: run.check_space(3 * num_bytes))
  _describe(run, source, splits, ready.state.params, config, show)
  state = _from_start(config, ready.state)
  processes.same({'initial parameters': _digest(state.params)})
  codec = build.codec(config, module, state.params)
  held_out = Selection(
    sources.near(source),
    pipeline.subset(splits.validation, config.train.num_validation, seed=0),
  )

  validate = validation(codec, held_out)
  num_images = build.images_per_update(config)

  def open_metrics(now: int) -> writers.Metrics:
    return run.metrics(now, num_images, hooks.load(config.train.hook))

  with contextlib.closing(ready.batches):
    return loop.train(
      state,
      ready.updates,
      ready.batches,
      checkpoints=run.checkpoints(),
      open_metrics=open_metrics,
      settings=config.train,
      validate=validate,
      show=show,
      stopping=stopping,
    )


def validation(
  codec: Codec, held_out: Selection
) -> Callable[[Any], dict[str, float]]:
  """A function `params -> named values`, over images that do not train.

  Args:
    codec: the encoder and the decoder; its parameters do not matter.
    held_out: the images.
  """

  def validate(params: Any) -> dict[str, float]:
    halves = {half: params[half] for half in codec.params}
    errors = codec.with_params(devices.local(halves)).errors(held_out)
    return {f'validation_{k}': float(errors[k].mean()) for k in ('loss', 'mse')}

  return validate


def _digest(params: Any) -> str:
  """A sha256 that tells parameters apart; '' where there is nobody to ask."""
  if not processes.several():
    return ''
  sha256 = hashlib.sha256()
  for x in jax.tree.leaves(params):
    sha256.update(np.asarray(x).tobytes())
  return sha256.hexdigest()


def trained(run: Run, config: Any, state: step.TrainState) -> Model:
  """The model that a run has trained, without stored codes."""
  about = {key: run.content[key] for key in
           ('name', 'config_hash', 'digests', 'versions')}  # fmt: skip
  params = devices.local(state.params)
  return Model(config, params, None, about | {'step': int(state.step)})


def start(
  config: Any, source: sources.Source, part: np.ndarray, mesh: Mesh
) -> step.TrainState:
  """The state of a run before its first update, on the devices of a mesh."""
  module = build.model(config, source.image_shape[-1])
  ready = prepare(config, source, part, module, mesh)
  ready.batches.close()
  return _from_start(config, ready.state)


def _from_start(config: Any, state: step.TrainState) -> step.TrainState:
  """The state with the parameters of the run that it starts from, if any."""
  if not config.train.init_from:
    return state
  start = processes.agree(Run(Path(config.train.init_from)).model)
  return state._replace(params=_placed(start.params, state.params))


def _placed(start: Any, params: Any) -> Any:
  """Parameters to start from, with those they lack, placed as these are."""
  whole = {**params, **start}
  return jax.tree.map(lambda x, at: devices.put(x, at.sharding), whole, params)


class Ready(NamedTuple):
  """What the training loop needs.

  Attributes:
    state: before the first update.
    updates: by their number of steps.
    batches: what updates draw from.
  """

  state: step.TrainState
  updates: dict[int, loop.Update]
  batches: pipeline.Batches


def prepare(
  config: Any, source: sources.Source, part: np.ndarray, module: Any, mesh: Mesh
) -> Ready:
  """Makes what the loop needs.

  Args:
    config: a checked configuration.
    source: the images.
    part: the numbers of those to train on.
    module: the autoencoder.
    mesh: the devices.
  """
  keys = keys_lib.of_seed(config.seed)
  loss = build.loss(config, module, len(part))
  optimizer = build.optimizer(config)
  params = build.init(config, module, keys.init, source.image_shape)
  num_images = build.images_per_update(config)
  whole = build.labelled(config, source, part)
  draw = pipeline.DRAWS[config.train.order]
  batches = pipeline.make_batches(
    whole, part, keys.batches, num_images, mesh, draw
  )
  images = jax.ShapeDtypeStruct(
    (num_images, *source.image_shape),
    jnp.uint8 if len(source.image_shape) == 3 else jnp.float32,
  )
  if whole is not source:
    numbers = jax.ShapeDtypeStruct((num_images,), jnp.int32)
    images = jax.eval_shape(whole.images, whole.arrays, numbers)
  state = step.init_state(params, optimizer, loss, images, mesh)
  updates = {
    n: step.make_step(loss, optimizer, batches.images, keys.noise, mesh, n)
    for n in sorted({1, steps_per_dispatch(config)})
  }
  return Ready(state, updates, batches)


def steps_per_dispatch(config: Any) -> int:
  """How many updates a call of the device makes: one on a CPU."""
  train = config.train
  if train.steps_per_dispatch:
    return train.steps_per_dispatch
  if jax.default_backend() == 'cpu':
    return 1
  common = math.gcd(train.log_every, train.num_steps)
  return max(
    n for n in range(1, MOST_STEPS_PER_DISPATCH + 1) if common % n == 0
  )


def list_parameters(run: Run, params: Any) -> None:
  """Writes names, shapes and sizes into the folder of a run."""
  table = parameter_overview.get_parameter_overview(params, include_stats=False)
  run.save_parameters(table)


def _describe(
  run: Run,
  source: sources.Source,
  splits: splits_lib.Splits,
  params: Any,
  config: Any,
  show: progress.Progress,
) -> None:
  """Prints what is trained, on what, a line each; the parameters in a file."""
  device, num_devices = jax.devices()[0], jax.device_count()
  batch_size = config.train.batch_size
  sizes = ', '.join(
    f'{len(part):,} {name}' for name, part in splits._asdict().items()
  )
  shape = 'x'.join(map(str, source.image_shape))
  processes.lead(lambda: list_parameters(run, params))
  num = sum(x.size for x in jax.tree.leaves(params))
  show.log(f'model: {num:,} parameters, listed in {run.parameters}')
  show.log(f'device: {num_devices} x {device.device_kind}')
  if num_devices > 1 and batch_size // num_devices < _FEW_IMAGES:
    show.log(
      f'{batch_size // num_devices} images per device and update: as many runs '
      'as devices, at once, use them better (docs/distributed.md)'
    )
  show.log(f'data: {source.name}, {shape}, {sizes}')
  if len(splits.train) < _FEW_BATCHES * batch_size:
    show.log(
      f'{len(splits.train)} images to train on are fewer than {_FEW_BATCHES} '
      f'batches of {batch_size} (train.batch_size): expect them to be learned '
      'by heart'
    )
