"""The compiled contracts: what a client needs to deploy and call them, without a compiler."""

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

ContractName = Literal["LocalCoin", "PersonhoodRegistry", "UbiDistributor"]


@dataclass(frozen=True)
class ContractArtifact:
    """A compiled contract.

    Attributes:
        name: the contract's name, as in `src/<name>.vy`.
        compiler: the compiler and its version, such as "vyper 0.4.3".
        evm_version: the oldest EVM that runs it, such as "cancun".
        source_sha256: Vyper's digest over the source and everything it imports, hex.
        abi: the Ethereum contract ABI in JSON form.
        bytecode: creation code as 0x-hex, to which the constructor's arguments are appended.
    """

    name: str
    compiler: str
    evm_version: str
    source_sha256: str
    abi: list[dict[str, Any]] = field(repr=False)
    bytecode: str = field(repr=False)


@cache
def load(name: ContractName) -> ContractArtifact:
    """Return the artifact of the contract called `name`, from the package's own files.

    Raises:
        FileNotFoundError: there is no contract of that name.
    """
    text = files("contracts").joinpath("compiled", f"{name}.json").read_text(encoding="utf-8")
    return ContractArtifact(**json.loads(text))
