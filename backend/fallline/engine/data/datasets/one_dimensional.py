"""Curves over one input, uniform between -1 and 1."""

from __future__ import annotations

import numpy as np

from fallline.engine.data.datasets.row import Array, Dataset, Raw, numbered
from fallline.engine.randomness import rng_for
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.recipe import DataSettings


def _inputs(settings: DataSettings) -> Array:
    return rng_for(settings.seed, "inputs").uniform(-1.0, 1.0, (settings.samples, 1))


def _polynomial(settings: DataSettings) -> Raw:
    """Draw c0, c1, ... in this order: a higher degree adds terms to the same law."""
    X = _inputs(settings)
    drawn = rng_for(settings.seed, "coefficients").standard_normal(
        int(POLYNOMIAL.own(settings, "degree")) + 1
    )
    return Raw(X, np.asarray(np.polynomial.polynomial.polyval(X, drawn), np.float64), numbered(1))


def _chebyshev(settings: DataSettings) -> Raw:
    """T_n by its recurrence, which is exact where cos(n arccos x) loses digits."""
    X = _inputs(settings)
    only_last = np.zeros(int(CHEBYSHEV.own(settings, "degree")) + 1)
    only_last[-1] = 1.0
    return Raw(X, np.asarray(np.polynomial.chebyshev.chebval(X, only_last), np.float64), numbered(1))


POLYNOMIAL = Dataset(
    name="polynomial",
    help="y = c0 + c1 x + ... of that degree, coefficients from N(0, 1), x uniform between -1 and 1",
    source="Bishop, Pattern Recognition and Machine Learning, section 1.1",
    task="regression",
    make=_polynomial,
    parameters=(Parameter("degree", 3, 1, 12, integer=True, help="highest power of x"),),
    features=1,
)

CHEBYSHEV = Dataset(
    name="chebyshev",
    help="y = T(x), the Chebyshev polynomial of that degree: waves of equal height between -1 and 1",
    source="NIST Digital Library of Mathematical Functions, 18.5.1 and table 18.9.1",
    task="regression",
    make=_chebyshev,
    parameters=(Parameter("degree", 4, 1, 24, integer=True, help="degree: number of zero crossings"),),
    features=1,
)

CURVES = (POLYNOMIAL, CHEBYSHEV)
