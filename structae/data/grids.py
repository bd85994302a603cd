"""The factors of the data sets: their names, in order, and their values.

In a full grid the last factor changes fastest:
`index = (((i_0 * n_1 + i_1) * n_2 + i_2) ...) * n_F + i_F`.
"""

from collections.abc import Mapping, Sequence

Value = str | int | float | tuple[float, ...]
Factors = Mapping[str, Sequence[Value]]


def _linspace(low: float, high: float, num: int) -> tuple[float, ...]:
  step = (high - low) / (num - 1)
  return tuple(round(low + i * step, 6) for i in range(num))


SHAPES3D: Factors = {
  'floor_hue': tuple(k / 10 for k in range(10)),
  'wall_hue': tuple(k / 10 for k in range(10)),
  'object_hue': tuple(k / 10 for k in range(10)),
  'scale': _linspace(0.75, 1.25, 8),
  'shape': ('cube', 'cylinder', 'ball', 'capsule'),
  'orientation': _linspace(-30.0, 30.0, 15),
}

MPI3D: Factors = {
  'object_color': ('white', 'green', 'red', 'blue', 'brown', 'olive'),
  'object_shape': (
    'cone',
    'cube',
    'cylinder',
    'hexagonal',
    'pyramid',
    'sphere',
  ),
  'object_size': ('small', 'large'),
  'camera_height': ('top', 'center', 'bottom'),
  'background_color': ('purple', 'sea green', 'salmon'),
  'horizontal_axis': tuple(range(40)),
  'vertical_axis': tuple(range(40)),
}

# Real objects in other colours: not the grid of the other three variants.
MPI3D_COMPLEX: Factors = {
  **MPI3D,
  'object_color': ('yellow', 'green', 'olive', 'red'),
  'object_shape': ('coffee-cup', 'tennis-ball', 'croissant', 'beer-cup'),
}

RFD: Factors = {
  'shape': ('cube',),
  'color': (
    (1.0, 0.0, 0.0),
    (1.0, 0.0, 0.5),
    (1.0, 0.0, 1.0),
    (0.5, 0.0, 1.0),
    (0.0, 0.5, 1.0),
    (0.0, 1.0, 1.0),
    (0.0, 1.0, 0.5),
    (0.0, 1.0, 0.0),
  ),
  'size': (0.065,),
  'joint0': _linspace(-0.65, 0.65, 30),
  'joint1': _linspace(-0.5, 0.5, 30),
  'joint2': _linspace(-0.8, 0.8, 30),
  'x': _linspace(-0.11, 0.11, 30),
  'y': _linspace(-0.11, 0.11, 30),
  'angle': tuple(round(k * 0.15707963, 6) for k in range(10)),
}

DSPRITES: Factors = {
  'shape': ('square', 'ellipse', 'heart'),
  'scale': _linspace(0.5, 1.0, 6),
  'orientation': _linspace(0.0, 6.283185, 40),
  'x': _linspace(0.0, 1.0, 32),
  'y': _linspace(0.0, 1.0, 32),
}

ARM: Factors = {
  'shoulder': _linspace(-90.0, 90.0, 12),
  'elbow': _linspace(-120.0, 120.0, 12),
  'wrist': _linspace(-120.0, 120.0, 12),
  'payload': _linspace(0.0, 2.0, 8),
}

CARS3D: Factors = {
  'elevation': tuple(range(4)),
  'azimuth': tuple(range(24)),
  'object_type': tuple(range(183)),
}

SMALLNORB: Factors = {
  'category': ('animal', 'human', 'airplane', 'truck', 'car'),
  'instance': tuple(range(10)),
  'elevation': tuple(range(30, 75, 5)),
  'azimuth': tuple(range(0, 360, 20)),
  'lighting': tuple(range(6)),
}

CELEBA: Factors = dict.fromkeys(
  (
    '5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs '
    'Big_Lips Big_Nose Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows '
    'Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup '
    'High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard '
    'Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns '
    'Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat '
    'Wearing_Lipstick Wearing_Necklace Wearing_Necktie Young'
  ).split(),
  ('no', 'yes'),
)
