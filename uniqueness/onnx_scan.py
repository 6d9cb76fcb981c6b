"""The nearest of 8-bit codes by ONNX Runtime, on the device of any of its providers.

One graph: codes times probes (`MatMulInteger`, exact in 32 bits), the two bytes of a probe put
together, and the k best (`TopK`), so that only those leave the device.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from uniqueness.errors import IndexUnavailable
from uniqueness.int8_codes import Codes, Rows
from uniqueness.onnx import onnxruntime
from uniqueness.template import FloatArray

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
LOW_STEPS = 254  # of the low byte in one of the high byte

Block = Any
"""Codes in a device's memory: ONNX Runtime's `OrtValue`, which is not typed."""

_OPSET = 18
_IR_VERSION = 9
_LOG_FATAL = 4  # what fails is raised


class CodeScan:
    """A device that compares codes.

    Args:
        provider: ONNX Runtime's name of the kind of device.
        device: its number.

    Raises:
        IndexUnavailable: this ONNX Runtime has no such provider, or it finds no such device.
    """

    def __init__(self, provider: str, device: int = 0) -> None:
        if provider not in onnxruntime.get_available_providers():
            raise IndexUnavailable(f"this ONNX Runtime has no {provider}: install the extra `gpu`")
        self._place = ("cpu" if provider == CPU else "cuda"), device
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _LOG_FATAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        chosen: list[Any] = [provider]
        if provider == CUDA:
            # Without this a card that is not there is replaced by the processor, silently.
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
            chosen = [(provider, {"device_id": str(device)})]
        with _as_unavailable(f"no device {device} for {provider}"):
            self._session = onnxruntime.InferenceSession(
                _graph(), options, providers=chosen, enable_fallback=0
            )

    def upload(self, codes: Codes) -> Block:
        """Keep (n, width) codes on the device; on the processor they are not copied."""
        with _as_unavailable("the device took no more codes"):
            return onnxruntime.OrtValue.ortvalue_from_numpy(codes, *self._place)

    def nearest(self, block: Block, probes: Codes, k: int) -> tuple[FloatArray, Rows]:
        """Find the best k <= n of a block's n codes for each of p probes.

        Args:
            block: what `upload` gave.
            probes: (width, 2 p) codes: the high bytes of all, then the low ones.
            k: how many.

        Returns:
            (p, k) float32 products with high + low / `LOW_STEPS`, descending, and (p, k) rows.
        """
        with _as_unavailable("the device did not finish a scan"):
            binding = self._session.io_binding()
            binding.bind_ortvalue_input("codes", block)
            binding.bind_cpu_input("probes", probes)
            binding.bind_cpu_input("k", np.array([k], np.int64))
            for output in ("scores", "rows"):
                binding.bind_output(output, "cpu")
            self._session.run_with_iobinding(binding)
            scores, rows = binding.copy_outputs_to_cpu()
        return scores, rows


def _graph() -> bytes:
    def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> Any:
        return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)

    nodes = [
        node("MatMulInteger", "codes probes", "products"),
        node("Transpose", "products", "by_probe", perm=[1, 0]),
        node("Cast", "by_probe", "halves", to=TensorProto.FLOAT),
        node("Split", "halves", "high low", axis=0, num_outputs=2),
        node("Mul", "low step", "part"),
        node("Add", "high part", "whole"),
        node("TopK", "whole k", "scores rows", axis=1, largest=1, sorted=1),
    ]
    inputs = [
        helper.make_tensor_value_info("codes", TensorProto.INT8, ["n", "width"]),
        helper.make_tensor_value_info("probes", TensorProto.INT8, ["width", "twice"]),
        helper.make_tensor_value_info("k", TensorProto.INT64, [1]),
    ]
    outputs = [
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["p", "k"]),
        helper.make_tensor_value_info("rows", TensorProto.INT64, ["p", "k"]),
    ]
    step = helper.make_tensor("step", TensorProto.FLOAT, [], [1 / LOW_STEPS])
    graph = helper.make_graph(nodes, "scan", inputs, outputs, [step])
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
    return bytes(model.SerializeToString())


@contextmanager
def _as_unavailable(what: str) -> Iterator[None]:
    """ONNX Runtime's errors have no base of their own but `Exception`."""
    try:
        yield
    except Exception as error:
        raise IndexUnavailable(f"{what}: set PERSONHOOD_INDEX to compact, or mend it") from error
