"""Hybrids of groups of variables: what copying those that depend together does.

  python -m experiments.paper.grouped MODEL [--output=FOLDER]

MODEL is a run or a saved model, also one that comes with the package, on data
whose scenes are all known (shapes3d_synth). Its variables are parted into
fewer and fewer groups by what 10,000 codes of training images know of each
other, without any factor; see `structae.evaluation.dependent_groups`. Of each
number of groups 256 hybrids are drawn of the stored codes, a group at a time.

Writes FOLDER/grouped.json, by number of groups: `groups` (of each variable, the
number of its own), `scene_distance` to the nearest scene, `scene_diversity`,
`new`, the share of hybrids whose nearest scene is that of no stored code, and
`at_random`, the scene distance if variables are in groups of the same sizes at
random; and FOLDER/grouped.png, the same hybrids in all groups and in fewer.
FOLDER is the run itself, if none is given.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from structae import files
from structae.commands import parser as parsing
from structae.config import ConfigError
from structae.data import catalog

RESULT = 'grouped.json'
NUMBERS = (8, 6, 4, 2, 1)  # of groups, besides each variable for itself
NUM_CODES, NUM_SAMPLES = 10_000, 256
_NUM_SHUFFLES = 8  # of variables among groups of the same sizes
_NUM_SHOWN = 12  # of hybrids, in a row of the picture


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = parsing.Parser('python -m experiments.paper.grouped', __doc__)
  parser.add_argument('model', metavar='MODEL', help='a run or a saved model')
  parser.add_argument(
    '--output', type=Path, metavar='FOLDER', help='where to write; MODEL'
  )
  asked = parser.parse_args(argv)
  return parsing.run(lambda: _run(asked.model, asked.output))


def _run(name: str, output: Path | None) -> None:
  folder = output or Path(name)
  if not folder.is_dir():
    raise ConfigError(f'there is no folder {folder}; give one as --output')
  import numpy as np

  import structae
  from structae.figures import grids

  model = structae.load_pretrained(name)
  data = model.config.data.name
  if not catalog.get(data).scene_distance:
    raise ConfigError(f'{name} is of {data}, whose scenes are not all known')
  found, pictures = curve(model)
  content = {
    'name': model.about['name'],
    'config': model.config.to_dict(),
    'by_number': found,
  }
  files.write_text(folder / RESULT, json.dumps(content, indent=1) + '\n')
  rows = np.stack([some[:_NUM_SHOWN] for some in pictures.values()])
  sheet = grids.traversal_sheet(rows, [_named(num) for num in pictures])
  grids.save_png(folder / 'grouped.png', sheet)
  for num, row in found.items():
    print(
      f'{_named(num):>9}  distance {row["scene_distance"]:.4f}, at random '
      f'{row["at_random"]:.4f}  diversity {row["scene_diversity"]:.3f}  '
      f'new {row["new"]:.2f}  {row["groups"]}'
    )
  print(f'written to {folder / RESULT}')


def _named(number: int) -> str:
  return f'{number} group{"s" * (number > 1)}'


def curve(model: Any) -> tuple[dict[int, dict[str, Any]], dict[int, Any]]:
  """Scores of hybrids, and some of their images, by the number of groups.

  Args:
    model: a model with stored codes, of data whose scenes are all known.

  Returns:
    As the file has them; and `[256, H, W, 3]` uint8.
  """
  import jax
  import numpy as np

  from structae import build, sampling
  from structae.data import pipeline
  from structae.data.selection import Selection
  from structae.evaluation import dependent_groups
  from structae.evaluation.model_scores import diversity
  from structae.evaluation.scene_distance import scene_distance

  source = build.source(model.config)
  train = build.split(model.config, source).train
  some = pipeline.subset(train, NUM_CODES, seed=1)
  codes = np.asarray(model.encode(Selection(source, some)))
  _, stored = scene_distance(source.arrays, model.decode(model.pool))
  key = jax.random.key(model.config.seed)
  rng = np.random.default_rng(model.config.seed)
  found, pictures = {}, {}
  num_variables = codes.shape[1]
  fewer = [num for num in NUMBERS if num < num_variables]
  for num in (num_variables, *fewer):
    groups = dependent_groups(codes, num)
    hybrids = sampling.hybrid(key, model.pool, NUM_SAMPLES, groups)
    pictures[num] = model.decode(hybrids)
    errors, scenes = scene_distance(source.arrays, pictures[num])
    shuffled = np.concatenate([
      sampling.hybrid(own, model.pool, NUM_SAMPLES // _NUM_SHUFFLES, labels)
      for own in jax.random.split(key, _NUM_SHUFFLES)
      for labels in [rng.permutation(groups)]
    ])  # fmt: skip
    at_random, _ = scene_distance(source.arrays, model.decode(shuffled))
    found[num] = {
      'groups': groups.tolist(),
      'scene_distance': float(errors.mean()),
      'at_random': float(at_random.mean()),
      'scene_diversity': diversity(scenes),
      'new': float(np.isin(scenes, stored, invert=True).mean()),
    }
  return found, pictures


if __name__ == '__main__':
  sys.exit(main())
