"""A ray-caster for one object in a square room under one lamp.

World frame: z points up, the floor is z = 0, the object stands on the floor at
the origin, the walls are x = +-W and y = +-W, open at the top. The camera
stands on a ring around the object and faces it. Vectors are arrays whose first
axis holds x, y and z.
"""

import functools

import jax
import jax.numpy as jnp

# The scene. Lengths are in one unit throughout; the numbers were fitted to
# published frames of 3D-Shapes, see `shapes3d_synth`.
CAMERA_RADIUS = 3.214  # of the ring the camera stands on
CAMERA_HEIGHT = 0.9774
LOOK_AT_HEIGHT = 0.8669  # the camera looks at this height over the origin
FOCAL_LENGTH = 1.1855  # in image widths
ROOM_HALF_WIDTH = 3.6502
WALL_HEIGHT = 2.0714
# Object sizes at scale 1.
BOX_HALF_EDGE = 0.4243
CYLINDER_RADIUS = 0.4733
CYLINDER_HALF_HEIGHT = 0.478
SPHERE_RADIUS = 0.5011
CAPSULE_RADIUS = 0.3836
CAPSULE_HALF_LENGTH = 0.374  # of its straight part
# Light. Intensities multiply the colour of a surface.
LAMP_POSITION = (-2.1039, 0.6055, 9.1745)
LAMP_AXIS = (0.0705, 0.0292, -1.0)  # not normalised
LAMP_DIFFUSE = 1.0189
LAMP_SPOT_EXPONENT = 18.046
LAMP_FALL_OFF = 0.0028894  # intensity / (1 + fall_off * distance^2)
AMBIENT = 0.3455
HEADLIGHT = 0.6184  # a light at the camera, without fall-off
FLOOR_SHADOW = 0.64  # what the object's shadow leaves of the other lights
SPECULAR = 0.1982  # the object's white highlight
SPECULAR_EXPONENT = 4

SHAPES = ('cube', 'cylinder', 'sphere', 'capsule')
SKY, FLOOR, WALL, OBJECT = range(4)


def _dot(a: jax.Array, b: jax.Array) -> jax.Array:
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _unit(a: jax.Array) -> jax.Array:
  return a * jax.lax.rsqrt(_dot(a, a))


def _column(vector: tuple[float, ...]) -> jax.Array:
  return jnp.array(vector)[:, None, None]


def camera_rays(angle: jax.Array, width: int) -> tuple[jax.Array, jax.Array]:
  """Casts one ray through the centre of every pixel of a square image.

  Args:
    angle: the orientation label in degrees, -30 to 30 in 3D-Shapes.
    width: pixels in a row, and rows.

  Returns:
    The camera's position `[3, 1, 1]` and unit directions `[3, width, width]`.
  """
  theta = -jnp.deg2rad(angle)
  sin, cos = jnp.sin(theta), jnp.cos(theta)
  zero = jnp.zeros_like(sin)
  forward = _unit(
    jnp.stack(
      [
        CAMERA_RADIUS * sin,
        CAMERA_RADIUS * cos,
        zero + LOOK_AT_HEIGHT - CAMERA_HEIGHT,
      ]
    )
  )
  right = jnp.stack([cos, -sin, zero])
  up = jnp.cross(right, forward)
  position = jnp.stack(
    [-CAMERA_RADIUS * sin, -CAMERA_RADIUS * cos, zero + CAMERA_HEIGHT]
  )
  offset = ((jnp.arange(width) + 0.5) / width - 0.5) / FOCAL_LENGTH
  x, y = offset[None, None, :], -offset[None, :, None]
  column = (slice(None), None, None)
  directions = forward[column] + x * right[column] + y * up[column]
  return position[column], _unit(directions)


def _ahead(distance: jax.Array, valid: jax.Array) -> jax.Array:
  return jnp.where(valid & (distance > 0), distance, jnp.inf)


