from .pretrained.folder import load_pretrained as load_pretrained
from .pretrained.folder import save_pretrained as save_pretrained
from .pretrained.model import Pretrained as Pretrained

__version__: str
