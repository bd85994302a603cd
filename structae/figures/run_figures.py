"""The figures of a run, drawn from its codes and samples."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from structae import files, metrics_file, sampling
from structae.figures import canvas, grids, matrices, plots

NUM_RECONSTRUCTIONS = 24
NUM_SAMPLES = 48
NUM_FRAMES = 11  # of a traversal


def draw(
  folder: Path,
  run: Any,
  codes: Any,
  order: np.ndarray,
  samples: Any,
  content: dict[str, Any],
  key: jax.Array,
) -> None:
  """Writes the sheets and plots into `folder/figures`.

  Args:
    folder: the run's folder.
    run: the trained model, see `doors.Trained`.
    codes: the codes of the splits by name.
    order: the test examples in the order in which they are shown.
    samples: hybrid samples, see `samples.Samples`.
    content: what is in `scores.json`.
    key: a PRNG key.
  """
  sheets = folder / 'figures'
  if len(run.source.image_shape) == 3:
    draw_images(sheets, run, codes, order, samples, key)
  draw_loss(folder, content)
  matrices.draw(sheets, content['matrices'])


def draw_images(
  sheets: Path,
  run: Any,
  codes: Any,
  order: np.ndarray,
  samples: Any,
  key: jax.Array,
) -> None:
  """Writes the sheets of images; the arguments are those of `draw`."""
  train, test = codes['train'].codes, codes['test'].codes[order]
  shown = codes['test'].indices[order[:NUM_RECONSTRUCTIONS]]
  pairs = grids.pairs(
    run.doors.images(shown), run.decode(test[:NUM_RECONSTRUCTIONS])
  )
  grids.save_png(sheets / 'reconstructions.png', pairs)
  drawn = {
    'hybrid': samples.images,
    'hybrid_by_dimension': samples.by_dimension,
    'prior': samples.prior,
  }
  for name, images in drawn.items():
    if images is not None:
      sheet = grids.grid(images[:NUM_SAMPLES], 8)
      grids.save_png(sheets / f'{name}.png', sheet)
  grids.save_png(
    sheets / 'partial_hybrid.png', partial_hybrids(run, test, samples, key)
  )
  frames = traversal_frames(run, test[0], train)
  labels = grids.variable_labels(train.shape[1])
  grids.save_png(
    sheets / 'traversals.png', grids.traversal_sheet(frames, labels)
  )
  with files.replacing(sheets / 'frames.npz') as path:
    np.savez_compressed(
      path, traversal=frames, hybrid=samples.images, labels=labels
    )


def partial_hybrids(
  run: Any, codes: np.ndarray, samples: Any, key: jax.Array
) -> np.ndarray:
  """One row an image: itself, then with a quarter of its variables recombined.

  Each row takes the next quarter of the variables, in decoder order.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figure 6a.
  """
  num_variables = codes.shape[1]
  quarters = np.array_split(np.arange(num_variables), min(4, num_variables))
  rows = []
  for i, variables in enumerate(quarters):
    mixed = sampling.partial_hybrid(
      jax.random.fold_in(key, i),
      jnp.asarray(samples.pool),
      jnp.repeat(jnp.asarray(codes[i : i + 1]), 7, 0),
      variables.tolist(),
    )
    rows.append(run.decode(np.concatenate([codes[i : i + 1], mixed])))
  labels = [_span(variables) for variables in quarters]
  return grids.traversal_sheet(np.stack(rows), labels)


def _span(variables: np.ndarray) -> str:
  first, last = (grids.variable_labels(v + 1)[-1] for v in variables[[0, -1]])
  return first if first == last else f'{first}–{last}'


def traversal_frames(
  run: Any, code: np.ndarray, codes: np.ndarray
) -> np.ndarray:
  """Decodes a sweep of every number of a code, `[L, S, H, W, C]` uint8."""
  paths = sampling.traverse(
    jnp.asarray(code), codes.min(0), codes.max(0), NUM_FRAMES
  )
  images = run.decode(np.asarray(paths).reshape(-1, *code.shape))
  return images.reshape(code.size, NUM_FRAMES, *images.shape[1:])


def draw_loss(folder: Path, content: dict[str, Any]) -> None:
  """Draws the reconstruction losses of training and validation.

  Above the data's entropy, and without penalties, which are not validated.
  """
  rows = metrics_file.read(folder / 'metrics.jsonl')
  names = {'train': 'reconstruction', 'validation': 'validation_loss'}
  curves = {}
  for label, name in names.items():
    points = [(row['step'], row[name]) for row in rows if name in row]
    curves[label] = tuple(zip(*points))
  floor = content['scores'].get('test_bce', {}).get('floor')
  canvas.save_figure(
    folder / 'figures' / 'loss.png', plots.loss_curve(curves, floor=floor)
  )
