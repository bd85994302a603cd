"""Scores saved codes: no model and no accelerator needed, but for images.

structae evaluate --workdir=DIR [--metrics=NAME,...]
structae evaluate --codes=FILE [--test_codes=FILE] [--output=FILE]
structae evaluate --images_a=REAL --images_b=OTHERS [--output=FILE]

The metrics fid, kid and precision_recall compare images: those of a run, made
by its checkpoint, or anybody's, a folder of pictures or an .npy or .npz file.
variable_effect, order, scene_break and fid_break ask the checkpoint and the
data of a run; the last two say which variable breaks hybrids.

--points=full scores the paper's 10,000 + 5,000 points, drawn from all saved
codes together: those of the whole data set at the paper's scale, where it is
the default, and of the few that are saved at a smaller one. --seed draws other
points, held-out rows and batches; --repeats=N tells a score's own spread.

Prints a table, and adds the scores to those that scores.json holds of the same
codes: in the folder of the run, else in the current one.
"""

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from structae import streams, versions
from structae.commands.parser import Parser, at_least, check_parent, run
from structae.config import ConfigError
from structae.evaluation import codes as saved
from structae.evaluation import inputs as inputs_lib
from structae.evaluation import registry, score_file
from structae.evaluation import score as runner
from structae.figures import matrices
from structae.pages import findings
from structae.run import Run

