"""Command lines at random: mutations of valid ones of every command.

A line either reaches the work, which is cut off where jax is imported, or ends
at once with an exit code and one line. Runs in one process, in a folder of its
own, without a network.
"""

import contextlib
import importlib.abc
import io
import os
import random
import re
import shlex
import socket
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from experiments.fuzz import artefacts, outcomes
from experiments.fuzz.outcomes import Fault, Tally
from structae.config import FIELDS

# `main` is python -m experiments.main.
VALID = (
  'train sae12:smoke --workdir=new/run --config.train.num_steps=10',
  'train mine.py:smoke --config.model.head=(16,) --config.seed=3',
  'train run --workdir=run',
  'main --config=mine.py:quick --workdir=new/run --config.data.size=32',
  'main --config=mine.py:mpi3d_toy,smoke --config.data.path=pictures',
  'main --config=vae:smoke --config.objective.beta=2.0',
  'evaluate --workdir=run --metrics=mig',
  'evaluate --codes=codes.npz --test_codes=test.npz --metrics=mig,modularity',
  'evaluate --codes=codes.npz --points=full --output=new/scores.json '
  '--metrics=mig',
  'evaluate --images_a=images.npz --images_b=images.npz --metrics=fid '
  '--inception=weights.npz --num_images=4',
  'sample run --num=4 --seed=1 --kind=prior --output=new/samples.npz',
  'sample run --output=new/sheet.png',
  'encode run --images=pictures --output=new/codes.npz --crop=squash',
  'report run --output=new/report.html',
  'report run run --output=new/comparison.html',
  'export run new/exported',
  'data list',
  'data info shapes3d',
  'data prepare folder --from=pictures --cache=cache --size=8 --crop=squash',
  'benchmark sae12:smoke --against=model.unroll=False --repeats=2 '
  '--output=new/times.json',
)
_CODES = {0, 1, 2, 130}
_MOST_CHARACTERS = 3000  # of a message
_HOSTILE = (
  '', ' ', '-', '--', '=', '-1', '0', '1e999', 'nan', 'inf', '9' * 400, '0x10',
  'None', 'True', '()', '[' * 2000, "('a',", '{}', 'a' * 300, 'a/' * 200 + 'b',
  'é', 'U\u2081', '\udcff', 'a\nb', '\x1b[31m', '²', '%s', '{0}', '$HOME',
  '~nosuchuser/x', 'loop', 'loop/x', 'run', 'run/config.json', 'codes.npz',
  'pictures', 'empty', 'text.json', 'text.npz', 'text.py', ':', ',', 'sae12:',
  ':smoke', 'sae12:smoke,smoke', 'sae12:smoke,quick', '--help', '--version',
  '-h', '--seed', '--output', '--workdir=', '--flagfile=text.json',
)  # fmt: skip


class _Work(BaseException):
  """Raised where jax would be imported: the line was accepted."""


class _NoNetwork(socket.socket):
  def __init__(self, *_: Any, **__: Any) -> None:
    raise OSError('there is no network')


class _NoJax(importlib.abc.MetaPathFinder):
  def find_spec(self, name: str, *_: Any) -> None:
    """Ends the command that imports jax."""
    if name.partition('.')[0] == 'jax':
      raise _Work


def fuzz(folder: Path, num: int, seed: int) -> Tally:
  """Tries command lines.

  Args:
    folder: an empty folder to work in.
    num: how many.
    seed: of the lines.

  Returns:
    What became of them.
  """
  if 'jax' in sys.modules:
    raise RuntimeError('jax is imported already; start a process of its own')
  rng, tally = random.Random(seed), Tally()
  with _sandbox(folder):
    for line in VALID:
      tally.add(_try(shlex.split(line)))
    while sum(tally.outcomes.values()) < num:
      argv = _mutated(rng)
      if _stays_inside(argv):
        tally.add(_try(argv))
  return tally


@contextlib.contextmanager
def _sandbox(folder: Path) -> Iterator[None]:
  """Makes files for lines to name; forbids what no line may do."""
  import numpy as np

  artefacts.run(folder / 'run')
  for name in ('codes', 'test'):
    (folder / f'{name}.npz').write_bytes(
      (folder / 'run' / 'codes' / 'train.npz').read_bytes()
    )
  (folder / 'mine.py').write_text(artefacts.VALID_CONFIG)
  np.savez(folder / 'images.npz', images=artefacts.pictures())
  np.savez(folder / 'weights.npz', a=np.zeros(3))
  for name in ('pictures', 'empty'):
    (folder / name).mkdir()
  _write_pictures(folder / 'pictures')
  (folder / 'loop').symlink_to('loop')
  for suffix in ('json', 'npz', 'py'):
    (folder / f'text.{suffix}').write_text('no such file {')
  finder, before, opened = _NoJax(), os.getcwd(), socket.socket
  environment = dict(os.environ)
  os.environ |= {'XDG_CACHE_HOME': str(folder), 'HOME': str(folder)}
  os.chdir(folder)
  sys.meta_path.insert(0, finder)
  socket.socket = _NoNetwork  # type: ignore[misc]
  try:
    yield
  finally:
    socket.socket = opened  # type: ignore[misc]
    sys.meta_path.remove(finder)
    os.chdir(before)
    os.environ.clear()
    os.environ |= environment


