"""The names of the indexes: read by the settings, which must not load what stands behind them."""

from enum import StrEnum


class IndexKind(StrEnum):
    """Where templates are compared; docs/scale.md says which for how many people."""

    FLAT = "flat"
    COMPACT = "compact"
    GPU = "gpu"
    MILVUS = "milvus"
