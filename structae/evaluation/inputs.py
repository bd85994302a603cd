"""What there is to score, and what a function that scores it answers."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from structae.evaluation import registry
from structae.evaluation.codes import Codes, varying

Images = Callable[[], Iterable[np.ndarray]]


class ImageSets(NamedTuple):
  """Sets of images to compare by features of the Inception network.

  Attributes:
    real: makes batches of real images, uint8 `[B, H, W, C]`, anew every time.
    others: makes those of each set that is compared, by its name in
      `registry.SETS`.
    weights: reads the weights of the network.
    cache: a folder, and a name that tells the real images from all others, to
      keep their statistics under; None keeps nothing.
  """

  real: Images
  others: Mapping[str, Images]
  weights: Callable[[], Any]
  cache: tuple[str | os.PathLike[str], str] | None = None


@dataclasses.dataclass(frozen=True)
class Inputs:
  """What there is to score; what there is not is None.

  Attributes:
    train: codes that are scored, and that predictors are fitted to.
    test: held-out codes.
    validation: codes of what is left; the paper's points are drawn from them
      too.
    decode: codes `[N, K, D]` -> uint8 images `[N, H, W, C]`, or vectors.
    in_order: whether the decoder reads one variable after the other.
    examples: indices `[N]` -> examples of the data set.
    reconstruct: indices `[N]` -> `loss`, `floor` (nats) and `mse`, `[N]` each.
    reconstruct_sampled: the same, from codes drawn from their posteriors.
    render: factors `[N, F]` -> their images; raises ValueError if the data set
      does not hold every combination.
    scenes: the tables of `shapes3d_synth` in the size of the images.
    samples: decoded samples by their name in `registry.SETS`.
    shown: places in `test` of the reconstructions that scenes are compared to.
    image_sets: makes the sets of images for FID and its kin.
    log: takes lines about what cannot be scored, and progress.
    asked: the metrics that are asked for; the runner fills it in.
  """

  train: Codes | None = None
  test: Codes | None = None
  validation: Codes | None = None
  decode: Callable[[np.ndarray], np.ndarray] | None = None
  in_order: bool = True
  examples: Callable[[np.ndarray], np.ndarray] | None = None
  reconstruct: Callable[[np.ndarray], dict[str, np.ndarray]] | None = None
  reconstruct_sampled: Callable[[np.ndarray], dict[str, np.ndarray]] | None = (
    None
  )
  render: Callable[[np.ndarray], np.ndarray] | None = None
  scenes: Any = None
  samples: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
  shown: np.ndarray | None = None
  image_sets: Callable[[], ImageSets] | None = None
  log: Callable[[str], None] = lambda line: None
  asked: tuple[str, ...] = ()


class Found(NamedTuple):
  """A value of a score, before the runner builds its entry.

  Attributes:
    score: the name of its row.
    value: the value, or None.
    num: the number of examples it was taken over, if known.
    of: the member of a family.
    more: what else to keep beside it.
    missing: why there is no value.
  """

  score: str
  value: float | None
  num: int | None = None
  of: str = ''
  more: Mapping[str, Any] = {}
  missing: str = ''


class Answer(NamedTuple):
  """What a function found: values, and what `scores.json` keeps besides."""

  values: list[Found]
  matrices: Mapping[str, Any] = {}
  details: Mapping[str, Any] = {}


# Whether there is what a score needs.
_PRESENT: dict[str, Callable[[Inputs], bool]] = {
  'codes': lambda inputs: inputs.train is not None,
  'factors': lambda inputs: (
    inputs.train is not None and bool(len(varying(inputs.train)))
  ),
  'held-out codes': lambda inputs: inputs.test is not None,
  'decoder': lambda inputs: inputs.decode is not None,
  'reconstructions': lambda inputs: (
    inputs.reconstruct is not None and inputs.examples is not None
  ),
  'data set': lambda inputs: inputs.render is not None,
  'scenes': lambda inputs: inputs.scenes is not None,
  'images': lambda inputs: inputs.image_sets is not None,
  'posterior': lambda inputs: (
    inputs.test is not None and inputs.test.log_var is not None
  ),
  'sampled reconstructions': lambda inputs: (
    inputs.reconstruct_sampled is not None
  ),
  'several models': lambda inputs: False,
}


def unmet(metric: str, inputs: Inputs) -> str:
  """The first need of a metric that the inputs lack, or ''."""
  needs = registry.of_metric(metric)[0].needs
  return next((need for need in needs if not _PRESENT[need](inputs)), '')
