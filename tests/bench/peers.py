"""What others do about the same matrices: KLU, SciPy, NumPy, pymrio, polars."""

import ctypes
import ctypes.util
import os
import time
from pathlib import Path

import numpy as np
import scipy.sparse as sp


def timed(function):
    """Seconds that a call takes, and its result."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def read_network(folder, name):
    """W as SciPy's compressed columns."""
    part = lambda suffix, kind: np.fromfile(Path(folder) / f"{name}.{suffix}", dtype=kind)
    starts = part("starts", "<u4").astype(np.int32)
    holders = part("holders", "<u4").astype(np.int32)
    size = len(starts) - 1
    return sp.csc_matrix((part("shares", "<f8"), holders, starts), shape=(size, size))


def values(size):
    """The value of each company, the same as in main.rs."""
    return 1.0 + np.arange(size) % 7


class Klu:
    """SuiteSparse's KLU through ctypes."""

    # More than any version's klu_common takes.
    COMMON_BYTES = 4096

    def __init__(self):
        name = ctypes.util.find_library("klu")
        if name is None:
            raise OSError("KLU is missing: apt-get install libklu1 (or libsuitesparse-dev)")
        self.library = ctypes.CDLL(name)
        self.library.klu_analyze.restype = ctypes.c_void_p
        self.library.klu_factor.restype = ctypes.c_void_p
        self.common = ctypes.create_string_buffer(self.COMMON_BYTES)
        self.library.klu_defaults(self.common)
        self.symbolic = self.numeric = None

    @staticmethod
    def _at(array):
        return array.ctypes.data_as(ctypes.c_void_p)

    def factor(self, matrix):
        """Analyses and factors a matrix of compressed columns."""
        self.free()
        self.size = matrix.shape[0]
        self.x = np.empty(self.size)
        starts, rows = self._at(matrix.indptr), self._at(matrix.indices)
        self.symbolic = ctypes.c_void_p(self.library.klu_analyze(self.size, starts, rows, self.common))
        numbers = self._at(matrix.data)
        self.numeric = ctypes.c_void_p(
            self.library.klu_factor(starts, rows, numbers, self.symbolic, self.common)
        )
        if not self.numeric.value:
            raise ArithmeticError("KLU found no factors")

    def solve(self, vector):
        """Solves for a vector, in memory that is used again."""
        np.copyto(self.x, vector)
        self.library.klu_solve(self.symbolic, self.numeric, self.size, 1, self._at(self.x), self.common)
        return self.x

    def free(self):
        if self.numeric:
            self.library.klu_free_numeric(ctypes.byref(self.numeric), self.common)
            self.library.klu_free_symbolic(ctypes.byref(self.symbolic), self.common)


def identity_minus(matrix):
    """I - W by sorted columns."""
    system = (sp.identity(matrix.shape[0], format="csc") - matrix).tocsc()
    system.sort_indices()
    return system


def series(matrix, floor):
    """Pairs of T = W + W^2 + ... at the floor.

    Entries below a tenth of the floor are dropped from every power, and 60
    powers are added at most; without that the powers fill memory. So pairs are
    missed, and others are low.
    """
    total = power = matrix.tocsr()
    factor = power
    for _ in range(60):
        power = power @ factor
        power.data[power.data < floor / 10] = 0.0
        power.eliminate_zeros()
        if not power.nnz:
            break
        total = total + power
    return int((total.data >= floor).sum())


def dense_matrix(size):
    """A column-stochastic matrix times 0.99."""
    matrix = np.random.default_rng(1).random((size, size))
    return matrix * (0.99 / matrix.sum(0))


def numpy_inverse(matrix):
    system = np.eye(len(matrix)) - matrix
    return timed(lambda: np.linalg.inv(system))[0]


def pymrio_inverse(matrix):
    import pymrio

    return timed(lambda: pymrio.calc_L(matrix))[0]


def polars_load(path):
    """CSV to stakes with companies numbered by name."""
    import polars

    def load():
        stakes = polars.read_csv(path)
        names = polars.concat([stakes["owner"], stakes["owned"]]).unique().sort()
        ids = polars.DataFrame({"name": names}).with_row_index("id")
        stakes = stakes.join(ids.rename({"name": "owner", "id": "i"}), on="owner")
        stakes = stakes.join(ids.rename({"name": "owned", "id": "j"}), on="owned")
        return stakes.select("i", "j", "share").sort("j", "i")

    return timed(load)[0]


def versions():
    import importlib.metadata

    names = ["numpy", "scipy", "polars", "pymrio"]
    found = [f"{name} {importlib.metadata.version(name)}" for name in names]
    klu = os.path.realpath(ctypes.util.find_library("klu") or "none")
    return found + [f"KLU {os.path.basename(klu)}"]
