from .comparison import write_comparison as write_comparison
from .live import play as play
from .report import write_report as write_report
from .summary import aligned as aligned
from .summary import summary as summary
