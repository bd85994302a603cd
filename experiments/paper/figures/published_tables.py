"""The published tables, as `published` reads them: a model a line.

All are read off figures in the authors' public repository, as of 2021 (runs
named 210125 to 210201): positions of bars and markers in vector plots, against
the ticks of their axes, to about 0.1 of FID and 0.001 of a score. They are the
paper's experiments, a version earlier, with the `released` widths of models.
Values of VAE, β-VAE and VLAE come from a defective KL divergence, those of WAE
from a defective MMD: `objective.released` trains by either.
After ±, the deviation of the population over seeds; a dash is no value.

In `fid_hybrid` whole variables are recombined, and in `fid_hybrid_by_dimension`
single numbers; where a variable is a single number the two are one.

Source: https://github.com/felixludos/learn_rep, of Leeb et al.,
https://arxiv.org/abs/2006.07796
"""

# 3D-Shapes, five seeds, of which the plot shows four of the VAE and three of
# the β-VAE. Source: new_figures/seeds-metrics.pdf (figures 5, right, and 10).
SHAPES3D_FACTORS_5 = """
model     disentanglement  irs          mig          sap          modularity
SAE-12    0.974±0.049      0.835±0.067  0.530±0.092  0.166±0.016  0.969±0.020
SAE-6     0.864±0.043      0.744±0.022  0.208±0.132  0.053±0.024  0.968±0.012
SAE-4     0.740±0.025      0.654±0.054  0.209±0.026  0.088±0.024  0.945±0.017
VLAE-12   0.832±0.156      0.751±0.160  0.553±0.205  0.205±0.072  0.914±0.043
AdaAE-12  0.299±0.026      0.503±0.018  0.062±0.023  0.030±0.015  0.876±0.015
AE        0.307±0.084      0.638±0.037  0.092±0.041  0.048±0.017  0.926±0.032
WAE       0.211±0.038      0.622±0.082  0.050±0.016  0.030±0.011  0.946±0.032
VAE       0.314±0.102      0.607±0.061  0.138±0.073  0.059±0.030  0.892±0.021
β-VAE     0.235±0.116      0.593±0.056  0.127±0.052  0.042±0.007  0.879±0.033
"""

# 3D-Shapes, first seed. Source: new_figures/3ds_*.pdf (figure 5, left).
SHAPES3D_FACTORS = """
model     disentanglement  irs    mig    modularity  sap
SAE-12    1.000            0.839  0.665  0.971       0.189
SAE-6     0.815            0.712  0.133  0.969       0.029
SAE-4     0.693            0.560  0.218  0.918       0.118
SAE-3     0.765            0.650  0.269  0.941       0.056
SAE-2     0.577            0.580  0.220  0.929       0.078
VLAE-12   0.829            0.676  0.662  0.929       0.183
VLAE-6    0.785            0.689  0.326  0.929       0.081
VLAE-4    0.690            0.544  0.282  0.900       0.115
VLAE-3    0.673            0.593  0.365  0.927       0.052
VLAE-2    0.522            0.548  0.314  0.870       0.038
AdaAE-12  0.272            0.477  0.046  0.862       0.024
AdaAE-6   0.283            0.514  0.045  0.882       0.019
AdaAE-4   0.449            0.548  0.130  0.937       0.083
AdaAE-3   0.470            0.571  0.121  0.934       0.048
AdaAE-2   0.368            0.580  0.056  0.919       0.027
AE        0.326            0.610  0.093  0.880       0.060
WAE       0.205            0.640  0.057  0.958       0.036
VAE       0.441            0.712  0.252  0.904       0.099
β-VAE     0.196            0.640  0.107  0.834       0.047
"""