def _hit_box(
  origin: jax.Array, direction: jax.Array, half_edge: jax.Array
) -> jax.Array:
  centre = jnp.stack([0.0 * half_edge, 0.0 * half_edge, half_edge])
  a = (centre[:, None, None] - half_edge - origin) / direction
  b = (centre[:, None, None] + half_edge - origin) / direction
  near = jnp.minimum(a, b).max(0)
  return _ahead(near, near < jnp.maximum(a, b).min(0))


def _hit_side(
  origin: jax.Array,
  direction: jax.Array,
  radius: jax.Array,
  bottom: jax.Array,
  top: jax.Array,
) -> jax.Array:
  """The distance to the side of an upright cylinder."""
  a = direction[0] ** 2 + direction[1] ** 2
  b = origin[0] * direction[0] + origin[1] * direction[1]
  c = origin[0] ** 2 + origin[1] ** 2 - radius**2
  root = b * b - a * c
  near = (-b - jnp.sqrt(jnp.maximum(root, 0.0))) / a
  height = origin[2] + near * direction[2]
  return _ahead(near, (root > 0) & (height >= bottom) & (height <= top))


def _hit_ball(
  origin: jax.Array, direction: jax.Array, radius: jax.Array, height: jax.Array
) -> jax.Array:
  """The distance to a ball over the origin; unit directions."""
  x, y, z = origin[0], origin[1], origin[2] - height
  b = x * direction[0] + y * direction[1] + z * direction[2]
  root = b * b - (x * x + y * y + z * z - radius**2)
  return _ahead(-b - jnp.sqrt(jnp.maximum(root, 0.0)), root > 0)


def hit_object(
  origin: jax.Array, direction: jax.Array, shape: jax.Array, scale: jax.Array
) -> jax.Array:
  """Finds where rays from outside first meet the object.

  Args:
    origin: `[3, H or 1, W or 1]`.
    direction: `[3, H, W]`, of unit length.
    shape: its number in `SHAPES`.
    scale: the object's scale.

  Returns:
    Distances `[H, W]`, infinite where a ray misses.
  """

  def cube() -> jax.Array:
    return _hit_box(origin, direction, BOX_HALF_EDGE * scale)

  def cylinder() -> jax.Array:
    radius, top = CYLINDER_RADIUS * scale, 2 * CYLINDER_HALF_HEIGHT * scale
    side = _hit_side(origin, direction, radius, 0.0 * top, top)
    lid = (top - origin[2]) / direction[2]
    x, y = origin[0] + lid * direction[0], origin[1] + lid * direction[1]
    return jnp.minimum(side, _ahead(lid, x * x + y * y <= radius**2))

  def sphere() -> jax.Array:
    radius = SPHERE_RADIUS * scale
    return _hit_ball(origin, direction, radius, radius)

  def capsule() -> jax.Array:
    radius, length = CAPSULE_RADIUS * scale, 2 * CAPSULE_HALF_LENGTH * scale
    side = _hit_side(origin, direction, radius, radius, radius + length)
    low = _hit_ball(origin, direction, radius, radius)
    high = _hit_ball(origin, direction, radius, radius + length)
    return jnp.minimum(side, jnp.minimum(low, high))

  return jax.lax.switch(shape, (cube, cylinder, sphere, capsule))


def _object_normal(
  point: jax.Array, shape: jax.Array, scale: jax.Array
) -> jax.Array:
  x, y, z = point

  def cube() -> jax.Array:
    offset = jnp.stack([x, y, z - BOX_HALF_EDGE * scale])
    face = jnp.abs(offset) >= jnp.abs(offset).max(0)
    return jnp.sign(offset) * face

  def cylinder() -> jax.Array:
    lid = z >= 2 * CYLINDER_HALF_HEIGHT * scale - 1e-4
    side = jnp.stack([x, y, jnp.zeros_like(z)])
    return jnp.where(lid, _column((0.0, 0.0, 1.0)), side)

  def sphere() -> jax.Array:
    return jnp.stack([x, y, z - SPHERE_RADIUS * scale])

  def capsule() -> jax.Array:
    radius, length = CAPSULE_RADIUS * scale, 2 * CAPSULE_HALF_LENGTH * scale
    return jnp.stack([x, y, z - jnp.clip(z, radius, radius + length)])

  return _unit(jax.lax.switch(shape, (cube, cylinder, sphere, capsule)))