# Which flags give what a metric needs besides codes.
_FLAGS = {
  'images': '--workdir=DIR, or --images_a and --images_b',
  'decoder': '--workdir=DIR',
}
# Which flags go with which input.
_GOES_WITH = {
  'test_codes': ('codes',),
  'points': ('workdir', 'codes'),
  'seed': ('workdir', 'codes'),
  'repeats': ('workdir', 'codes'),
  'inception': ('workdir', 'images_a'),
  'download': ('workdir', 'images_a'),
  'num_images': ('workdir', 'images_a'),
}


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  arguments = _arguments(argv)
  with warnings.catch_warnings():
    show = warnings.showwarning
    warnings.showwarning = lambda message, category, *rest: (
      streams.note(f'warning: {message}')
      if category is UserWarning
      else show(message, category, *rest)
    )
    return run(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> None:
  arguments.points = _points(arguments)
  asked = arguments.metrics.split(',') if arguments.metrics else None
  registry.check_names(asked or [])
  folder = arguments.workdir or Path()
  output = arguments.output or folder / 'scores.json'
  if arguments.images_a is not None:
    _check_output(output, {})
    content = _score_images(arguments, asked or ['fid'])
  else:
    parts = _parts(arguments)
    _check_output(output, parts['train'].meta)
    content = _score_codes(arguments, asked, parts)
  merged, line = score_file.merge(output, content)
  if line and arguments.output is None and arguments.workdir is None:
    print(score_file.table(content, streams.columns()))
    raise ConfigError(
      f'{output} holds scores of other codes; move it away, or give another '
      'file as --output'
    )
  if line:
    streams.note(line)
  score_file.save(output, merged)
  print(score_file.table(merged, streams.columns()))
  if sentence := findings.places(merged):
    print(streams.letters(sentence))
  print(f'written to {output}')
  for path in _draw(arguments, output, merged):
    print(f'drawn: {path}')


def _check_output(output: Path, meta: dict[str, Any]) -> None:
  """Refuses, before hours of scoring, a file that will not take the scores."""
  if output.is_dir():
    raise ConfigError(f'{output} is a folder; give a file as --output')
  check_parent(output)
  nothing: dict[str, Any] = {key: {} for key in score_file.PARTS}
  score_file.merge(output, {**nothing, 'codes': {'meta': meta}, 'versions': {}})


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
  parser = Parser('structae evaluate', __doc__)
  parser.epilog = f'metrics: {", ".join(registry.NAMES)}'
  parser.add_argument('--workdir', type=Path, help='the folder of a run')
  parser.add_argument('--codes', type=Path, help='an .npz file of codes')
  parser.add_argument('--test_codes', type=Path, help='one that was held out')
  parser.add_argument('--images_a', type=Path, help='real images')
  parser.add_argument('--images_b', type=Path, help='images to compare')
  parser.add_argument('--metrics', help='names, separated by commas')
  parser.add_argument(
    '--output', type=Path, help='the JSON file to write [scores.json]'
  )
  parser.add_argument(
    '--points',
    choices=('split', 'full'),
    help='score the parts as they are, or points drawn from all of them '
    "[a run's evaluation.points, else split]",
  )
  parser.add_argument(
    '--seed', type=at_least(0), help='of draws of metrics of codes [0]'
  )
  parser.add_argument(
    '--repeats',
    type=at_least(1),
    help='score by so many seeds, and add mean and deviation [1]',
  )
  parser.add_argument(
    '--inception', type=Path, help='the weight file: .pth, .npz, .safetensors'
  )
  parser.add_argument(
    '--download', action='store_true', help='fetch the published weights'
  )
  parser.add_argument(
    '--num_images',
    type=at_least(2),
    help="images of each set in place of the run's",
  )
  arguments = parser.parse_args(argv)
  if (arguments.images_a is None) != (arguments.images_b is None):
    parser.error('--images_a and --images_b go together.')
  kinds = ('workdir', 'codes', 'images_a')
  given = [kind for kind in kinds if getattr(arguments, kind) is not None]
  if len(given) != 1:
    parser.error(
      'give either --workdir=DIR or --codes=FILE, or --images_a and --images_b.'
    )
  for name, takers in _GOES_WITH.items():
    if getattr(arguments, name) and given[0] not in takers:
      parser.error(f'--{name} goes with --{" or --".join(takers)}')
  return arguments


def _points(arguments: argparse.Namespace) -> str:
  """What is scored: as it is asked for, or as the run is configured."""
  if arguments.points or arguments.workdir is None:
    return arguments.points or 'split'
  scored = Run(arguments.workdir)
  known = (scored.folder / 'config.json').is_file()
  return (known and scored.field('evaluation.points')) or 'split'


def _score_codes(
  arguments: argparse.Namespace,
  asked: list[str] | None,
  parts: dict[str, saved.Codes],
) -> dict[str, Any]:
  """Scores of codes and, where they are asked for, of the run they are of."""
  metrics = registry.expand(asked or ['all'], parts['train'].codes.shape[2])
  of_codes = [name for name in metrics if name in registry.METRICS]
  of_run = [name for name in metrics if name not in of_codes]
  if asked is None or (arguments.workdir is None and 'all' in asked):
    of_run = []
  elif arguments.workdir is None:
    _check_needs(of_run, inputs_lib.Inputs(parts['train']))
  find = lambda: _weights(arguments)
  of_images = [
    name for name in of_run if 'images' in registry.of_metric(name)[0].needs
  ]
  if of_images and (arguments.inception or arguments.download):
    weights = find()  # asked for by name: it must be there
    find = lambda: weights
  content = runner.score_codes(
    parts['train'],
    parts.get('test'),
    of_codes,
    validation=parts.get('validation'),
    points=arguments.points,
    seed=arguments.seed or 0,
    repeats=arguments.repeats or 1,
  )
  for name in content['codes']['dropped_factors']:
    streams.note(f'factor {name} is constant and was left out.')
  for line in score_file.missing(content):
    streams.note(line)
  if of_run:
    found = _score_run(arguments, parts, of_run, find)
    for part in score_file.PARTS:
      content[part] |= found[part]
    content['versions'] |= versions.installed(versions.TRAINING)
  return content


def _check_needs(metrics: Sequence[str], inputs: inputs_lib.Inputs) -> None:
  """Refuses metrics that need more than codes."""
  for name in metrics:
    need = inputs_lib.unmet(name, inputs)
    flags = _FLAGS['images' if need == 'images' else 'decoder']
    raise ConfigError(f'{name}: {registry.NEEDS[need][:-1]}; give {flags}')


def _score_run(
  arguments: argparse.Namespace,
  parts: dict[str, saved.Codes],
  metrics: Sequence[str],
  find_weights: Callable[[], Any],
) -> dict[str, Any]:
  """Scores of what the checkpoint of a run decodes."""
  from structae import score_inputs  # which imports jax

  scored = Run(arguments.workdir)
  with scored.locked():
    model, source = scored.model(), scored.source()
  parts = {name: parts[name] for name in ('train', 'test')}
  score_inputs.check_codes(model, parts)
  inputs = score_inputs.of_model(
    model, source, parts, streams.note,
    num_images=arguments.num_images, find_weights=find_weights,
  )  # fmt: skip
  return runner.score(metrics, inputs)


def _weights(arguments: argparse.Namespace) -> Any:
  from structae.evaluation.images import weights as inception_weights

  return inception_weights.load_weights(
    arguments.inception, download=arguments.download
  )


def _score_images(
  arguments: argparse.Namespace, asked: list[str]
) -> dict[str, Any]:
  """Scores of anybody's images."""
  if not set(asked) <= {*registry.IMAGE_METRICS, 'all'}:
    raise ConfigError(
      f'images are scored by {", ".join(registry.IMAGE_METRICS)}, not by '
      f'{", ".join(asked)}.'
    )
  from structae import devices
  from structae.evaluation.images import compare

  devices.check()
  metrics = [
    name for name in registry.expand(asked, 1) if name in registry.IMAGE_METRICS
  ]
  paths = {'images_a': arguments.images_a, 'images_b': arguments.images_b}
  sets = compare.files(
    arguments.images_a, arguments.images_b, arguments.num_images
  )
  weights = _weights(arguments)
  sets = sets._replace(weights=lambda: weights)
  content = runner.score(metrics, inputs_lib.Inputs(image_sets=lambda: sets))
  runner.check_any(content)
  content['codes'] |= {name: str(path) for name, path in paths.items()}
  digests = {name: compare.digest(path) for name, path in paths.items()}
  content['codes']['sha256'] = digests
  content['versions'] |= versions.installed(versions.TRAINING)
  return content


def _parts(arguments: argparse.Namespace) -> dict[str, saved.Codes]:
  """The codes to score by the part they are."""
  if arguments.workdir is None:
    given = [file for file in (arguments.codes, arguments.test_codes) if file]
    return dict(zip(('train', 'test'), saved.load_parts(given)))
  scored = Run(arguments.workdir)
  names = [name for name in scored.parts if name != 'validation']
  if arguments.points == 'full':
    names = scored.parts
  return {name: scored.codes(name) for name in names or ['train']}


def _draw(
  arguments: argparse.Namespace, output: Path, content: dict[str, Any]
) -> list[Path]:
  """Matrices as pictures: in the run's folder, or beside the scores."""
  if arguments.workdir is not None:
    return matrices.draw(Run(arguments.workdir).figures, content['matrices'])
  return matrices.draw(output.parent, content['matrices'], f'{output.stem}_')
