from .model import Model as Model
from .pretrained import load_pretrained as load_pretrained
from .pretrained import save_pretrained as save_pretrained
from .run import Run as Run
from .trainer import train as train

__version__: str
