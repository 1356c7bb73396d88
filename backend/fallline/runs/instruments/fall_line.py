"""The fall line: the loss over the plane of the paths of several runs. Changes no run.

Owns the sampled paths of an experiment's runs, its plane and its terrain: one of each, kept between the requests. A
class that opens the same recipe shares the terrain of its start.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Literal

import numpy as np

from fallline.engine.kernels.interface import Kernel
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.measures.probes import evaluate, full_gradient
from fallline.engine.measures.shared_plane import Path, Region, SharedPlane, plane_of
from fallline.engine.problem import Problem
from fallline.engine.randomness import rng_for
from fallline.runs.past.sampled_path import LATEST, Course, SampledPath
from fallline.vocabulary.arrays import Array, Rows
from fallline.vocabulary.encoding import array_of, finite_or_none, float_column, integer_column, nullable_rows
from fallline.vocabulary.journal import Json

Encoding = Literal["json", "bdata"]
Edges = tuple[float, float, float, float]
"""West, east, south and north."""

FALL_LINE = "fall_line"
HELP = "the loss over the plane of the paths of several runs, with the paths and the share of them that lies outside"

FALL_LINE_OPTIONS = frozenset(("terrain", "aspect", "region", "lens", "encoding"))

COLUMNS, ROWS = 180, 152
"""Points of the terrain, where they are affordable."""

FEWEST = 12
"""Fewest points per side, whatever the cost."""

LENS = 56
"""Points per side of the lens, where they are affordable."""

RESTING_WORK, MOVING_WORK = 1.5e10, 1e9
"""Most multiplications of a terrain while nothing moves, and while something does: about 200 ms and 20 ms."""

FEW_PAGES = 20
"""Pages up to which a moving terrain may cost so much. Beyond, all together cost no more: whenever the steps double, a
whole class wants one, and with 300 pages most waited longer than 30 s.
"""

SHORT_WORK = 2e8
"""Most multiplications of a terrain that takes a few milliseconds."""

SLOWER = 24.0
"""NumPy makes fewer multiplications in the same time by this factor."""

RESTING_SECONDS, MOVING_SECONDS, POINTS_SECONDS = 1.0, 0.02, 0.006
"""Most computing time of all replays: while nothing moves, while something does, and without terrain."""

SHORT_PARAMETERS = 256
"""Most parameters of a network whose points take a few milliseconds."""

SHORT = 6.0
"""A path shorter than the region's width by this factor has a lens."""

AROUND, FEWEST_TIMES, MOST_TIMES = 1.25, 4, 1_000
"""Side of a lens over the extent of its path, and how many times closer it is."""


@dataclass(frozen=True, slots=True)
class View:
    """A request for the fall line of the runs in `courses`.

    - `kernel` measures the terrain.
    - `moving`: steps are made meanwhile.
    - `past`: the request names a step, and the plane is of exactly that one.
    - `terrain`: without it, only the points on the plane of the last terrain.
    - `aspect`: width over height of the region.
    - `region`: what must be in view.
    - `lens`: side of a lens, as a share of the region's width; 0 for none.
    - `pages`: how many pages show a fall line, this one included.
    """

    problem: Problem
    kernel: Kernel
    courses: tuple[Course, ...]
    moving: bool
    past: bool = False
    terrain: bool = True
    aspect: float = COLUMNS / ROWS
    region: Edges | None = None
    lens: float = 0.0
    encoding: Encoding = "json"
    pages: int = 1

    @property
    def is_short(self) -> bool:
        """True if it takes a few milliseconds to measure. At rest, the paths of a terrain are replayed for longer."""
        is_there = all(course.to == course.state.step for course in self.courses)
        is_small = self.problem.layout.count <= SHORT_PARAMETERS
        is_cheap = not self.terrain or (self.moving and self.terrain_work <= SHORT_WORK)
        return is_there and is_small and is_cheap

    @property
    def terrain_work(self) -> float:
        """Return the multiplications that the terrain may take, as the compiled kernel makes them."""
        full, most = self._full_work, RESTING_WORK
        if self.moving:
            most = MOVING_WORK * min(1.0, FEW_PAGES / self.pages)
        return min(full, most)

    @property
    def share_of_points(self) -> float:
        """Return the share of the points per side that the view can afford."""
        return float(np.sqrt(self.terrain_work / self._full_work))

    @property
    def _full_work(self) -> float:
        work = 2.0 * self.problem.train.count * self.problem.layout.count * COLUMNS * ROWS
        return work * SLOWER if self.kernel.name == NUMPY.name else work

    @property
    def runs(self) -> tuple[tuple[str, int], ...]:
        """Name and generation of each run."""
        return tuple((course.name, course.generation) for course in self.courses)

    @property
    def steps(self) -> tuple[int, ...]:
        """The step of each run."""
        return tuple(course.to for course in self.courses)

    @property
    def counted(self) -> list[int]:
        """The places of the runs that decide on the plane: a diverged one only if all have."""
        alive = [place for place, course in enumerate(self.courses) if not course.diverged]
        return alive or list(range(len(self.courses)))


