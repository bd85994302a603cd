"""Matrices of scores as pictures: importance, information, effects."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from structae.figures import canvas, plots

LABELS = {
  'mutual_information': 'mutual information, nats',
  'importance': 'importance, a share of each factor',
  'variable_effect': "effect, a share of the images' variance",
  'scene_break': 'added distance to the nearest scene',
  'fid_break': 'added FID',
}


def draw(
  folder: Path, matrices: Mapping[str, Mapping[str, Any]], prefix: str = ''
) -> list[Path]:
  """Draws those matrices of a `scores.json` that have a label here.

  Args:
    folder: where the PNG files go.
    matrices: by name, `values`, and the names of their `rows` and `columns`.
    prefix: what the files' names start with.

  Returns:
    The files.
  """
  written = []
  for name, label in LABELS.items():
    if name in matrices:
      matrix = matrices[name]
      path = folder / f'{prefix}{name}.png'
      plot = plots.matrix(
        np.array(matrix['values']),
        matrix['rows'],
        matrix['columns'],
        label=label,
      )
      canvas.save_figure(path, plot)
      written.append(path)
  return written
