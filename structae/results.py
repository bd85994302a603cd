"""What a run leaves behind: codes, scores, figures, the report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from structae import build, samples, score_inputs, workdir
from structae import config as config_lib
from structae.data import pipeline
from structae.doors import Trained
from structae.evaluation import codes as codes_lib
from structae.evaluation import registry, score_file
from structae.evaluation import score as scores
from structae.figures import run_figures as drawing
from structae.pages import report
from structae.training import stop as stop_lib


def write(
  run: Trained,
  folder: Path,
  splits: pipeline.Splits,
  say: Callable[[str], None],
  stopping: stop_lib.Stop,
) -> None:
  """Writes codes, scores, figures and the report of a trained run."""
  codes = {}
  for name, part in splits._asdict().items():
    num = run.config.evaluation[f'num_{name}']
    indices = pipeline.subset(part, num, seed=1)
    say(f'encoding {len(indices):,} {name} images')
    codes[name] = encode_split(run, name, indices)
    codes_lib.save(folder / 'codes' / f'{name}.npz', codes[name])
    stopping.check(f'stopped while encoding {name}; training is complete')
  key = jax.random.fold_in(jax.random.key(run.config.seed), 1)
  drawn = samples.draw(run, codes['train'].codes, key)
  # The saved codes are in the order of the data set, which is by factors.
  order = np.random.RandomState(1).permutation(len(codes['test'].codes))
  say('scoring')
  content = score(run, codes, drawn, order, say)
  score_file.save(folder / 'scores.json', content)
  stopping.check('stopped after scoring; training is complete')
  say('drawing')
  drawing.draw(folder, run, codes, order, drawn, content, key)
  report.write_report(folder)
  say(workdir.table(folder))


def score(
  run: Trained,
  codes: dict[str, codes_lib.Codes],
  drawn: samples.Samples,
  order: np.ndarray,
  say: Callable[[str], None],
) -> dict[str, Any]:
  """What `scores.json` of a run holds: the scores that its config asks for."""
  config = run.config
  width = codes['train'].codes.shape[2]
  asked = registry.expand(config.evaluation.metrics, width)
  always = [
    name
    for name in registry.RUN_ALWAYS
    if name != 'scene_distance' or run.source.name == 'shapes3d_synth'
  ]
  kinds = {
    'hybrid': drawn.images,
    'hybrid_by_dimension': drawn.by_dimension,
    'prior': drawn.prior,
  }
  found = {kind: x for kind, x in kinds.items() if x is not None}
  inputs = score_inputs.of_run(run, codes, say, samples=found, order=order)
  content = scores.score([*always, *asked], inputs)
  return {
    **content,
    'data': run.source.name,
    'step': config.train.num_steps,
    'config_hash': config_lib.config_hash(config),
    'versions': {**workdir.versions(), **content['versions']},
  }


def encode_split(
  run: Trained, name: str, indices: np.ndarray
) -> codes_lib.Codes:
  """Encodes the images of one part of the data.

  Codes are posterior means: metrics then judge what the encoder says of an
  example and not its noise, as in the papers compared with, and hybrid samples
  recombine what the decoder reconstructs from. The log variances are saved
  beside them, so samples of the posterior can be drawn later.
  """
  config, source = run.config, run.source
  posterior = run.doors.encode(run.params, indices)
  return codes_lib.Codes(
    codes=posterior.mean,
    log_var=posterior.log_var,
    factors=source.factors(indices),
    factor_names=source.factor_names,
    factor_sizes=source.factor_sizes,
    indices=indices,
    meta={
      'data': source.name,
      'size': config.data.size,
      'split': name,
      'split_kind': config.data.split,
      'split_seed': config.data.split_seed,
      'hold_out': config.data.hold_out,
      'digests': build.digests(config, source),
      'model': config.model.to_dict(),
      'step': config.train.num_steps,
      'seed': config.seed,
      'config_hash': config_lib.config_hash(config),
      'versions': workdir.versions(),
    },
  )
