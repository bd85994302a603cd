"""How disentangled codes are: tables over seeds, and every seed as a dot."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from experiments.paper.figures import dots, quality, scored, tables
from structae.figures import montage
from structae.pages.seeds import Group
from structae.run import Run

# In the order of the paper's table, then what it has not.
METRICS = {
  'disentanglement': 'DCI-d',
  'irs': 'IRS',
  'mig': 'MIG',
  'modularity': 'Mod',
  'explicitness_test': 'Exp',
  'sap': 'SAP',
  'sap_continuous': 'SAP (R²)',
  'completeness': 'DCI-c',
  'factor_vae_test': 'FactorVAE',
  'beta_vae_test': 'β-VAE',
  'infom': 'InfoM',
  'infoc': 'InfoC',
  'disentanglement_by_variable': 'DCI-d of variables',
  'mig_by_variable': 'MIG of variables',
  'irs_by_variable': 'IRS of variables',
}
_TOY = 'mpi3d_toy'
_DCI = scored.EVALUATE.format('dci')


def disentanglement(runs: Sequence[Run]) -> dict[str, Figure | str]:
  """Whatever metrics of disentanglement were scored, higher is better.

  Args:
    runs: finished runs.

  Returns:
    `disentanglement`: Markdown, a table a data set with means and deviations
    over seeds; `disentanglement-DATA`: a panel a metric with every seed.

  Raises:
    ValueError: if no run has such a score.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figures 5 and 10.
  """
  found: dict[str, Figure | str] = {}
  sections = {}
  for title, groups in scored.groups(runs).items():
    panels = [
      panel
      for metric, label in METRICS.items()
      if (
        panel := quality.panel(
          _title(label, metric, groups), groups, metric, ''
        )
      )
    ]
    if not panels:
      continue
    sections[title] = tables.of_scores(groups, METRICS, decimals=3)
    note = (
      f'{title}. Higher is better; a dot is a seed. {_without(groups)}'.strip()
    )
    panels = [panel._replace(log=False) for panel in panels]
    found[f'disentanglement-{scored.slug(groups[0])}'] = dots.draw(
      [panels], note, columns=montage.balanced(len(panels), 3)
    )
  if not sections:
    raise scored.lacking('disentanglement', 'disentanglement or mig', _DCI)
  text = tables.in_sections(sections, 'Higher is better, the best in bold.')
  return {'disentanglement': text, **found}


def _title(label: str, metric: str, groups: Sequence[Group]) -> str:
  """The name of a metric with the number of codes it is of."""
  counts = [tables.num_codes(group, [metric]) for group in groups]
  known = dict.fromkeys(filter(None, counts))
  return f'{label}, N = {" or ".join(known)}' if known else label


def _without(groups: Sequence[Group]) -> str:
  lacks = [g.name for g in groups if not any(g.values(m).size for m in METRICS)]
  return scored.left_out({'any score': lacks})


def mpi3d_toy(runs: Sequence[Run]) -> dict[str, str]:
  """Disentanglement and completeness on MPI3D toy.

  Args:
    runs: finished runs; those on other data are left aside.

  Returns:
    `mpi3d_toy`: Markdown, a table with means and deviations over seeds.

  Raises:
    ValueError: if no run is on that data, or none has these scores.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix, table of
  MPI3D-Toy.
  """
  toy = [run for run in runs if run.field('data.name') == _TOY]
  if not toy:
    raise scored.lacking(_TOY, f'data.name {_TOY}', f'{scored.TRAIN}:{_TOY}')
  scores = {'disentanglement': 'D', 'completeness': 'C'}
  sections = {
    title: tables.of_scores(groups, scores, decimals=3)
    for title, groups in scored.groups(toy).items()
    if any(g.values(score).size for g in groups for score in scores)
  }
  if not sections:
    raise scored.lacking(_TOY, 'disentanglement', _DCI)
  note = 'Disentanglement D and completeness C, the best in bold.'
  return {_TOY: tables.in_sections(sections, note)}
