"""The decoder itself in the page: sliders, mixed codes, endless hybrids.

What the page computes with is `decoder.js`, what answers to a reader `live.js`.
"""

import base64
import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from structae.figures.grids import variable_labels
from structae.pages import markup
from structae.run import Run

if TYPE_CHECKING:  # imports jax
  from structae.model import Model

SCRIPTS = ('decoder.js', 'live.js')
_MOST_WEIGHTS = 900_000  # 2.4 MB in base64, of the 5 that a page may weigh
_HYBRIDS = 12  # seen at once
_POOL = 256  # stored codes at most

_NOTE = (
  'The trained decoder runs in this page, without a network. A slider changes '
  'one number of the code; its range is where 96 % of training images lie. The '
  'line above a slider marks the value of picture A, the one below that of B.'
)
_HYBRID_NOTE = (
  'Hybrid samples: every variable is taken from another stored code, at '
  'random. Choose one to take it apart above.'
)


def sections(run: Run, carried: Sequence[str]) -> list[markup.Section]:
  """The parts of a page in which the decoder of a run is played with.

  Args:
    run: a finished run.
    carried: what each number of a code carries, in words; may be empty.

  Returns:
    Sections that need `SCRIPTS`; none where the run holds no decoder of images,
    or one too large for a page.
  """
  found = run.decoder()
  if found is None or found[1].size > _MOST_WEIGHTS:
    return []
  plan, weights, step = found
  pool = run.pool(step)
  if pool is None or list(pool.shape[1:]) != plan.get('code'):
    return []
  codes = run.codes('train').codes if 'train' in run.parts else pool
  return _sections(plan, weights, pool, codes, carried)


@dataclasses.dataclass(frozen=True, repr=False)
class Player:
  """A page with the decoder of a model; shows itself in a notebook.

  Attributes:
    page: the whole page, which needs nothing else.
  """

  page: str

  def __repr__(self) -> str:
    """What is seen where no script runs, such as on GitHub."""
    size = len(self.page) / 1e6
    return f'The decoder with sliders, {size:.1f} MB: run this cell to see it.'

  def _repr_html_(self) -> str:
    """The page in a frame, where its script can reach nothing outside."""
    return (
      f'<iframe srcdoc="{markup.text(self.page)}" sandbox="allow-scripts" '
      'width="100%" height="960" style="border: 0"></iframe>'
    )


def play(model: 'Model') -> Player:
  """The decoder of a model with sliders, in a notebook or as a page.

  Args:
    model: a trained model of images, with stored codes.

  Returns:
    What a notebook shows; `play(model).page` is the page as text.

  Raises:
    ValueError: if the model decodes vectors, has no stored codes, or is too
      large for a page.
  """
  from structae import portable  # which imports jax

  plan, weights = portable.decoder(model)
  if model.pool is None:
    raise ValueError(
      'the model has no stored codes; give it some as structae.Model(config, '
      'params, pool).'
    )
  if weights.size > _MOST_WEIGHTS:
    raise ValueError(
      f'the decoder has {weights.size:,} parameters, a page takes '
      f'{_MOST_WEIGHTS:,} at most.'
    )
  parts = _sections(plan, weights, model.pool, model.pool, [])
  return Player(markup.page(model.title, '', parts, SCRIPTS))


def _sections(
  plan: dict[str, Any],
  weights: np.ndarray,
  pool: np.ndarray,
  codes: np.ndarray,
  carried: Sequence[str],
) -> list[markup.Section]:
  """Sliders span the 2nd to the 98th percentile of `codes`."""
  flat = codes.reshape(len(codes), -1)
  low, high = np.quantile(flat, (0.02, 0.98), axis=0)
  pool = pool[:_POOL]
  model = json.dumps(
    {
      'plan': plan,
      'weights': base64.b64encode(weights.astype('<f2').tobytes()).decode(),
      'pool': _rounded(pool.reshape(len(pool), -1)),
      'low': _rounded(low),
      'high': _rounded(high),
    },
    separators=(',', ':'),
  )
  height, width, _ = plan['image']
  canvas = f'width="{width}" height="{height}"'
  labels = variable_labels(pool.shape[1], plan.get('names', ()))
  return [
    markup.Section(
      'Play with the decoder',
      '<noscript><p>The decoder needs JavaScript.</p></noscript>\n'
      f'<div id="live" data-model="{markup.text(model)}">\n'
      f'{_pictures(canvas)}{_variables(labels, low, high, carried)}'
      '</div>',
      _NOTE,
    ),
    markup.Section(
      'New images by recombination',
      '<button type="button" id="more">Other hybrids</button>\n'
      f'<div class="hybrids">{_hybrids(canvas)}</div>',
      _HYBRID_NOTE,
    ),
  ]


def _rounded(numbers: np.ndarray) -> list:
  """Numbers to five digits, which no picture shows."""
  return [
    _rounded(x) if np.ndim(x) else float(f'{x:.5g}')
    for x in np.asarray(numbers, float)
  ]


def _pictures(canvas: str) -> str:
  parents = ''.join(
    f'<figure><canvas id="{name}" role="img" aria-label="Picture '
    f'{name.upper()}" {canvas}></canvas><figcaption><b>{name.upper()}</b> '
    f'<button type="button" id="another-{name}" class="small">another</button>'
    '</figcaption></figure>\n'
    for name in 'ab'
  )
  return (
    '<div class="stage">\n<div class="pictures">\n'
    '<figure class="result"><canvas id="result" role="img" '
    f'aria-label="The decoded code" {canvas}></canvas>'
    '<figcaption>What the sliders make</figcaption></figure>\n'
    f'{parents}</div>\n<div class="actions">'
    '<button type="button" id="back">Back to A</button>'
    '<button type="button" id="mix">Mix</button>'
    '<a id="link" href="#">Link to this picture</a>'
    '<p id="pace" class="note" role="status"></p></div>\n</div>\n'
  )


def _variables(
  labels: Sequence[str],
  low: np.ndarray,
  high: np.ndarray,
  carried: Sequence[str],
) -> str:
  dim = len(low) // len(labels)
  rows = []
  for k, label in enumerate(labels):
    numbers = range(k * dim, (k + 1) * dim)
    carries = [carried[i] if i < len(carried) else '' for i in numbers]
    names = [f', {d + 1}' if dim > 1 else '' for d in range(dim)]
    sliders = ''.join(
      _slider(
        f'u{k + 1}' + (f'.{d + 1}' if dim > 1 else ''),
        f'{label}{names[d]} {carries[d]}'.strip(),
        low[i],
        high[i],
      )
      for d, i in enumerate(numbers)
    )
    rows.append(
      f'<div class="variable">{sliders}<label class="take">'
      f'<input type="checkbox" id="b{k + 1}" autocomplete="off"> '
      f'{markup.text(label)} from B</label></div>\n'
    )
  return f'<div class="variables">\n{"".join(rows)}</div>\n'


def _slider(identity: str, name: str, low: float, high: float) -> str:
  return (
    f'<label class="number"><span>{markup.text(name)}</span>'
    f'<span class="way"><input type="range" id="{identity}" min="{low:.5g}" '
    f'max="{high:.5g}" step="any" autocomplete="off"></span></label>'
  )


def _hybrids(canvas: str) -> str:
  return '\n'.join(
    f'<button type="button" class="picture"><canvas role="img" '
    f'aria-label="Hybrid sample {i + 1}" {canvas}></canvas></button>'
    for i in range(_HYBRIDS)
  )