@dataclass(frozen=True, slots=True)
class _PlaneAt:
    """A plane, and the runs and steps that it is of."""

    plane: SharedPlane
    kind: str
    runs: tuple[tuple[str, int], ...]
    steps: tuple[int, ...]
    counted: list[int]

    def holds(self, view: View) -> bool:
        """Return whether it is the plane of the view: while steps are made, until their number has doubled."""
        if self.runs != view.runs or self.counted != view.counted:
            return False
        if view.moving and not view.past:
            return max(self.steps).bit_length() == max(view.steps).bit_length()
        return self.steps == view.steps


MOST_TERRAINS = 16
"""Terrains that all experiments share, of at most about 0.3 MB each in the encoding of the page."""


class Terrains:
    """The terrains measured last, by all that they depend on. Threads may take different ones at the same time."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Json] = OrderedDict()

    def take(self, key: Hashable, measure: Callable[[], Json]) -> Json:
        """Return a copy of the terrain with this key, measured if it is not known."""
        terrain = self._known.pop(key, None) or measure()
        self._known[key] = terrain  # at the end, as the one that was used last
        while len(self._known) > MOST_TERRAINS:
            self._known.popitem(last=False)
        return dict(terrain)


@dataclass(slots=True, eq=False, weakref_slot=True)
class FallLine:
    """The fall line of one experiment. Only one thread at a time measures."""

    terrains: Terrains = field(default_factory=Terrains)
    _sampled: dict[str, SampledPath] = field(default_factory=dict)
    _current: _PlaneAt | None = None
    _terrain: tuple[object, Json] | None = None
    _coarse: bool = False
    """True if the terrain was measured while steps were made."""

    @property
    def nbytes(self) -> int:
        """About the bytes that it holds."""
        plane = 0 if self._current is None else self._current.plane.directions.nbytes
        terrain = 0 if self._terrain is None else 64 * COLUMNS * ROWS
        return sum(path.nbytes for path in tuple(self._sampled.values())) + plane + terrain

    def measure(self, view: View) -> Json:
        """Return the view as JSON."""
        with np.errstate(all="ignore"):  # diverged runs may be very far away
            return self._measure(view)

    def _measure(self, view: View) -> Json:
        for course in view.courses:
            course.arrive(view.problem)
        fields: Json = {
            "of": view.problem.loss.name,
            "runs": [course.name for course in view.courses],
            "step": max(view.steps),
        }
        if not view.terrain and (self._current is None or self._current.runs != view.runs):
            return {**fields, "plane": None, "plane_steps": None, "points": []}
        paths = self._paths(view)
        current = self._plane(view, paths)
        fields |= {
            "plane": current.kind,
            "plane_steps": dict(zip(fields["runs"], current.steps, strict=True)),
            "points": list(_points(view, current.plane, paths)),
        }
        if not view.terrain:
            return fields
        return {
            **fields,
            "start_loss": finite_or_none(view.problem.initial_loss),
            **self._measured(view, current, paths),
        }

    def _paths(self, view: View) -> list[Path]:
        """Return the paths of the runs, by replays that the view can afford."""
        seconds = MOVING_SECONDS if view.moving else RESTING_SECONDS
        if view.is_short or not view.terrain:
            seconds = POINTS_SECONDS
        sampled = {course.name: self._path_of(view.problem, course) for course in view.courses}
        for course in view.courses:
            sampled[course.name].extend(course, seconds / len(sampled))  # the rest in later requests
        self._sampled = sampled
        return [sampled[course.name].path(course) for course in view.courses]

    def _path_of(self, problem: Problem, course: Course) -> SampledPath:
        path = self._sampled.get(course.name)
        is_same = path is not None and path.generation == course.generation
        return path if path is not None and is_same else SampledPath(problem, course.generation)

    def _plane(self, view: View, paths: list[Path]) -> _PlaneAt:
        """Return the plane: the last one if it holds, or if the request is for points only."""
        current = self._current
        if current is None or (view.terrain and not current.holds(view)):
            self._terrain = None
            current = self._current = _PlaneAt(*_plane(view, paths), view.runs, view.steps, view.counted)
        return current

    def _measured(self, view: View, current: _PlaneAt, paths: list[Path]) -> Json:
        """Return the terrain, measured or kept."""
        places = np.concatenate([current.plane.places(paths[place].away) for place in view.counted])
        least = (
            _least_width(view.problem) if not places.any() else float(np.ptp(places, axis=0).max()) / SHORT
        )
        region = Region.around(places, least)
        if view.region is not None:
            region = region.with_region(Region(*view.region))
        region = region.shaped(view.aspect)
        key = (region, view.lens, view.encoding, view.kernel.name)
        if self._terrain is None or self._terrain[0] != key or (self._coarse and not view.moving):
            self._coarse = view.moving
            lens = _lens_region(view, current.plane, region, paths)
            terrain = self._terrain_of(view, current.plane, region, COLUMNS, ROWS)
            terrain["lens"] = (
                None
                if lens is None
                else {**lens[0], **self._terrain_of(view, current.plane, lens[1], LENS, LENS)}
            )
            self._terrain = key, terrain
        return self._terrain[1]

    def _terrain_of(self, view: View, plane: SharedPlane, region: Region, columns: int, rows: int) -> Json:
        """Return the losses over a region, at fewer points than those where they are too dear."""
        s, t = region.grid(*(max(round(view.share_of_points * count), FEWEST) for count in (columns, rows)))
        measure = partial(_terrain, view, plane, region, s, t)
        # as JSON it is ten times as large
        return measure() if view.encoding == "json" else self.terrains.take(_key(view, plane, s, t), measure)


def _key(view: View, plane: SharedPlane, s: Array, t: Array) -> Hashable:
    """Return all that a terrain depends on."""
    digest = blake2b(view.problem.fingerprint())
    for array in (plane.directions, s, t):
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest(), len(s), view.kernel.name


def _plane(view: View, paths: list[Path]) -> tuple[SharedPlane, str]:
    """Return the plane of the counted runs, and what it is of."""
    counted = [paths[place] for place in view.counted]
    moved = [path for path in counted if path.away[-1].any()]
    if not moved:
        return plane_of([], _further(view)), "gradient"
    kind = {1: "path", 2: "points"}.get(len(counted), "paths")
    return plane_of(counted, _further(view)), kind


def _further(view: View) -> Iterator[Array]:
    """Yield the gradient at the start, and random directions."""
    problem, recipe = view.problem, view.courses[0].recipe
    gradient = full_gradient(problem, problem.initial_parameters, recipe.settings_at(0))
    yield np.concatenate([gradient[name].ravel() for name in problem.layout.names])
    rng = rng_for(recipe.seed, "plane")
    while True:
        yield rng.standard_normal(problem.layout.count)


def _least_width(problem: Problem) -> float:
    """Return the width of the region while all runs are at the start: the length of its parameters."""
    return float(np.linalg.norm(problem.initial_parameters)) or 1.0


def _points(view: View, plane: SharedPlane, paths: list[Path]) -> Iterator[Json]:
    """Yield each run's point, and its path: without terrain the latest steps of it."""
    for course, path in zip(view.courses, paths, strict=True):
        places, (shares, share) = plane.places(path.away), plane.outside(path)
        losses = {}
        if view.terrain:
            loss = evaluate(view.problem, course.state.parameters)["train_loss"]
            losses["loss"] = finite_or_none(loss)
        first = 0 if view.terrain else -LATEST - 1
        distance = float(np.linalg.norm(path.away[-1]))
        yield {
            "run": course.name,
            "generation": course.generation,
            "step": course.to,
            "s": float(places[-1, 0]),
            "t": float(places[-1, 1]),
            **losses,
            "distance": finite_or_none(distance),
            "outside": finite_or_none(share),
            "path": _columns(view.encoding, path.steps[first:], places[first:], shares[first:]),
        }


