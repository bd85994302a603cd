"""Which files of pictures are read, and how much memory and time they may take.

A picture is refused, before it is unpacked, if its pixels would take more than
200 MB and 100 bytes for each byte of its file. Photographs need a few bytes for
each, whatever their size; 60 kB that unpack to 64 million pixels are none.
"""

import re
from typing import TYPE_CHECKING

from structae import files

if TYPE_CHECKING:
  from PIL import Image

# Formats that are read, and what a pixel takes at most (bytes) while it is
# decoded, copied into an array and resized: Pillow's image has 4, the array 3,
# the centre that is cut out 3. Some decoders need more beside the image, above
# all those that hand out whole frames.
FORMATS = {
  'AVIF': 20,
  'BMP': 10,
  'GIF': 10,
  'JPEG': 10,
  'JPEG2000': 26,
  'PNG': 10,
  'PPM': 10,
  'TIFF': 12,
  'WEBP': 20,
  'TGA': 10,  # last, since nothing marks its files
}
_PROGRESSIVE = 13  # bytes: a JPEG with the coefficients of all its pixels
_MOST_GROWTH = 100  # bytes of memory for each byte of a file
_MOST_SCANS = 64  # of a JPEG; each is a pass over all pixels, ten are usual

# The next marker in a JPEG's compressed data, where 0xff is followed by zero.
_MARKER = re.compile(rb'\xff[^\x00\xff\xd0-\xd7]')
_SCAN, _END = 0xDA, 0xD9


def check(picture: 'Image.Image', data: bytes) -> None:
  """Refuses a picture that is far larger than its file, or made to take long.

  Args:
    picture: opened, not loaded.
    data: its file's bytes.

  Raises:
    ValueError: if it would take too much memory or too many passes.
  """
  width, height = picture.size
  cost = FORMATS['JPEG' if picture.format == 'MPO' else picture.format or '']
  if 'progressive' in picture.info:
    cost = _PROGRESSIVE
    check_scans(data)
  content = width * height * cost
  if content > files.MOST_GROWTH + _MOST_GROWTH * len(data):
    raise ValueError(
      f'{len(data):,} bytes would unpack to {width}x{height} pixels, which '
      f'take {content / 1e6:,.0f} MB; make it smaller'
    )


def check_scans(data: bytes) -> None:
  """Refuses a JPEG of more scans than any encoder writes.

  Args:
    data: the file's bytes.

  Raises:
    ValueError: if there are more than 64.
  """
  place, num_scans = 2, 0
  while (marker := _MARKER.search(data, place)) and num_scans <= _MOST_SCANS:
    place, kind = marker.end(), data[marker.end() - 1]
    if kind == _END:  # what follows, a film for example, is no part of it
      return
    num_scans += kind == _SCAN
    place += int.from_bytes(data[place : place + 2], 'big')
  if num_scans > _MOST_SCANS:
    raise ValueError(
      f'a JPEG of more than {_MOST_SCANS} scans; save it as a baseline JPEG'
    )