def _hit_room(
  origin: jax.Array, direction: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
  """Distances to the floor, to the x walls and to the y walls."""

  # From inside, a ray can only meet the wall that it flies towards.
  def wall(axis: int) -> jax.Array:
    ahead = jnp.sign(direction[axis]) * ROOM_HALF_WIDTH
    distance = (ahead - origin[axis]) / direction[axis]
    height = origin[2] + distance * direction[2]
    return _ahead(distance, (height >= 0) & (height <= WALL_HEIGHT))

  floor = -origin[2] / direction[2]
  return _ahead(floor, floor > 0), wall(0), wall(1)


@functools.partial(jax.jit, static_argnames='width')
def cast(
  scale: jax.Array, shape: jax.Array, angle: jax.Array, width: int
) -> tuple[jax.Array, jax.Array, jax.Array]:
  """Ray-casts one geometry, whatever the colours of its surfaces.

  A surface of colour `c` shows as `clip(c * intensity + specular, 0, 1)`.

  Args:
    scale: the object's scale.
    shape: its number in `SHAPES`.
    angle: the orientation label in degrees.
    width: rays in a row, and rows.

  Returns:
    The surface that each ray meets (`SKY`, `FLOOR`, `WALL` or `OBJECT`), the
    intensity of the light there and the specular term, each `[width, width]`.
  """
  origin, direction = camera_rays(angle, width)
  floor, wall_x, wall_y = _hit_room(origin, direction)
  solid = hit_object(origin, direction, shape, scale)
  wall = jnp.minimum(wall_x, wall_y)
  distance = jnp.minimum(jnp.minimum(floor, wall), solid)
  seen = jnp.isfinite(distance)
  distance = jnp.where(seen, distance, 1.0)
  surface = jnp.where(distance == floor, FLOOR, WALL)
  surface = jnp.where(distance == solid, OBJECT, surface)
  surface = jnp.where(seen, surface, SKY)

  point = origin + distance * direction
  x_axis, y_axis = _column((1.0, 0.0, 0.0)), _column((0.0, 1.0, 0.0))
  facing = jnp.where(wall_x < wall_y, x_axis, y_axis)
  normal = jnp.where(
    surface == FLOOR, _column((0.0, 0.0, 1.0)), -jnp.sign(direction) * facing
  )
  normal = jnp.where(
    surface == OBJECT, _object_normal(point, shape, scale), normal
  )

  to_lamp = _column(LAMP_POSITION) - point
  lamp_distance = jnp.sqrt(_dot(to_lamp, to_lamp))
  to_lamp = to_lamp / lamp_distance
  # Hard shadows, and of the object alone: the walls throw none. The step off
  # the surface keeps rounding from shading it with itself.
  blocked = hit_object(point + 1e-3 * normal, to_lamp, shape, scale)
  lit = jnp.isinf(blocked).astype(jnp.float32)
  spot = jnp.maximum(-_dot(to_lamp, _unit(_column(LAMP_AXIS))), 1e-3)
  lamp = (
    LAMP_DIFFUSE
    * lit
    * jnp.maximum(_dot(normal, to_lamp), 0.0)
    * spot**LAMP_SPOT_EXPONENT
    / (1 + LAMP_FALL_OFF * lamp_distance**2)
  )
  headlight = HEADLIGHT * jnp.maximum(-_dot(normal, direction), 0.0)
  half_way = jnp.maximum(_dot(normal, _unit(to_lamp - direction)), 0.0)
  specular = SPECULAR * lit * half_way**SPECULAR_EXPONENT
  specular = jnp.where(surface == OBJECT, specular, 0.0)
  other = AMBIENT + headlight
  other *= jnp.where((lit == 0) & (surface == FLOOR), FLOOR_SHADOW, 1.0)
  return surface, other + lamp, specular