def _columns(encoding: Encoding, steps: Rows, places: Array, shares: Array) -> Json:
    if encoding == "bdata":
        packed = {"s": places[:, 0], "t": places[:, 1], "outside": shares}
        return {"steps": integer_column(steps), **{name: float_column(one) for name, one in packed.items()}}
    return {
        "steps": steps.tolist(),
        "s": places[:, 0].tolist(),
        "t": places[:, 1].tolist(),
        "outside": [finite_or_none(share) for share in shares.tolist()],
    }


def _lens_region(
    view: View, plane: SharedPlane, region: Region, paths: list[Path]
) -> tuple[Json, Region] | None:
    """Return the shortest path's run, how many times closer its lens is, and its region, if it is short."""
    extents = {}
    for place in view.counted:
        extent = float(np.ptp(plane.places(paths[place].away), axis=0).max())
        if extent > 0.0:
            extents[place] = extent
    if not view.lens or len(view.courses) < 2 or not extents:
        return None
    place = min(extents, key=lambda one: extents[one])
    if extents[place] * SHORT >= region.width:
        return None
    side = view.lens * region.width
    times = min(max(int(side / (AROUND * extents[place])), FEWEST_TIMES), MOST_TIMES)
    half, places = side / times / 2.0, plane.places(paths[place].away)
    # a path that is too long for it is shown around its end
    x, y = (
        places[-1]
        if AROUND * extents[place] > 2.0 * half
        else (places.min(axis=0) + places.max(axis=0)) / 2.0
    )
    around = Region(float(x - half), float(x + half), float(y - half), float(y + half))
    return {"run": view.courses[place].name, "times": times}, around


def _terrain(view: View, plane: SharedPlane, region: Region, s: Array, t: Array) -> Json:
    """Return the losses at the points of a region's grid."""
    problem = view.problem
    losses = view.kernel.losses(problem, problem.initial_parameters, plane.directions, s, t)
    heights = np.log10(losses)
    heights[~np.isfinite(heights)] = np.nan
    edges = {"region": [region.west, region.east, region.south, region.north]}
    if view.encoding == "bdata":
        return {**edges, "heights": array_of(heights.astype(np.float32))}
    return {
        **edges,
        "s": s.tolist(),
        "t": t.tolist(),
        "losses": [[finite_or_none(loss) for loss in row] for row in losses.tolist()],
        "heights": nullable_rows(heights),
    }
