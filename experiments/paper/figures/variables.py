"""What each variable does to the output, in the order of the decoder."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.paper.figures import scored, tables
from structae.figures import canvas, grids
from structae.pages.seeds import Group
from structae.run import Run

EFFECT = 'variable_effect'  # the matrix `[K, 1]` in `scores.json`
_USED, _ORDER = 'used_variables', 'order_correlation'
_COLUMNS = 3


def unused_variables(runs: Sequence[Run]) -> dict[str, Figure]:
  """How strongly each variable acts on the output, and how many do.

  Args:
    runs: finished runs; those that lack the matrix `variable_effect` are left
      out, which a remark below then says.

  Returns:
    `unused_variables-DATA`: a panel a model, a bar a variable in the order in
    which the decoder reads them, the mean over seeds with a dot each; above it
    how many are used and how far their order goes from high-level to low-level
    factors. Bars of variables below the threshold, if it is known, are pale.

  Raises:
    ValueError: if no run has the matrix.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.3.1.
  """
  found = {}
  for title, groups in scored.groups(runs).items():
    shown = [g for g in groups if len(_effects(g))]
    if shown:
      lacks = [g.name for g in groups if g not in shown]
      note = scored.left_out({EFFECT: lacks})
      stem = f'unused_variables-{scored.slug(groups[0])}'
      found[stem] = _draw(title, groups, shown, note)
  if not found:
    raise scored.lacking(
      'unused_variables', f'the matrix {EFFECT}', scored.EVALUATE.format(EFFECT)
    )
  return found


def _effects(group: Group) -> np.ndarray:
  """Of each seed that has them, `[seeds, K]`."""
  found = [
    np.asarray(run.matrices[EFFECT]['values'], float)[:, 0]
    for run in group.runs
    if EFFECT in run.matrices
  ]
  return np.array(found)


@canvas.styled
def _draw(
  title: str, groups: Sequence[Group], shown: Sequence[Group], note: str
) -> Figure:
  columns = min(_COLUMNS, len(shown))
  rows = -(-len(shown) // columns)
  figure = Figure(figsize=(max(4.6, 2.9 * columns), 0.6 + 2.3 * rows))
  axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
  colours = scored.colours(groups)
  for one, group in zip(axes, shown):
    _bars(one, group, colours[group.name])
  for one in axes[len(shown) :]:
    one.set_axis_off()
  figure.supylabel('share of image variance', size=10)
  figure.suptitle(title, x=0.01, ha='left', size=10.5, weight='bold')
  if note:
    figure.supxlabel(note, x=0.01, ha='left', size=8, color=canvas.MUTED)
  return figure


def _bars(axes: Axes, group: Group, colour: str) -> None:
  effects = _effects(group)
  mean, places = effects.mean(0), np.arange(effects.shape[1])
  threshold = _threshold(group)
  used = (
    mean >= threshold if threshold is not None else np.ones_like(mean, bool)
  )
  for bar, strong in zip(axes.bar(places, mean, 0.72, color=colour), used):
    bar.set_alpha(0.9 if strong else 0.3)
  if len(effects) > 1:
    across = np.broadcast_to(places, effects.shape)
    axes.plot(across.ravel(), effects.ravel(), '.', color=canvas.INK, ms=3.5)
  if threshold is not None:
    axes.axhline(threshold, color=canvas.MUTED, lw=0.8, ls=(0, (4, 3)))
  step = 1 if len(places) <= 12 else 4
  labels = grids.variable_labels(len(places))
  axes.set_xticks(places[::step], labels[::step])
  axes.tick_params('x', length=0, labelsize=7.5)
  axes.yaxis.set_major_locator(MaxNLocator(4))
  axes.grid(axis='y')
  axes.set_title(_facts(group, len(places)), loc='left', size=9)


def _threshold(group: Group) -> float | None:
  settings = (run.details.get(EFFECT, {}) for run in group.runs)
  return next((x['threshold'] for x in settings if 'threshold' in x), None)


def _facts(group: Group, num_variables: int) -> str:
  """The name, and below it how many variables are used in what order."""
  used, order = group.values(_USED), group.values(_ORDER)
  facts = []
  if used.size:
    facts.append(f'{_plain(used)} of {num_variables} used')
  if order.size:
    facts.append(f'order {tables.over_seeds(order, 2)}')
  return '\n'.join([canvas.short(group.name), *facts])


def _plain(counts: np.ndarray) -> str:
  mean = counts.mean()
  return f'{mean:.0f}' if mean == round(mean) else f'{mean:.1f}'
