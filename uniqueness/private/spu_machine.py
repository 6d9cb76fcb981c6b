"""SPU as the worker uses it: variables and compiled programs, in step at the three parties.

ABY3 over 32-bit numbers. SPU could multiply the matrices too, but in that ring it dies of it: its
packing of matrices stores 32 bytes at a time to addresses that its allocation aligns to 16.

Imports nothing of this project: it runs in the engine's own environment.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import spu
from spu import libspu
from spu.utils import frontend

FIELD = libspu.FieldType.FM32
SECRET, PUBLIC = libspu.Visibility.VIS_SECRET, libspu.Visibility.VIS_PUBLIC
PARTIES = 3

Numbers = npt.NDArray[np.int32]
Input = tuple[str, tuple[int, ...], Any, Any]  # a variable's name, shape, type and visibility


def secret(name: str, *shape: int) -> Input:
    """Secret whole numbers as a program's input."""
    return name, shape, np.int32, SECRET


def bits(name: str, *shape: int) -> Input:
    """Secret bits as a program's input."""
    return name, shape, np.bool_, SECRET


def public(name: str, *shape: int) -> Input:
    """Public whole numbers as a program's input."""
    return name, shape, np.int32, PUBLIC


class Machine:
    """The virtual machine that the three workers run in step."""

    def __init__(self, rank: int, link: Any, threads: int) -> None:
        config = libspu.RuntimeConfig(protocol=libspu.ProtocolKind.ABY3, field=FIELD)
        config.experimental_enable_colocated_optimization = True  # a party's own number as input
        config.max_concurrency = threads
        self._rank = rank
        self._runtime = spu.Runtime(link, config)
        self._io = spu.Io(PARTIES, config)
        self._compiled: dict[tuple[Any, ...], bytes] = {}

    def add_up(self, name: str, addend: Numbers) -> list[Input]:
        """Make secret variables of each party's addend; their sum is the three programs' affair.

        What is sent of an addend are two parts that are random each (SPU's input of a party).
        """
        nothing = np.zeros_like(addend)
        for owner in range(PARTIES):
            own = addend if owner == self._rank else nothing
            shares = self._io.make_shares(own, SECRET, owner)
            self._runtime.set_var(f"{name}{owner}", shares[self._rank])
        return [secret(f"{name}{owner}", *addend.shape) for owner in range(PARTIES)]

    def publish(self, name: str, numbers: Numbers) -> Input:
        """Make a public variable; SPU takes none without a dimension."""
        self._runtime.set_var(name, self._io.make_shares(numbers, PUBLIC)[self._rank])
        return public(name, *numbers.shape)

    def opened(self, name: str) -> Numbers:
        """A variable that a program has made public."""
        shares = [self._runtime.get_var(name)] * PARTIES
        return np.asarray(self._io.reconstruct(shares)).astype(np.int32)

    def run(self, program: Callable[..., Any], inputs: list[Input], output: str) -> None:
        """Run a program over variables; compiled once for each of its inputs' shapes."""
        known = (program, *((shape, dtype, visibility) for _, shape, dtype, visibility in inputs))
        names = [name for name, *_ in inputs]
        if known not in self._compiled:
            compiled, _ = frontend.compile(
                frontend.Kind.JAX,
                program,
                [np.zeros(shape, dtype) for _, shape, dtype, _ in inputs],
                {},
                names,
                [visibility for *_, visibility in inputs],
                lambda _: [output],
            )
            self._compiled[known] = compiled.code
        self._runtime.run(
            libspu.Executable(
                name=program.__name__,
                input_names=names,
                output_names=[output],
                code=self._compiled[known],
            )
        )
