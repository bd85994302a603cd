"""The folder of a small finished run, drawn from a seed."""

import json
from pathlib import Path

import numpy as np

from structae.figures import grids
from structae.run import Run

FLOOR = 100.0


def make(
  folder: Path,
  *,
  model: str = 'sae4',
  seed: int = 0,
  num_variables: int = 4,
  config: dict | None = None,
  scores: dict[str, float] | None = None,
) -> Path:
  (folder / 'figures').mkdir(parents=True)
  rng = np.random.default_rng(seed)
  images = rng.integers(0, 256, (48, 8, 8, 3), np.uint8)
  for stem in ('reconstructions', 'hybrid', 'partial_hybrid', 'traversals'):
    sheet = grids.grid(rng.permutation(images)[:4], scale=1)
    grids.save_png(folder / 'figures' / f'{stem}.png', sheet)
  np.savez(
    folder / 'samples.npz',
    traversal=rng.integers(0, 256, (4, 5, 8, 8, 3), np.uint8),
    hybrid=images,
    labels=np.array(grids.variable_labels(num_variables)),
  )
  resolved = {
    'name': model,
    'config': {
      'seed': seed,
      'data': {'name': 'shapes', 'size': 8},
      **(config or {}),
    },
    'versions': {'structae': '0.1.0'},
  }
  (folder / 'config.json').write_text(json.dumps(resolved))
  values = scores or {'bce': FLOOR + 7.5, 'mig': 0.25}
  table = {
    score: {'value': value, 'definition': f'What {score} is.', 'n': 9}
    for score, value in values.items()
  }
  matrix = {
    'values': rng.random((4, 2)).tolist(),
    'rows': ['a', 'b', 'c', 'd'],
    'columns': ['hue', 'scale'],
  }
  content = {'scores': table, 'matrices': {'mutual_information': matrix}}
  (folder / 'scores.json').write_text(json.dumps(content))
  rows = [{'step': t, 'loss': FLOOR + 500 / t} for t in range(1, 40)]
  (folder / 'metrics.jsonl').write_text('\n'.join(map(json.dumps, rows)))
  return folder


def add_decoder(folder: Path, step: int = 5, seed: int = 0) -> None:
  """A structural decoder of four numbers and images of 8 x 8, by hand."""
  rng = np.random.default_rng(seed)
  doubled = (None, 'bilinear', None, 'bilinear')
  blocks = [
    {
      'condition': 'affine',
      'reads': [i],
      'layers': [[1, 8]],
      'up': up,
      'inputs': 4,
      'outputs': 3 if i == 3 else 4,
      'groups': 0 if i == 3 else 2,
    }
    for i, up in enumerate(doubled)
  ]
  plan = {
    'image': [8, 8, 3],
    'code': [4, 1],
    'activation': 'mish',
    'mean': 'sigmoid',
    'start': {'side': 2, 'channels': 4, 'reads': [], 'layers': None},
    'blocks': blocks,
  }
  num = 16 + sum(16 + (36 + 1) * b['outputs'] + 8 * (b['groups'] > 0)
                 for b in blocks)  # fmt: skip
  weights = rng.normal(size=num, scale=0.4).astype(np.float16)
  run = Run(folder)
  run.save_decoder(plan, weights, step)
  run.save_pool(rng.normal(size=(6, 4, 1), scale=2).astype(np.float32), step)
