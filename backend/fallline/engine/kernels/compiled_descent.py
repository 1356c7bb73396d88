"""From a gradient to a recorded change, compiled: penalties, clipping, optimizer.

The counterpart of `engine.methods.terms`.
"""

from __future__ import annotations

import math

import numpy as np

from fallline.engine.kernels.compiled_changes import change
from fallline.engine.kernels.compiled_code import Array, Whole, compiled, compiled_in_place
from fallline.engine.kernels.compiled_records import BLOCK, CLIPPED, record_all
from fallline.engine.kernels.compiled_sums import sizes_and_squares
from fallline.engine.kernels.compiled_work import Memory, Method, Net, Recorder
from fallline.engine.methods.terms import CUSHION
from fallline.vocabulary.run_settings import RunSettings

L1, L2, CLIP_NORM, CLIP_VALUE, OBJECTIVE = range(5)
"""Indices of `terms`; disabled bounds are infinite.

`OBJECTIVE` is the objective as a share of the reported loss.
"""


def terms_of(settings: RunSettings, objective_share: float) -> Array:
    """The settings in the form that compiled code reads."""
    bounds = [math.inf if bound is None else bound for bound in (settings.clip_norm, settings.clip_value)]
    return np.array([settings.l1, settings.l2, *bounds, objective_share])


@compiled
def has_penalties(terms: Array) -> bool:
    """Return whether the objective has penalties."""
    l1, l2 = float(terms[L1]), float(terms[L2])
    return l1 > 0.0 or l2 > 0.0


@compiled
def has_bounds(terms: Array) -> bool:
    """Return whether the gradient is clipped."""
    norm, value = float(terms[CLIP_NORM]), float(terms[CLIP_VALUE])
    return norm < math.inf or value < math.inf


@compiled
def add_penalty_gradient(terms: Array, P: Array, w: int, G: Array, offsets: Whole) -> float:
    """Add the gradient of the penalties to G; return the penalties.

    The parameters are in P from `w` on.
    """
    l1, l2, sizes, squares = float(terms[L1]), float(terms[L2]), 0.0, 0.0
    for k in range(0, len(offsets) - 1, 2):
        for i in range(offsets[k], offsets[k + 1]):
            p = P[w + i]
            sign = 1.0 if p > 0.0 else (-1.0 if p < 0.0 else 0.0)
            G[i] += l1 * sign + l2 * p
        size, square = sizes_and_squares(P, w + offsets[k], offsets[k + 1] - offsets[k])
        sizes, squares = sizes + size, squares + square
    return l1 * sizes + 0.5 * l2 * squares


@compiled
def clip(terms: Array, G: Array, C: Array) -> float:
    """Write the clipped G into C; return its norm."""
    _, squares = sizes_and_squares(G, 0, len(G))
    share, most = min(terms[CLIP_NORM] / (math.sqrt(squares) + CUSHION), 1.0), terms[CLIP_VALUE]
    for i in range(len(G)):
        C[i] = min(max(share * G[i], -most), most)
    _, squares = sizes_and_squares(C, 0, len(C))
    return math.sqrt(squares)


@compiled_in_place
def add_penalties(net: Net, method: Method, memory: Memory, w: int, loss: float) -> float:
    """Add the penalties' gradient to G; return the objective, NaN without penalties."""
    if not has_penalties(method.terms):
        return np.nan
    share = float(method.terms[OBJECTIVE])
    return share * loss + add_penalty_gradient(method.terms, memory.P, w, memory.G, net.offsets)


@compiled_in_place
def make_change(net: Net, method: Method, memory: Memory, recorder: Recorder, s: int) -> float:
    """Make and record the change of step s; return the result of `note`."""
    if len(method.rates):
        method.hyper[0] = method.rates[s]
    if has_bounds(method.terms):
        recorder.record[s % BLOCK, CLIPPED] = clip(method.terms, memory.G, memory.C)
    vector, factor = change(method, memory, s)
    w = s % 3 * len(memory.G)
    return record_all(recorder.record, s % BLOCK, memory.P, w, memory.G, vector, factor, net.offsets)
