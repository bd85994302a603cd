"""Films the decoder of a run's report, as the README shows it.

  python -m experiments.moving_picture RUN docs/live.gif

Opens the page in a browser without a display, once a frame: sliders sweep one
after another, then one variable after another is taken from picture B. Needs
Chromium.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from structae import files
from structae.pages import findings, live, markup
from structae.run import Run, read_run

_BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
_SIZE = (880, 1020)  # of the window, in pixels
_TOP = 64  # pixels above the first heading
_SWEPT = 4  # variables, those with the largest effect
_SHOWN = 640  # width of the film
_COLOURS = 96
_MILLISECONDS = 160  # a frame


def main(folder: str, output: str) -> None:
  """Writes the film as an animated GIF."""
  run = read_run(folder)
  played = live.sections(run, findings.carried(run))
  browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
  if not played or browser is None:
    missing = 'a browser' if played else 'a decoder in the run'
    sys.exit(f'{missing} is missing; needs Chromium and a run with a report.')
  with tempfile.TemporaryDirectory() as place:
    page = Path(place) / 'page.html'
    page.write_text(markup.page('', '', played, live.SCRIPTS), 'utf-8')
    frames = [
      _photograph(browser, f'{page.as_uri()}#{code}', Path(place))
      for code in _codes(run)
    ]
  buffer = io.BytesIO()
  small = [f.quantize(_COLOURS, dither=Image.Dither.NONE) for f in frames]
  small[0].save(buffer, 'gif', save_all=True, append_images=small[1:],
                duration=_MILLISECONDS, loop=0, optimize=True)  # fmt: skip
  with files.replacing(output) as temporary:
    temporary.write_bytes(buffer.getvalue())
  print(f'{output}: {len(frames)} frames, {len(buffer.getvalue()):,} bytes')


def _codes(run: Run) -> Iterator[str]:
  """What the addresses of the frames end in."""
  pool = files.read_arrays(run.folder / 'pool.npz')['pool']
  flat = pool.reshape(len(pool), -1)
  effects = np.array(run.matrices['variable_effect']['values'])[:, 0]
  swept = sorted(np.argsort(-effects)[:_SWEPT])
  low, high = np.quantile(run.codes('train').codes, (0.02, 0.98), axis=0)
  a, b = flat[0], flat[-1]
  address = lambda code: (
    f'code={",".join(f"{x:.5g}" for x in code)}&a=0&b={len(pool) - 1}'
  )
  for k in swept:
    path = np.linspace(low[k, 0], high[k, 0], 6)
    for x in (*path, a[k]):
      yield address(np.where(np.arange(len(a)) == k, x, a))
  for k in range(len(a) + 1):
    yield address(np.where(np.arange(len(a)) < k, b, a))
  for _ in range(4):
    yield address(b)


def _photograph(browser: str, address: str, folder: Path) -> Image.Image:
  picture = folder / 'frame.png'
  subprocess.run(
    [browser, '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
     '--hide-scrollbars', '--disable-background-networking',
     f'--user-data-dir={folder / "profile"}',
     f'--window-size={_SIZE[0]},{_SIZE[1]}',
     f'--screenshot={picture}', address],
    check=True, capture_output=True, timeout=60,
  )  # fmt: skip
  with Image.open(picture) as image:
    part = image.convert('RGB').crop((0, _TOP, *_SIZE))
    return part.resize((_SHOWN, part.height * _SHOWN // part.width))


if __name__ == '__main__':
  main(*sys.argv[1:])
