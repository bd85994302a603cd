"""The look that all plots share, and how a plot becomes a file."""

import io
import os
import re
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from structae import files

INK = '#1c1d1f'
MUTED = '#7b7f85'
# Okabe and Ito's colours, told apart under every kind of colour blindness,
# without yellow and sky blue, which fade on white.
# Source: https://jfly.uni-koeln.de/color/
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#6E7379')
# From nothing to blue, so that it suits light and dark grounds. The blue is not
# among `COLOURS`, which pages exchange.
MAP = LinearSegmentedColormap.from_list('ink', ['#0070B000', '#0070B0'])

# Sizes are chosen to be read at 330 pixels, the width of a phone.
_STYLE: Any = {
  'font.family': 'DejaVu Sans',
  'font.size': 10,
  'text.usetex': False,
  'text.parse_math': False,  # names come from users, and $ is a dollar
  'text.color': INK,
  'axes.edgecolor': MUTED,
  'axes.labelcolor': INK,
  'axes.labelsize': 10,
  'axes.linewidth': 0.8,
  'axes.spines.top': False,
  'axes.spines.right': False,
  'axes.facecolor': 'none',
  'axes.axisbelow': True,
  'axes.grid': False,
  'axes.unicode_minus': True,
  'figure.facecolor': 'white',
  'figure.constrained_layout.use': True,
  'figure.constrained_layout.w_pad': 0.08,
  'figure.constrained_layout.h_pad': 0.06,
  'grid.color': MUTED,
  'grid.alpha': 0.25,
  'grid.linewidth': 0.6,
  'legend.frameon': False,
  'legend.fontsize': 9.5,
  'lines.linewidth': 1.8,
  'xtick.color': MUTED,
  'ytick.color': MUTED,
  'xtick.labelcolor': INK,
  'ytick.labelcolor': INK,
  'xtick.labelsize': 9.5,
  'ytick.labelsize': 9.5,
  'svg.fonttype': 'none',  # text, to be searched, copied and read out
  'svg.hashsalt': 'structae',
  'path.simplify': True,
}

# A decorator: the body of a plot sees this look, nothing outside does.
styled = matplotlib.rc_context(_STYLE)


def axes(width: float = 4.6, height: float = 3.0) -> Axes:
  """Axes on a new figure of `width` x `height` inches, known to no pyplot."""
  return Figure(figsize=(width, height)).add_subplot()


def short(name: str, length: int = 24) -> str:
  """A name cut so that it leaves room for what it names."""
  name = plain(name)
  return name if len(name) <= length else f'{name[: length - 1]}…'


def plain(text: str) -> str:
  """A text without the characters that no font has, such as half of a pair."""
  return ''.join(c if c.isprintable() else '\N{REPLACEMENT CHARACTER}'
                 for c in text)  # fmt: skip


def cycle(count: int) -> list[str]:
  """`count` colours, from the first again where they run out."""
  return [COLOURS[i % len(COLOURS)] for i in range(count)]


def figure_of(axes: Axes) -> Figure:
  """The figure that axes are on."""
  figure = axes.get_figure()
  assert isinstance(figure, Figure)
  return figure


def save_figure(path: str | os.PathLike[str], figure: Figure) -> None:
  """Saves a plot, its format told by the suffix; never half a file."""
  suffix = os.path.splitext(path)[1].lstrip('.') or 'png'
  content = _render(figure, suffix, dpi=200)
  with files.replacing(path) as temporary:
    temporary.write_bytes(content)


def svg(figure: Figure, number: int) -> str:
  """The plot as an `<svg>` element for a page.

  Ink takes the colour of the surrounding text, `COLOURS` those that the page
  names `--series-0` and so on, and the background is left out, so that the plot
  is readable on light and dark pages.

  Args:
    figure: the plot.
    number: of the plot on its page; the element's ids begin with it, so that
      they differ from those of other plots and no name gets into one.

  Returns:
    The markup, without any reference to the outside.
  """
  text = _render(figure, 'svg', transparent=True).decode()
  text = re.sub(
    r'<metadata>.*?</metadata>|<!--.*?-->', '', text, flags=re.DOTALL
  )
  text = text[text.index('<svg') :].replace(INK, 'currentColor')
  for i, colour in enumerate(COLOURS):
    text = text.replace(colour.lower(), f'var(--series-{i}, {colour})')
  text = re.sub(r'\s(xmlns(:\w+)?|version)="[^"]*"', '', text)
  text = text.replace('xlink:href', 'href')
  # Groups and glyphs are named alike in every plot; make them its own.
  text = re.sub(r'\bid="', f'id="plot{number:d}-', text)
  text = re.sub(r'href="#', f'href="#plot{number:d}-', text)
  return re.sub(r'url\(#', f'url(#plot{number:d}-', text)


def _render(figure: Figure, suffix: str, **settings: Any) -> bytes:
  buffer = io.BytesIO()
  # Files of equal plots are equal: no date, no salt from the clock.
  metadata = {'svg': {'Date': None}, 'pdf': {'CreationDate': None}}.get(suffix)
  with matplotlib.rc_context(_STYLE):
    figure.savefig(buffer, format=suffix, metadata=metadata, **settings)
  return buffer.getvalue()
