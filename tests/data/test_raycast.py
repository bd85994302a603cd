import jax.numpy as jnp
import numpy as np
import pytest

from structae.data import raycast


def _inside(shape, scale, p):
  """The solids, written down once more: `p` is [..., 3]."""
  x, y, z = np.moveaxis(p, -1, 0)
  flat = np.hypot(x, y)
  if shape == 'cube':
    h = raycast.BOX_HALF_EDGE * scale
    return np.maximum(np.maximum(abs(x), abs(y)), abs(z - h)) < h
  if shape == 'cylinder':
    h = raycast.CYLINDER_HALF_HEIGHT * scale
    return (flat < raycast.CYLINDER_RADIUS * scale) & (abs(z - h) < h)
  if shape == 'sphere':
    r = raycast.SPHERE_RADIUS * scale
    return np.hypot(flat, z - r) < r
  r = raycast.CAPSULE_RADIUS * scale
  length = raycast.CAPSULE_HALF_LENGTH * scale
  middle = r + length
  beyond = np.maximum(abs(z - middle) - length, 0)
  return np.hypot(flat, beyond) < r


@pytest.mark.parametrize('shape', raycast.SHAPES)
def test_a_ray_meets_the_solid_where_its_points_first_lie_inside(shape):
  rng = np.random.RandomState(0)
  scale, num = 1.1, 400
  origin = rng.uniform(-3, 3, (num, 3))
  origin[:, 2] = rng.uniform(1.5, 4, num)
  target = rng.uniform(-0.7, 0.7, (num, 3)) + [0, 0, 0.6]
  direction = target - origin
  direction /= np.linalg.norm(direction, axis=1, keepdims=True)
  distance = raycast.hit_object(
    jnp.asarray(origin.T)[:, None],
    jnp.asarray(direction.T)[:, None],
    jnp.asarray(raycast.SHAPES.index(shape)),
    jnp.asarray(scale),
  )[0]
  step = 0.002
  along = np.arange(0, 8, step)
  points = origin[:, None] + along[None, :, None] * direction[:, None]
  points_inside = _inside(shape, scale, points) & (points[..., 2] > 0)
  first = np.where(points_inside.any(1), along[points_inside.argmax(1)], np.inf)
  hits = np.isfinite(first)
  assert 50 < hits.sum() < num - 50
  np.testing.assert_allclose(distance[hits], first[hits], atol=1.01 * step)
  # A miss may graze the solid for less than a step.
  assert np.isinf(distance[~hits]).mean() > 0.97


@pytest.mark.parametrize('angle', [-30.0, -4.0, 17.0])
def test_rays_pass_through_the_centres_of_their_pixels(angle):
  width = 64
  position, direction = raycast.camera_rays(jnp.asarray(angle), width)
  position = np.asarray(position, np.float64)[:, 0, 0]
  direction = np.asarray(direction, np.float64)
  # Any point on a ray projects back to the centre of its pixel.
  theta = np.deg2rad(-angle)
  target = np.array([0, 0, raycast.LOOK_AT_HEIGHT])
  assert np.hypot(*position[:2]) == pytest.approx(raycast.CAMERA_RADIUS)
  forward = (target - position) / np.linalg.norm(target - position)
  right = np.array([np.cos(theta), -np.sin(theta), 0])
  up = np.cross(right, forward)
  depth = np.tensordot(forward, direction, 1)
  column = np.tensordot(right, direction, 1) / depth * raycast.FOCAL_LENGTH
  row = -np.tensordot(up, direction, 1) / depth * raycast.FOCAL_LENGTH
  centres = (np.arange(width) + 0.5) / width - 0.5
  np.testing.assert_allclose(column, np.tile(centres, (width, 1)), atol=1e-5)
  np.testing.assert_allclose(row, np.tile(centres[:, None], width), atol=1e-5)


def test_light_by_hand_at_the_points_that_rays_meet():
  """The shading equation in plain numpy, at a few rays of one geometry."""
  scale, shape, angle, width = 1.0, 'sphere', 12.0, 192
  surface, intensity, specular = map(
    np.asarray,
    raycast.cast(
      jnp.asarray(scale),
      jnp.asarray(raycast.SHAPES.index(shape)),
      jnp.asarray(angle),
      width,
    ),
  )
  position, direction = map(
    np.asarray, raycast.camera_rays(jnp.asarray(angle), width)
  )
  lamp = np.array(raycast.LAMP_POSITION)
  axis = np.array(raycast.LAMP_AXIS) / np.linalg.norm(raycast.LAMP_AXIS)
  radius = raycast.SPHERE_RADIUS * scale
  centre = np.array([0, 0, radius])
  checked = set()
  for i, j in np.ndindex(width, width):
    if i % 8 or j % 8:
      continue
    eye, ray = position[:, 0, 0].astype(float), direction[:, i, j].astype(float)
    if surface[i, j] == raycast.FLOOR:
      point, normal = eye - eye[2] / ray[2] * ray, np.array([0, 0, 1.0])
    elif surface[i, j] == raycast.OBJECT:
      towards = np.dot(centre - eye, ray)
      off = np.linalg.norm(centre - eye - towards * ray)
      point = eye + (towards - np.sqrt(max(radius**2 - off**2, 0))) * ray
      normal = (point - centre) / radius
    else:
      continue
    to_lamp = lamp - point
    far = np.linalg.norm(to_lamp)
    to_lamp /= far
    start = point + 1e-3 * normal
    passing = np.linalg.norm(np.cross(centre - start, to_lamp))
    if abs(passing - radius) < 0.02:  # the shadow's rim
      continue
    dark = passing < radius and np.dot(centre - start, to_lamp) > 0
    dark = dark or np.dot(normal, to_lamp) < -0.01
    lit = 0.0 if dark else 1.0
    floor_shadow = dark and surface[i, j] == raycast.FLOOR
    other = raycast.FLOOR_SHADOW if floor_shadow else 1.0
    spot = max(np.dot(axis, -to_lamp), 1e-3) ** raycast.LAMP_SPOT_EXPONENT
    expected = other * (
      raycast.AMBIENT + raycast.HEADLIGHT * max(-np.dot(normal, ray), 0)
    ) + lit * raycast.LAMP_DIFFUSE * max(np.dot(normal, to_lamp), 0) * spot / (
      1 + raycast.LAMP_FALL_OFF * far**2
    )
    assert intensity[i, j] == pytest.approx(expected, abs=2e-3)
    if surface[i, j] == raycast.FLOOR:
      assert specular[i, j] == 0
    elif not dark:
      half = to_lamp - ray
      half /= np.linalg.norm(half)
      shine = max(np.dot(normal, half), 0) ** raycast.SPECULAR_EXPONENT
      assert specular[i, j] == pytest.approx(raycast.SPECULAR * shine, abs=2e-3)
    checked.add((surface[i, j], bool(dark)))
  assert len(checked) == 4  # floor and object, lit and dark
