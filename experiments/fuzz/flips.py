"""Damaged files: every kind that the package reads, with a few bytes changed.

A damaged file is refused in one line, or read as it was. A file without a
checksum (text, the files of others) may also be read as another; a sealed one
never.
"""

import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from experiments.fuzz import outcomes
from experiments.fuzz.kinds import KINDS, Kind
from experiments.fuzz.outcomes import Fault, Tally


def fuzz(folder: Path, num: int, seed: int, kinds: Any = None) -> Tally:
  """Tries damaged files.

  Args:
    folder: an empty folder to work in.
    num: how many, kind after kind.
    seed: of the damage.
    kinds: names of kinds; by default all.

  Returns:
    What became of them.
  """
  tally = Tally()
  names = list(kinds or KINDS)
  for i, name in enumerate(names):
    rng = random.Random(f'{seed} {name}')
    place = folder / name
    place.mkdir()
    targets = KINDS[name].make(place)
    whole = {path: path.read_bytes() for path in targets}
    expected = _plain(KINDS[name].read(place))
    for n in range(num // len(names) + (i < num % len(names))):
      path = rng.choice(targets)
      content, what = damaged(rng, whole[path])
      if content == whole[path]:
        continue
      path.write_bytes(content)
      case = f'{name} {path.relative_to(place)}, case {n}, {what}'
      with warnings.catch_warnings(action='ignore'):  # of Pillow
        tally.add(_try(KINDS[name], place, case, expected))
      path.write_bytes(whole[path])
  return tally


def damaged(rng: random.Random, content: bytes) -> tuple[bytes, str]:
  """A content with a flipped bit, another byte, a part lost, moved or zero."""
  data, place = bytearray(content), rng.randrange(len(content))
  length = min(rng.choice((1, 4, 16, 64)), len(content) - place)
  change = rng.randrange(6)
  if change == 0:
    bit = rng.randrange(8)
    data[place] ^= 1 << bit
    return bytes(data), f'bit {bit} of byte {place} flipped'
  if change == 1:
    data[place] = rng.randrange(256)
    return bytes(data), f'byte {place} is {data[place]}'
  if change == 2:
    return content[:place], f'cut off at {place}'
  if change == 3:
    del data[place : place + length]
    return bytes(data), f'{length} bytes at {place} lost'
  if change == 4:
    other = rng.randrange(len(content) - length + 1)
    data[place : place + length] = content[other : other + length]
    return bytes(data), f'{length} bytes of {other} at {place}'
  data[place : place + length] = bytes(length)
  return bytes(data), f'{length} bytes at {place} are 0'


def _try(kind: Kind, place: Path, case: str, expected: Any) -> str | Fault:
  def read() -> str | Fault:
    same = _same(_plain(kind.read(place)), expected)
    if not same and kind.sealed:
      return Fault('silent difference', case, 'read as another content')
    return 'the same' if same else 'another content, unsealed'

  return outcomes.outcome_of(case, read)


def _plain(value: Any) -> Any:
  """Nested containers and arrays as what compares by ==."""
  if isinstance(value, np.ndarray):
    return (value.dtype.str, value.shape, value.tobytes())
  if isinstance(value, dict):
    return {key: _plain(item) for key, item in value.items()}
  if isinstance(value, list | tuple):
    return [_plain(item) for item in value]
  return value


def _same(a: Any, b: Any) -> bool:
  return repr(a) == repr(b)  # which calls nan like nan
