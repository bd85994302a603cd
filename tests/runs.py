"""A run as initialized, called trained: for tests that need its folder."""

import jax
import numpy as np
import orbax.checkpoint as ocp

from structae import Model, Run, build, devices, results, trainer
from structae import config as config_lib

# Two variables of two numbers and a prior: every kind of sample there is.
TINY = {
  'model.num_variables': 2,
  'model.num_latents': 4,
  'model.num_blocks': 4,
  'model.width': 4,
  'model.head': (4,),
  'model.str_tfm': (4,),
  'objective.name': 'wae',
  'evaluation.batch_size': 4,
  'evaluation.pool_size': 8,
}


def make(folder, *steps, **num_codes):
  """Makes a run of checkpoints at some steps, and codes of some parts.

  Args:
    folder: where to.
    *steps: the steps; the last is the run's.
    **num_codes: examples to encode, by part.

  Returns:
    The run, its model with stored codes, and its data.
  """
  run, config = Run(folder), config_lib.get_config('sae12', 'smoke')
  config_lib.update(config, TINY)
  source = build.source(config)
  run.begin('sae2', config, build.digests(config, source))
  splits, module = build.split(config, source), build.model(config, 3)
  state = trainer.prepare(
    config, source, splits.train, module, devices.data_mesh()
  ).state
  checkpoints = run.checkpoints()
  for step in steps:
    # Told apart by the start of the decoder.
    start = state.params['decoder']['start'] * 0 + step
    decoder = state.params['decoder'] | {'start': start}
    state = state._replace(
      step=jax.numpy.full_like(state.step, step),
      params=state.params | {'decoder': decoder},
    )
    checkpoints.save(step, state)
  checkpoints.wait()
  model = Model(config, state.params)
  for part, num in num_codes.items():
    indices = getattr(splits, part)[:num]
    codes = results.encode_split(model, source, part, indices)
    run.save_codes(part, codes)
  train = run.codes('train').codes
  model, _ = results.draw(model, train, jax.random.key(0))
  run.save_pool(model.pool, steps[-1])
  return run, model, source


def newest_state(folder):
  """The newest checkpoint of a run's folder, wherever saved, in numpy."""
  newest = max((folder / 'checkpoints').iterdir()).absolute()
  numpy = ocp.RestoreArgs(restore_type=np.ndarray)
  with ocp.PyTreeCheckpointer() as reader:
    held = reader.metadata(newest).item_metadata.tree
    args = jax.tree.map(lambda _: numpy, held)
    asked = ocp.args.PyTreeRestore(restore_args=args)
    return reader.restore(newest, args=asked)