def _write_pictures(folder: Path) -> None:
  from PIL import Image

  for i, picture in enumerate(artefacts.pictures(2)):
    Image.fromarray(picture).save(folder / f'{i}.png')


def _mutated(rng: random.Random) -> list[str]:
  """A valid line with one to three changes."""
  argv = shlex.split(rng.choice(VALID))
  for _ in range(rng.choice((1, 1, 2, 3))):
    place = rng.randrange(1, len(argv) + 1)
    there = argv[place : place + 1]
    change = rng.randrange(8)
    if change == 0:
      there = []
    elif change == 1:
      there = there * 2
    elif change == 2:
      there = [rng.choice(_HOSTILE), *there]
    elif change == 3 and there:
      flag, equals, _ = there[0].partition('=')
      there = [f'{flag}{equals}{rng.choice(_HOSTILE)}']
    elif change == 4 and there:
      there = [_typed(rng, there[0])]
    elif change == 5:
      other = shlex.split(rng.choice(VALID))
      there = [*there, rng.choice(other[1:])]
    elif change == 6:
      field = rng.choice(sorted(FIELDS))
      there = [f'--config.{field}={rng.choice(_HOSTILE)}', *there]
    elif there and '=' in there[0]:
      there = there[0].split('=', 1)
    argv[place : place + 1] = there
  if not rng.randrange(30):
    argv[0] = _typed(rng, argv[0])
  return argv


def _typed(rng: random.Random, word: str) -> str:
  """A word with a slip of a key."""
  place = rng.randrange(len(word) + 1)
  key = rng.choice(
    ['', '', *'-=.:,~$%(é0\n\udcff', word[place : place + 1] * 2]
  )
  return word[:place] + key + word[place + 1 :]


def _stays_inside(argv: Sequence[str]) -> bool:
  """Whether a line leaves the rest of the machine alone."""
  values = [word.partition('=')[2] or word for word in argv]
  return not any(
    value.startswith('/') or '..' in value or word.startswith('--download')
    for word, value in zip(argv, values)
  )


def _try(argv: Sequence[str]) -> str | Fault:
  case = shlex.join(argv)
  case = case if len(case) < 300 else f'{case[:300]}...'
  return outcomes.outcome_of(case, lambda: _run(argv, case), ())


def _run(argv: Sequence[str], case: str) -> str | Fault:
  out = io.TextIOWrapper(io.BytesIO(), 'utf-8')
  err = io.TextIOWrapper(io.BytesIO(), 'utf-8', 'backslashreplace')
  with (
    contextlib.redirect_stdout(out),
    contextlib.redirect_stderr(err),
    warnings.catch_warnings(),
  ):
    warnings.simplefilter('ignore')
    try:
      code = _main(argv)
    except SystemExit as ended:
      code = ended.code  # type: ignore[assignment]
    except _Work:
      return 'accepted'
  err.flush()
  text = err.buffer.getvalue().decode()  # type: ignore[attr-defined]
  if code not in _CODES:
    return Fault('bad message', case, f'exit code {code!r}')
  if code == 0:
    return 'answered'
  lines = text.split('\n')[:-1]
  errors = [line for line in lines if line.startswith('error: ')]
  whole = (
    lines
    and lines[-1] == 'stopped'
    or (
      len(errors) == 1
      and errors[0] == lines[-1]
      and all(
        re.match('error|skipped|Warning|factor |left out', x) for x in lines
      )
    )
  )
  clean = text.replace('\n', '').isprintable()
  if not whole or not clean or len(text) > _MOST_CHARACTERS:
    return Fault('bad message', case, f'{len(text)} characters: {text!r:.160}')
  return f'exit {code}'


def _main(argv: Sequence[str]) -> int:
  from structae import __main__ as structae
  from structae.commands import train

  if argv[0] == 'main':
    return train.main(argv[1:], name='python -m experiments.main')
  return structae.main(argv)
