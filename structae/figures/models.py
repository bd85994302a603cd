"""Models: their order, names and colours in every picture."""

import re
from collections.abc import Sequence

from matplotlib import colors as mpl_colors

# In the order of plots and tables: the name of a config file, without the
# number of its variables, to how the family is called and coloured. The first
# six colours are those of `canvas`.
FAMILIES = {
  'sae': ('SAE', '#0072B2'),
  'vlae': ('VLAE', '#D55E00'),
  'adaae': ('AdaAE', '#009E73'),
  'ae': ('AE', '#6E7379'),
  'wae': ('WAE', '#7B4B2A'),
  'vae': ('VAE', '#CC79A7'),
  'bvae': ('β-VAE', '#E69F00'),
  'fvae': ('FactorVAE', '#5B4B9A'),
  'tcvae': ('β-TCVAE', '#7F8C00'),
  'graph': ('Graph', '#56B4E9'),  # beyond the paper
  'dipvae': ('DIP-VAE', '#3A7D7D'),
  'avae': ('AnnealedVAE', '#A23B72'),
  'lsae': ('Labelled SAE', '#00573F'),
  'lvae': ('Labelled VAE', '#7A2E5C'),
  'pairsae': ('Paired SAE', '#4C6A00'),
  'adagvae': ('Ada-GVAE', '#B2562E'),
  'csae': ('Consistent SAE', '#2F9BD8'),
}
_OTHERS = '#1c1d1f'
_SPELLINGS = {'adaae': 'ada_ae', 'bvae': 'beta_vae', 'fvae': 'factor_vae',
              'tcvae': 'beta_tcvae'}  # fmt: skip
_MOST_VARIABLES = 16


def title(name: str) -> str | None:
  """`sae12` as `SAE-12` and `bvae` as `β-VAE`; None if it has none."""
  base = name.lower().rstrip('0123456789')
  size = name.lower().removeprefix(base)
  base = re.sub('[_-]$', '', base)
  for family, (shown, _) in FAMILIES.items():
    if base in (family, _SPELLINGS.get(family)):
      return f'{shown}-{size}' if size else shown
  return None


def rank(shown: str) -> tuple[int, int]:
  """Where a model, as it is called, stands among the others.

  Families come in the order of `FAMILIES`; within one, those with more
  variables come first. Models of other people come last.
  """
  family, size = _parts(shown)
  order = [known for known, _ in FAMILIES.values()]
  return (order.index(family) if family in order else len(order), -size)


def colours(shown: Sequence[str]) -> list[str]:
  """A colour for each model, as they are called.

  The colour is that of the family, the paler the fewer variables; where a model
  comes again (with another learning rate, say) it is paler each time.
  """
  known = dict(FAMILIES.values())
  found = []
  for i, name in enumerate(shown):
    family, size = _parts(name)
    paler = 0.25 * (12**0.5 - min(size, 12) ** 0.5) if size else 0.0
    paler += 0.3 * list(shown[:i]).count(name)
    found.append(_mixed(known.get(family, _OTHERS), min(paler, 0.7)))
  return found


def _parts(shown: str) -> tuple[str, int]:
  family, _, size = shown.rpartition('-')
  if family and size.isdigit():
    return family, min(int(size), _MOST_VARIABLES)
  return shown, 0


def _mixed(colour: str, white: float) -> str:
  """A colour with a share of white."""
  rgb = mpl_colors.to_rgb(colour)
  red, green, blue = (c + (1 - c) * white for c in rgb)
  return mpl_colors.to_hex((red, green, blue))
