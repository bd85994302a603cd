"""How well models reconstruct, and how good their samples are."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from experiments.paper.figures import dots, published, scored
from experiments.paper.figures.dots import Dots, Panel
from structae.evaluation.registry import SCORES
from structae.figures import canvas
from structae.pages.seeds import Group
from structae.run import Run

# How samples are made: the end of the score's name, how it is called, its
# colour and marker.
KINDS = {
  'hybrid': ('hybrid', canvas.COLOURS[0], 'o'),
  'hybrid_by_dimension': ('hybrid of single numbers', canvas.COLOURS[2], '^'),
  'prior': ('prior', canvas.COLOURS[1], 's'),
}
FID = f'FID, Inception features; {SCORES["fid"].better} is better'
SCENES = 'squared error to the nearest scene, pixels in 0–1'
MAKE_FID = scored.EVALUATE.format('fid --download')


def reconstruction_quality(runs: Sequence[Run]) -> dict[str, Figure]:
  """Reconstruction by model and data set: cross entropy, and FID where scored.

  Args:
    runs: finished runs.

  Returns:
    `reconstruction_quality`: a row of panels a data set. The cross entropy is
    drawn above its floor, the entropy of the images, where that is known.

  Raises:
    ValueError: if no run has `test_bce`.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figure 2.
  """
  rows: list[list[Panel | str]] = []
  has_fid = False
  lacks: list[str] = []
  for title, groups in scored.groups(runs).items():
    floor = floor_of(groups)
    label = cross_entropy_label(floor)
    entropy = panel(title, groups, 'test_bce', label, floor)
    distance = panel(title, groups, 'fid_rec', 'FID of reconstructions')
    if entropy is None and distance is None:
      continue
    has_fid |= distance is not None
    lacks += [g.name for g in groups if not g.values('test_bce').size]
    rows.append(
      [
        entropy or f'{title}: no cross entropy of test images.',
        distance or f'{title}: the FID of reconstructions is not scored.',
      ]
    )
  if not rows:
    raise scored.lacking('reconstruction_quality', 'test_bce', scored.TRAIN)
  if not has_fid:
    rows = [row[:1] for row in rows]
  columns = 2 if has_fid else min(2, len(rows))
  note = scored.left_out({'test_bce': lacks})
  return {'reconstruction_quality': dots.draw(rows, note, columns=columns)}


def floor_of(groups: Sequence[Group]) -> float | None:
  """The entropy of the images in nats; None unless all runs have it."""
  floors = [
    run.floor for g in groups for run in g.runs if 'test_bce' in run.scores
  ]
  known = [floor for floor in floors if floor is not None]
  return float(np.mean(known)) if known and len(known) == len(floors) else None


def cross_entropy_label(floor: float | None) -> str:
  """What an axis shows, with the unit."""
  above = '' if floor is None else ' above its floor'
  return f'cross entropy{above}, nats per image'


def value(run: Run, score: str, floor: float | None = None) -> float | None:
  """A score of a run, above its own floor if there is one; None if it lacks."""
  entry = run.scores.get(score, {})
  found = entry.get('value')
  return found if found is None or floor is None else found - entry['floor']


def panel(
  title: str,
  groups: Sequence[Group],
  score: str,
  label: str,
  floor: float | None = None,
) -> Panel | None:
  """A panel with one score, above a floor if given; None where none has it."""
  colours, found = scored.colours(groups), []
  for group in groups:
    values = [value(run, score, floor) for run in group.runs]
    known = published.of_run(group.runs[0], score, floor)
    shown = np.array([v for v in values if v is not None and np.isfinite(v)])
    if shown.size:
      line = scored.line(group)
      found.append(Dots(line, shown, colours[group.name], published=known))
  return Panel(title, label, found) if found else None


def sample_quality(runs: Sequence[Run]) -> dict[str, Figure]:
  """How good samples are: hybrids of variables, of numbers, and of the prior.

  Args:
    runs: finished runs.

  Returns:
    `sample_quality`: a panel a data set with the FID of samples; where that is
    not scored and all scenes are known, with the distance of samples to the
    nearest scene, which the axis then says.

  Raises:
    ValueError: if no run has either.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figure 3.
  """
  panels: list[Panel | str] = []
  missing: dict[str, list[str]] = {}
  for title, groups in scored.groups(runs).items():
    drawn = _samples(title, groups, 'fid', FID)
    drawn = drawn or _samples(title, groups, 'scene_distance', SCENES)
    if drawn is None:
      missing.setdefault('any score of samples', []).append(title)
      continue
    panels.append(drawn)
    lines = {d.line for d in drawn.dots}
    without = [g.name for g in groups if scored.line(g) not in lines]
    what = 'FID' if drawn.label == FID else 'scene distance'
    missing.setdefault(f'the {what} of samples', []).extend(without)
  if not panels:
    raise scored.lacking('sample_quality', 'fid_hybrid', MAKE_FID)
  note = scored.left_out(missing)
  columns = min(2, len(panels))
  return {'sample_quality': dots.draw([panels], note, columns=columns)}


def _samples(
  title: str, groups: Sequence[Group], metric: str, label: str
) -> Panel | None:
  found = []
  for group in groups:
    for kind, (series, colour, marker) in KINDS.items():
      score = f'{metric}_{kind}'
      values = group.values(score)
      if values.size:
        known = published.of_run(group.runs[0], score)
        line = scored.line(group)
        found.append(Dots(line, values, colour, series, marker, known))
  return Panel(title, label, found) if found else None
