"""What a compiled program launches on a GPU, and what that moves."""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Launch(NamedTuple):
  """One kernel, or one call of a library.

  Attributes:
    kind: of what it does.
    num_bytes: of its operands and results.
  """

  kind: str
  num_bytes: int


# What launches nothing.
_FREE = {'parameter', 'constant', 'tuple', 'get-tuple-element', 'bitcast'}
_LAYOUT = {'transpose', 'copy', 'bitcast', 'reshape', 'parameter'}
_LINE = re.compile(r'\s+(?:ROOT )?%?([\w.-]+) = (\([^=]*\)|\S+) ([\w-]+)\((.*)')
_SHAPE = re.compile(r'\b([a-z]+)(\d*)[a-z0-9]*\[([\d,]*)\]')


def of(text: str) -> Iterator[Launch]:
  """The launches of a compiled program, from its text.

  Args:
    text: HLO, scheduled.

  Yields:
    Those of its entry, in order.
  """
  text = re.sub(r'/\*.*?\*/', '', text)
  *bodies, entry = re.split(r'\n(?=ENTRY )', text)
  operations = _operations(''.join(bodies))
  sizes: dict[str, int] = {}
  for line in entry.splitlines():
    match = _LINE.match(line)
    if not match:
      continue
    name, result, operation, rest = match.groups()
    sizes[name] = num_bytes(result)
    if operation in _FREE:
      continue
    operands = re.findall(r'%([\w.-]+)', rest.partition(')')[0])
    moved = sizes[name] + sum(sizes.get(x, 0) for x in operands)
    yield Launch(_kind(operation, rest, operations), moved)


def _operations(bodies: str) -> dict[str, set[str]]:
  """The operations of each computation that a fusion may call, by its name."""
  found: dict[str, set[str]] = {}
  for body in bodies.split('\n\n'):
    name = re.match(r'\s*%?([\w.-]+) \(', body)
    if name:
      lines = map(_LINE.match, body.splitlines())
      found[name[1]] = {line[3] for line in lines if line}
  return found


def _kind(operation: str, rest: str, operations: dict[str, set[str]]) -> str:
  if 'cudnn$conv' in rest:
    return 'convolutions'
  if 'cublas' in rest or '__triton' in rest or 'gemm' in rest:
    return 'products'
  called = re.search(r'calls=%?([\w.-]+)', rest)
  done = operations.get(called[1], set()) if called else {operation}
  return 'layout copies' if done and done <= _LAYOUT else 'everything else'


def num_bytes(shapes: str) -> int:
  """The bytes of one or several arrays, such as `(f32[2,3]{1,0}, u8[0]{0})`."""
  total = 0
  for letters, bits, sides in _SHAPE.findall(shapes):
    size = 1
    for side in filter(None, sides.split(',')):
      size *= int(side)
    total += size * (1 if letters == 'pred' else int(bits or 0) // 8)
  return total