# 3D-Shapes, five seeds; the cross entropy is the validation loss at the last
# step. Source: new_figures/seeds-rec.pdf and seeds-generated.pdf (figure 8).
SHAPES3D_QUALITY_5 = """
model     test_bce    fid_rec   fid_hybrid  fid_hybrid_by_dimension  fid_prior
SAE-12    3459.4±2.6  16.7±3.1  31.5±7.1
SAE-6     3460.7      19.0±2.1  -           51.9
SAE-4     3460.2      18.9±0.5  -           48.0
VLAE-12   3479.5      25.0±1.4  31.8±4.9    -                        42.6±3.8
AdaAE-12  3459.9      18.4±1.0  63.0±2.9
AE        3475.4      27.7±5.3  58.9±13.0
WAE       3471.0      25.8±3.1  59.1        -                        60.1
VAE       3496.4      29.6±0.9  46.9±4.5    -                        57.2±5.2
β-VAE     3555.0      46.6±2.5  58.3        -                        62.9
"""

# First seed: cross entropy of test images in nats, FID of reconstructions and
# of samples (figures 2 and 3). Two models of the plot of reconstructions are
# both labelled VAE; the better is taken for the one with beta 1.
# Source: new_figures/*_rec_quality.pdf, *_rec-fid.pdf and *_gengrp.pdf.
SHAPES3D_QUALITY = """
model     test_bce  fid_rec  fid_hybrid  fid_hybrid_by_dimension  fid_prior
SAE-12    3463.4    20.2     28.0
SAE-6     3466.9    22.8     28.9        44.4
SAE-4     3462.7    19.3     27.4        48.9
SAE-3     3462.4    19.8     22.2        37.6
SAE-2     3464.4    19.9     24.2        38.5
VLAE-12   3481.1    25.5     30.8        -                        44.6
VLAE-6    3482.8    24.8     -           39.6                     51.1
VLAE-4    3477.4    21.0     -           41.5                     45.5
VLAE-3    -         23.4
VLAE-2    -         31.7
AdaAE-12  3461.2    18.0     65.5
AdaAE-6   3463.7    20.4
AE        3466.2    21.5     47.6
WAE       3474.6    28.8     68.8        -                        76.1
VAE       3488.2    28.4     41.8        -                        55.0
β-VAE     3532.5    46.9     60.6        -                        67.4
"""

MPI3D_TOY_QUALITY = """
model     test_bce  fid_rec  fid_hybrid  fid_hybrid_by_dimension  fid_prior
SAE-12    6379.6    13.5     22.0
SAE-6     6379.8    15.1     27.0        37.6
SAE-4     6379.8    14.5     44.3        56.1
SAE-3     6380.1    14.7     23.9        36.8
SAE-2     6380.4    15.8     26.7        55.6
VLAE-12   6399.3    31.1     33.0        -                        32.7
VLAE-6    6391.0    23.7     -           27.3                     32.1
VLAE-4    6394.7    30.2     -           32.9                     32.6
VLAE-3    -         40.2
VLAE-2    -         32.6
AdaAE-12  6379.6    14.9     53.3
AdaAE-6   6379.8    14.5
AE        6381.3    17.2     24.9
WAE       6380.9    15.8     23.9        -                        28.3
VAE       6418.4    79.2     79.9        -                        79.9
β-VAE     6454.7    200.4    206.5       -                        186.8
"""

# The paper calls it "sim".
MPI3D_REALISTIC_QUALITY = """
model     test_bce  fid_rec  fid_hybrid  fid_hybrid_by_dimension  fid_prior
SAE-12    5582.3    42.7     50.9
SAE-6     5598.3    46.6     79.5        102.4
SAE-4     5582.4    42.8     45.8        55.3
SAE-3     5582.5    41.9     45.0        53.6
SAE-2     5583.0    41.7     46.5        64.0
VLAE-12   5596.1    53.2     55.3        -                        56.7
VLAE-6    5593.3    45.2     -           46.0                     46.2
VLAE-4    5593.2    48.9     -           48.8                     46.6
VLAE-3    -         67.1
VLAE-2    -         76.7
AdaAE-12  5582.5    43.5     47.2
AE        5584.7    44.8     53.7
WAE       5584.9    45.3     49.1        -                        65.4
VAE       5601.1    80.4     80.6        -                        78.7
β-VAE     5680.7    93.5     93.6        -                        96.9
"""

