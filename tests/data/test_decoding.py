"""Pictures of every mode, against Pillow's conversions, and their bounds."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from structae.data import decoding, picture_bounds

MODES = ['1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'CMYK', 'YCbCr', 'I;16', 'I']
SIZE = (45, 37)


def image(mode, size=SIZE):
  rng = np.random.default_rng(0)
  if mode.startswith('I'):
    deep = rng.integers(0, 2**16, size[::-1])
    return Image.fromarray(
      deep.astype(np.uint16 if mode == 'I;16' else 'int32')
    )
  pixels = rng.integers(0, 256, (*size[::-1], 4)).astype(np.uint8)
  rgba = Image.fromarray(pixels)
  return rgba if mode == 'RGBA' else rgba.convert('RGB').convert(mode)


def plain(picture, mode):
  """As Pillow says it, copy after copy."""
  turned = ImageOps.exif_transpose(picture)
  if turned.mode.startswith('I'):
    turned = Image.fromarray((np.asarray(turned) // 256).astype(np.uint8))
  if turned.has_transparency_data:
    turned = turned.convert('RGBA')
    white = Image.new('RGBA', turned.size, (255, 255, 255, 255))
    turned = Image.alpha_composite(white, turned)
  pixels = np.asarray(turned.convert(mode))
  return pixels.reshape(*turned.size[::-1], -1)


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('to', ['RGB', 'L'])
def test_tiles_are_what_the_whole_would_be(mode, to, monkeypatch):
  monkeypatch.setattr(decoding, '_TILE', 16)
  picture = image(mode)
  if mode == 'P':
    picture.info['transparency'] = bytes(range(256))
  before = picture.tobytes()
  np.testing.assert_array_equal(
    decoding.as_array(picture, to), plain(picture, to)
  )
  assert picture.tobytes() == before and picture.size == SIZE


@pytest.mark.parametrize('orientation', range(1, 9))
def test_every_orientation(orientation, monkeypatch):
  monkeypatch.setattr(decoding, '_TILE', 16)
  picture = image('RGB')
  picture.getexif()[0x0112] = orientation
  actual = decoding.as_array(picture)
  np.testing.assert_array_equal(actual, plain(picture, 'RGB'))
  assert actual.flags.c_contiguous and picture.size == SIZE


def jpeg(**options):
  file = io.BytesIO()
  image('RGB').save(file, 'JPEG', **options)
  return file.getvalue()


def test_a_jpeg_of_many_scans_is_refused():
  data = jpeg(progressive=True)
  place = data.rindex(b'\xff\xda')
  scan = data[place:-2]  # before the end
  decoding.decode(data[:-2] + 40 * scan + data[-2:])
  with pytest.raises(ValueError, match='more than 64 scans'):
    decoding.decode(data[:-2] + 60 * scan + data[-2:])
  # What follows the picture, such as the film of a phone, is no part of it.
  assert decoding.decode(data + 99 * scan).shape == (37, 45, 3)


def test_a_program_is_no_picture():
  file = io.BytesIO()
  image('RGB').save(file, 'EPS')
  with pytest.raises(ValueError, match='no picture of a known format'):
    decoding.decode(file.getvalue())


# Prints what each picture took above its file, in bytes. The peak of this
# process alone can be set back, on Linux. Freed memory is handed back at once.
MEASURED = """
import io, re, sys
from pathlib import Path
import numpy as np
from PIL import Image
from structae.data import decoding, pictures

def peak():
  Path('/proc/self/clear_refs').write_text('5')
  return lambda: int(
    re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1]
  ) * 1024

def check(name, data):
  read = peak(); before = read()
  try:
    pictures.square(decoding.decode(data), 64, 'centre')
    said = 'read'
  except ValueError as error:
    said = 'refused'
  print(name, said, read() - before, flush=True)

def saved(mode, side, kind='PNG', **options):
  file = io.BytesIO()
  Image.new(mode, (side, side - 1)).save(file, kind, **options)
  return file.getvalue()

for mode in ('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'I;16'):
  check('PNG', saved(mode, 2000, compress_level=1))
check('huge', saved('L', 8000, compress_level=1))
for mode in ('L', 'RGB', 'CMYK'):
  options = {'subsampling': 0}
  check('JPEG', saved(mode, 2000, 'JPEG', **options))
  check('progressive', saved(mode, 2000, 'JPEG', progressive=True, **options))
options = {'lossless': True, 'quality': 0, 'method': 0}
check('WEBP', saved('RGBA', 2000, 'WEBP', **options))
check('GIF', saved('P', 2000, 'GIF'))
check('TIFF', saved('RGBA', 2000, 'TIFF', compression='tiff_lzw'))
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_what_a_picture_of_every_mode_takes():
  out = subprocess.run(
    [sys.executable, '-c', MEASURED],
    env=os.environ | {'MALLOC_MMAP_THRESHOLD_': '65536'},
    capture_output=True,
    text=True,
    timeout=120,
    check=True,
  ).stdout
  rows = [line.split() for line in out.splitlines()]
  assert len(rows) == 17
  for name, said, growth in rows:
    assert said == ('refused' if name == 'huge' else 'read'), name
    cost = {'huge': 0, 'progressive': 13} | picture_bounds.FORMATS
    # A pixel's, and what the tiles and the result take.
    assert int(growth) < cost[name] * 2000 * 2000 + 6e6, (name, growth)
  # It can fail: most of the allowance is used.
  assert max(int(growth) for _, _, growth in rows) > 12 * 2000 * 2000
