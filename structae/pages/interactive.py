"""The parts of a page that answer to a reader, from pre-rendered frames.

All frames are images of the page; sliders and buttons choose which are seen.
So the page needs neither a server nor the model.
"""

from collections.abc import Callable, Sequence

import numpy as np

from structae.figures.grids import variable_labels
from structae.pages import markup
from structae.pages.embedding import embed_frames
from structae.run import Run

# Bytes; a page weighs 5 MB at most.
_TRAVERSAL = 1_300_000
_POOL = 900_000
_SEEN = 12  # hybrid samples seen at once


SCRIPTS = ('frames.js',)


def sections(run: Run) -> list[markup.Section]:
  """Sliders over frames, and hybrids to shuffle, which need `SCRIPTS`."""
  return [*_traversal(run), *_pool(run)]


def _traversal(run: Run) -> list[markup.Section]:
  """A slider for each latent dimension over its pre-rendered frames."""
  frames = run.samples.get('traversal')
  if frames is None or not frames.size:
    return []
  frames, uris = _embed(frames, _TRAVERSAL, lambda x: x[:, ::2])
  count = frames.shape[1]
  labels = [str(x) for x in run.samples.get('labels', np.array([])).ravel()]
  labels = labels or variable_labels(len(frames))
  cards = [
    _card(*_names(i, labels, len(frames)), uris[i * count : (i + 1) * count])
    for i in range(len(frames))
  ]
  play = '<button type="button" id="play" aria-pressed="false">Play</button>'
  return [
    markup.Section(
      'One variable at a time',
      f'{play}\n{_grouped(cards, labels)}',
      note='Each slider changes one variable of the same code, from its lowest '
      f'observed value to its highest. {_order(run)}'.strip(),
    )
  ]


def _order(run: Run) -> str:
  """What the order of variables means; other decoders read all at once."""
  if run.field('model.decoder') in ('structural', 'ladder'):
    return 'The decoder reads them in this order.'
  return ''


def _names(i: int, labels: Sequence[str], total: int) -> tuple[str, str]:
  """The name of latent dimension `i`, and the id of its slider."""
  width = total // len(labels)
  k, d = divmod(i, width)
  if width == 1:
    return labels[k], f'u{k + 1}'
  return f'{labels[k]}, {d + 1}', f'u{k + 1}.{d + 1}'


def _grouped(cards: Sequence[str], labels: Sequence[str]) -> str:
  width = len(cards) // len(labels)
  if width == 1:
    return f'<div class="frames">\n{"".join(cards)}</div>'
  groups = ''.join(
    f'<fieldset class="frames">\n<legend>{markup.text(label)}</legend>\n'
    f'{"".join(cards[k * width : (k + 1) * width])}</fieldset>\n'
    for k, label in enumerate(labels)
  )
  return f'<div class="groups" style="--width: {width}">\n{groups}</div>'


def _card(name: str, identity: str, uris: list[str]) -> str:
  middle = len(uris) // 2
  images = ''.join(
    markup.image(
      uri,
      f'{name} at position {s + 1} of {len(uris)}',
      hidden=s != middle,
    )
    for s, uri in enumerate(uris)
  )
  return (
    f'<div class="frame">{images}<label><span class="name">'
    f'<span>{markup.text(name)}</span>'
    f'<output>{middle + 1} / {len(uris)}</output></span>'
    f'<input type="range" id="{identity}" min="0" max="{len(uris) - 1}" '
    f'value="{middle}" autocomplete="off"></label></div>\n'
  )


def _pool(run: Run) -> list[markup.Section]:
  """Hybrid samples, and a button that shows others of those pre-rendered."""
  frames = run.samples.get('hybrid')
  if frames is None or not frames.size:
    return []
  _, uris = _embed(frames, _POOL, lambda x: x[::2])
  seen = min(_SEEN, max(1, len(uris) // 2))
  images = '\n'.join(
    markup.image(uri, f'Hybrid sample {i + 1}', hidden=i >= seen)
    for i, uri in enumerate(uris)
  )
  shuffle = '<button type="button" id="shuffle">Shuffle</button>'
  return [
    markup.Section(
      'New images by recombination',
      f'{shuffle}\n<div class="pool">{images}</div>',
      note=f'Hybrid samples, drawn from {len(uris)} made after training.',
    )
  ]


def _embed(
  frames: np.ndarray, budget: int, thin: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, list[str]]:
  """As many frames as the budget allows; if the fewest are too many, smaller.

  Args:
    frames: `[..., H, W, C]` uint8.
    budget: how many bytes all URIs together may take.
    thin: leaves out every second frame, as long as there are two.

  Returns:
    The frames that are left, and the URI of each in turn.
  """
  while True:
    uris = embed_frames(frames.reshape(-1, *frames.shape[-3:]), budget)
    if uris or max(frames.shape[-3:-1]) == 1:
      return frames, uris
    fewer = thin(frames)
    frames = fewer if fewer.size < frames.size else frames[..., ::2, ::2, :]