MPI3D_REAL_QUALITY = """
model     test_bce  fid_rec  fid_hybrid  fid_hybrid_by_dimension  fid_prior
SAE-12    4557.1    17.5     37.6
SAE-6     4554.4    16.7     58.8        68.1
SAE-4     4555.1    17.6     43.5        52.6
SAE-3     4555.1    19.1     35.2        57.1
SAE-2     4556.1    21.4     26.4        53.1
VLAE-12   4570.5    30.6     31.9        -                        36.2
VLAE-6    4574.3    37.2     -           38.2                     36.0
VLAE-4    4574.2    34.3     -           44.4                     52.3
VLAE-3    -         36.6
VLAE-2    -         45.6
AdaAE-12  4554.3    15.8     81.2
AdaAE-6   4554.9    17.7
AE        4557.5    23.3     30.7
WAE       4557.7    22.1     27.6        -                        43.8
VAE       4584.9    46.5     51.2        -                        48.7
β-VAE     4607.7    63.1     63.9        -                        58.9
"""

# First seed. Computed from the importance matrices printed to two decimals:
# good to 0.01. Source: new_figures/toy_DCI_matrices.pdf.
MPI3D_TOY_FACTORS = """
model     disentanglement  completeness
SAE-12    0.640            0.565
SAE-6     0.454            0.404
SAE-4     0.323            0.289
SAE-3     0.388            0.366
SAE-2     0.263            0.264
VLAE-12   0.419            0.521
VLAE-6    0.439            0.543
VLAE-4    0.424            0.555
VLAE-3    0.306            0.386
VLAE-2    0.272            0.320
AdaAE-12  0.212            0.194
AdaAE-6   0.209            0.188
AdaAE-4   0.175            0.148
AdaAE-3   0.232            0.197
AdaAE-2   0.158            0.131
AE        0.191            0.173
WAE       0.205            0.173
VAE       0.094            0.109
β-VAE     0.047            0.051
"""

# First seed of the other two MPI3D sets.
MPI3D_REALISTIC_FACTORS = """
model     disentanglement  mig    irs    modularity
SAE-12    0.411            0.238  0.508  0.930
SAE-6     0.294            0.052  0.479  0.928
SAE-4     0.380            0.139  0.519  0.927
SAE-3     0.269            0.046  0.482  0.902
SAE-2     0.119            0.019  0.536  0.930
VLAE-12   0.220            0.093  0.634  0.863
VLAE-6    0.290            0.051  0.575  0.797
VLAE-4    0.372            0.174  0.669  0.945
AdaAE-12  0.159            0.022  0.481  0.893
AE        0.157
WAE       0.129
VAE       0.070
β-VAE     0.060
"""

MPI3D_REAL_FACTORS = """
model     disentanglement  mig    irs    modularity
SAE-12    0.374            0.148  0.564  0.928
SAE-6     0.295            0.074  0.535  0.879
SAE-4     0.270            0.085  0.523  0.876
SAE-3     0.306            0.119  0.495  0.884
SAE-2     0.130            0.025  0.527  0.908
VLAE-12   0.291            0.217  0.579  0.914
VLAE-6    0.410            0.279  0.668  0.863
VLAE-4    0.235            0.113  0.513  0.899
AdaAE-12  0.164            0.034  0.530  0.952
AE        0.143
WAE       0.159
VAE       0.080
β-VAE     0.090
"""

# Mean squared error x 1000 on the ball that training left out, by what was
# trained afterwards, on 3D-Shapes; beta is 4 in this β-VAE. The authors' loop
# stops after 25 batches. Source: extrapolation.ipynb, cell 38 (figure 7).
EXTRAPOLATION = """
model     none   encoder  decoder  both
SAE-12    13.21  7.70     0.42     0.34
SAE-6     13.35  7.99     0.52     0.36
VLAE-12   18.37  7.69     1.55     0.62
AdaAE-12  16.46
AE        11.81  7.31     0.38     0.35
WAE       11.68  7.87     0.37     0.35
VAE       12.97  8.78     0.44     0.46
β-VAE     15.49  8.31     1.35     0.52
"""
