"""Scores every checkpoint of a run: how scores grow with the images seen.

  structae train sae12:hour --config.train.keep_checkpoints=0 --workdir=RUN
  python -m experiments.paper.over_training RUN [RUN ...] [--step=N]

Writes RUN/over_training.json and RUN/over_training.png. What was scored before
is not scored again, so that the same command follows a run that is still
training. With several runs of one configuration the picture, written beside the
first, has a line for each. With --step that checkpoint alone is scored, and
nothing is drawn.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from structae import files
from structae.commands import parser as parsing
from structae.config import ConfigError
from structae.evaluation import registry
from structae.run import Run

RESULT = 'over_training.json'
METRICS = ('mig', 'dci', 'pairwise_information')
# What is drawn, and whether on a log axis.
SHOWN = {
  'disentanglement': ('DCI disentanglement', False),
  'mig': ('MIG', False),
  'test_mse': ('test MSE', True),
  'scene_distance_hybrid': ('scene distance of hybrids', True),
}


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = parsing.Parser('python -m experiments.paper.over_training', __doc__)
  parser.add_argument(
    'runs', type=Path, nargs='+', metavar='RUN', help='the folder of a run'
  )
  parser.add_argument(
    '--step',
    type=parsing.at_least(1),
    metavar='N',
    help='score the checkpoint after N updates alone',
  )
  asked = parser.parse_args(argv)
  return parsing.run(lambda: _run(asked.runs, asked.step))


def _run(folders: Sequence[Path], step: int | None) -> None:
  for folder in folders:
    parsing.check_folder(folder)
    steps = Run(folder).saved_steps
    if step is not None and step not in steps:
      raise ConfigError(
        f'{folder} has no checkpoint of step {step}; there are '
        f'{", ".join(map(str, steps)) or "none"}'
      )
  if step is not None:
    for folder in folders:
      scored(Run(folder), [step])
    return
  curves = {folder.name: scored(Run(folder)) for folder in folders}
  path = folders[0] / 'over_training.png'
  draw(curves, path)
  print(f'picture: {path}')


def known(run: Run) -> dict[int, dict[str, float]]:
  """The scores of the checkpoints that were scored so far, by their updates."""
  path = run.folder / RESULT
  found = files.read_object(path) if path.is_file() else {}
  return {int(step): found[step] for step in sorted(found, key=int)}


def is_scored(run: Run, step: int) -> bool:
  """Whether a checkpoint has every score that is asked for."""
  names = {row.name for metric in METRICS for row in registry.of_metric(metric)}
  return names <= known(run).get(step, {}).keys()


def scored(
  run: Run, steps: Sequence[int] | None = None
) -> dict[int, dict[str, float]]:
  """Scores checkpoints of a run that were not scored before.

  Args:
    run: the run.
    steps: the updates of the checkpoints; by default all that are sound.

  Returns:
    The scores of all checkpoints by the number of images seen.
  """
  from structae import build

  if steps is None:
    steps = sorted(run.checkpoints().steps())
  source = build.source(run.config)
  for step in steps:
    if not is_scored(run, step):
      found = known(run) | {step: scores(run, source, step)}
      text = json.dumps(dict(sorted(found.items())), indent=1)
      files.write_text(run.folder / RESULT, f'{text}\n')
      print(f'{run.folder}: step {step:,}', flush=True)
  size = run.config.train.batch_size
  return {step * size: found for step, found in known(run).items()}


def scores(run: Run, source: Any, step: int) -> dict[str, float]:
  """The scores of one checkpoint, as a run of so many updates would have."""
  import dataclasses
  import warnings

  import jax

  from structae import build, keys, results
  from structae.data import pipeline

  with warnings.catch_warnings():  # of stored codes that are of another step
    warnings.simplefilter('ignore')
    model = run.model(step)
  config = model.config.copy_and_resolve_references()
  config.evaluation.metrics = METRICS
  model = dataclasses.replace(model, config=config, pool=None)
  codes = {}
  for name, part in build.split(config, source)._asdict().items():
    indices = pipeline.subset(part, config.evaluation[f'num_{name}'], seed=1)
    codes[name] = results.encode_split(model, source, name, indices)
  key = jax.random.split(keys.of_seed(config.seed).samples)[0]
  model, drawn = results.draw(model, codes['train'].codes, key)
  order = np.random.RandomState(1).permutation(len(codes['test'].codes))
  found = results.score(model, source, codes, drawn, order)['scores']
  return {
    name: entry['value']
    for name, entry in found.items()
    if entry.get('value') is not None
  }


def draw(
  curves: Mapping[str, Mapping[int, Mapping[str, float]]], path: Path
) -> None:
  """Draws a panel a score, a line a run, against the images seen."""
  from matplotlib.figure import Figure
  from matplotlib.ticker import LogLocator, NullFormatter

  from structae.figures import canvas

  def panels() -> Figure:
    figure = Figure(figsize=(7.2, 5.4))
    for i, (name, (title, log)) in enumerate(SHOWN.items()):
      axes = figure.add_subplot(2, 2, i + 1)
      for (run, points), colour in zip(
        curves.items(), canvas.cycle(len(curves))
      ):
        seen = [n for n, found in points.items() if name in found]
        values = [points[n][name] for n in seen]
        axes.plot(seen, values, 'o-', ms=3.5, color=colour, label=run)
      axes.set_title(title, loc='left', fontsize=10)
      if log:
        axes.set_yscale('log')
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(lambda y, _: f'{y:g}')
      axes.set_xlabel('images seen')
      axes.xaxis.set_major_formatter(lambda x, _: f'{x / 1e6:g} M')
      axes.grid()
      if i == 0 and len(curves) > 1:
        axes.legend()
    return figure

  canvas.save_figure(path, canvas.styled(panels)())


if __name__ == '__main__':
  sys.exit(main())
