"""A directed acyclic graph over the variables of a code.

Imports nothing of ours and no jax, so that a graph can be checked at once.
"""

import dataclasses
import functools
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Graph:
  """Which maps each variable's map is made of: S_i = f_i(PA_i, U_i).

  Variables are counted from 0.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.1.

  Attributes:
    parents: of each variable; one without parents reads the start S_0.
    ends: the variables whose maps the image is made of; by default those that
      are nobody's parents.

  Raises:
    ValueError: if the graph has a circle.
  """

  parents: tuple[tuple[int, ...], ...]
  ends: tuple[int, ...] = ()

  def __post_init__(self) -> None:
    if not self.ends:
      read = {j for parents in self.parents for j in parents}
      ends = tuple(i for i in range(len(self.parents)) if i not in read)
      object.__setattr__(self, 'ends', ends)
    if found := circle(self.parents):
      raise ValueError(f'the variables {list(found)} form a circle.')

  @functools.cached_property
  def order(self) -> tuple[int, ...]:
    """The variables, every one behind its parents."""
    levels = self.levels
    return tuple(sorted(range(len(levels)), key=lambda i: (levels[i], i)))

  @functools.cached_property
  def levels(self) -> tuple[int, ...]:
    """Of each variable, the parents on the longest way to it from S_0."""
    found: dict[int, int] = {}
    while len(found) < len(self.parents):
      for i, parents in enumerate(self.parents):
        if all(j in found for j in parents):
          found[i] = 1 + max((found[j] for j in parents), default=-1)
    return tuple(found[i] for i in range(len(self.parents)))

  @property
  def num_levels(self) -> int:
    """The number of variables on the longest way."""
    return 1 + max(self.levels)

  def descendants(self, variable: int) -> tuple[int, ...]:
    """The variables whose maps U_i changes: itself and all behind it."""
    found = {variable}
    for i in self.order:
      if found.intersection(self.parents[i]):
        found.add(i)
    return tuple(sorted(found))

  def unseen(self) -> tuple[int, ...]:
    """The variables from which no way leads to the image."""
    seen = set(self.ends)
    for i in reversed(self.order):
      if i in seen:
        seen.update(self.parents[i])
    return tuple(i for i in range(len(self.parents)) if i not in seen)


def circle(parents: Sequence[Sequence[int]]) -> tuple[int, ...]:
  """Finds variables each of which is a parent of the next, round and round.

  Args:
    parents: of each variable, counted from 0.

  Returns:
    The variables, the first of them first; none if there is no circle.
  """
  left = set(range(len(parents)))
  while free := {i for i in left if not left.intersection(parents[i])}:
    left -= free
  # What is left has a parent that is left, so that going up must come round.
  way = sorted(left)[:1]
  while way:
    parent = min(left.intersection(parents[way[-1]]))
    if parent in way:
      found = way[way.index(parent) :][::-1]
      first = found.index(min(found))
      return (*found[first:], *found[:first])
    way.append(parent)
  return ()


def chain(num_variables: int) -> Graph:
  """The graph 1 -> 2 -> ... -> K, which is that of a structural decoder."""
  return Graph(tuple((i - 1,) if i else () for i in range(num_variables)))
