from .codes import Codes as Codes
from .images.fid import fid as fid
from .images.frechet import frechet_distance as frechet_distance
from .images.frechet import (
  frechet_distance_from_moments as frechet_distance_from_moments,
)
from .images.kid import kid as kid
from .images.precision_recall import precision_recall as precision_recall
from .images.weights import load_weights as load_weights
from .metrics.beta_vae_score import beta_vae_score as beta_vae_score
from .metrics.by_variable import dci_by_variable as dci_by_variable
from .metrics.by_variable import irs_by_variable as irs_by_variable
from .metrics.by_variable import mig_by_variable as mig_by_variable
from .metrics.dci import concentration as concentration
from .metrics.dci import dci as dci
from .metrics.dci_es import dci_es as dci_es
from .metrics.dci_es import ease_of_use as ease_of_use
from .metrics.dependence import distance_correlation as distance_correlation
from .metrics.dependence import gaussian_dependence as gaussian_dependence
from .metrics.dependence import pairwise_information as pairwise_information
from .metrics.explicitness import explicitness as explicitness
from .metrics.factor_vae_score import factor_vae_score as factor_vae_score
from .metrics.groups import dependent_groups as dependent_groups
from .metrics.infomec import infomec as infomec
from .metrics.irs import irs as irs
from .metrics.mig import mig as mig
from .metrics.modularity import modularity as modularity
from .metrics.mutual_information import (
  mutual_information as mutual_information,
)
from .metrics.order import factor_levels as factor_levels
from .metrics.order import information_shares as information_shares
from .metrics.order import order_correlation as order_correlation
from .metrics.periodic import dci_periodic as dci_periodic
from .metrics.periodic import mig_periodic as mig_periodic
from .metrics.probes import probe as probe
from .metrics.sap import sap as sap
from .metrics.sap import sap_continuous as sap_continuous
from .metrics.udr import udr as udr
from .metrics.variable_effect import sobol as sobol
from .metrics.variable_effect import variable_effect as variable_effect
from .score import score_codes as score_codes
