"""A small TensorFlow.js graph model as ONNX: the operations of plain convolutional classifiers.

Every operation has an exact counterpart; the only change is of layout, from TensorFlow's NHWC to
ONNX's NCHW, by transposition. Weights stored as float16 are widened, as TensorFlow.js does. An
operation, attribute or shape that is not listed here is refused and not guessed.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

from enrollment.errors import ModelPackInvalid

_OPSET = 17
_IR_VERSION = 9

_Array = npt.NDArray[Any]


def convert(graph: bytes, weights: bytes) -> bytes:
    """Convert a frozen graph model with one input and one output.

    Args:
        graph: the `model.json`.
        weights: the one file of weights that it names.

    Returns:
        An ONNX model, whose input keeps TensorFlow's layout: (n, h, w, c) float32.

    Raises:
        ModelPackInvalid: this is no such model, or it uses what is not converted exactly.
    """
    try:
        model = json.loads(graph)
        tensors = _read_weights(model["weightsManifest"], weights)
        return _Converter(tensors).convert(model["modelTopology"]["node"])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ModelPackInvalid(f"the TensorFlow.js model cannot be converted: {error}") from error


def _read_weights(manifest: list[dict[str, Any]], content: bytes) -> dict[str, _Array]:
    tensors, offset = {}, 0
    for group in manifest:
        for entry in group["weights"]:
            stored = np.dtype(entry.get("quantization", entry)["dtype"])
            count = int(np.prod(entry["shape"], dtype=np.int64))
            values = np.frombuffer(content, stored, count, offset).reshape(entry["shape"])
            tensors[entry["name"]] = values.astype(entry["dtype"])
            offset += count * stored.itemsize
    if offset != len(content):
        raise ValueError(f"{len(content)} bytes of weights, where {offset} are described")
    return tensors


class _Converter:
    def __init__(self, weights: dict[str, _Array]) -> None:
        self._weights = weights
        self._names: dict[str, str] = {}  # of a TensorFlow node: its output in ONNX
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []
        self._images: set[str] = set()  # outputs in ONNX that are NCHW and not (n, features)

    def convert(self, nodes: list[dict[str, Any]]) -> bytes:
        graph_input = graph_output = None
        for node in nodes:
            match node["op"]:
                case "Const":
                    continue
                case "Placeholder":
                    graph_input = self._placeholder(node)
                case "Identity":
                    graph_output = self._names[node["input"][0]]
                case op if op in _OPERATIONS:
                    _OPERATIONS[op](self, node)
                case op:
                    raise ValueError(f"the operation {op} is not supported")
        if graph_input is None or graph_output is None:
            raise ValueError("the graph lacks an input or an output")
        output = helper.make_tensor_value_info(graph_output, TensorProto.FLOAT, ["n", None])
        graph = helper.make_graph(self._nodes, "tfjs", [graph_input], [output], self._initializers)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
        )
        return bytes(model.SerializeToString())

    def _placeholder(self, node: dict[str, Any]) -> Any:
        shape = [int(d["size"]) for d in node["attr"]["shape"]["shape"]["dim"]]
        name = node["name"]
        self._emit(node, "Transpose", [name], image=True, perm=[0, 3, 1, 2])
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape[1:]])

    def convolution(self, node: dict[str, Any]) -> None:
        attributes = node["attr"]
        padding = {"SAME": "SAME_UPPER", "VALID": "VALID"}[_text(attributes["padding"]["s"])]
        strides = _spatial(attributes, "strides")
        if _spatial(attributes, "dilations") != [1, 1]:
            raise ValueError("dilated convolutions are not supported")
        image, kernel, bias = node["input"]
        inputs = [
            self._names[image],
            self._constant(kernel, lambda w: w.transpose(3, 2, 0, 1)),
            self._constant(bias),
        ]
        self._fused(node, "Conv", inputs, image=True, auto_pad=padding, strides=strides)

    def dense(self, node: dict[str, Any]) -> None:
        features, kernel, bias = node["input"]
        inputs = [self._names[features], self._constant(kernel), self._constant(bias)]
        self._fused(node, "Gemm", inputs)

    def pool(self, node: dict[str, Any]) -> None:
        attributes = node["attr"]
        if _text(attributes["padding"]["s"]) != "VALID":
            raise ValueError("pooling with padding is not supported")
        self._emit(
            node,
            "MaxPool",
            [self._names[node["input"][0]]],
            image=True,
            kernel_shape=_spatial(attributes, "ksize"),
            strides=_spatial(attributes, "strides"),
        )

    def flatten(self, node: dict[str, Any]) -> None:
        image, shape = node["input"]
        if len(self._weights[shape]) != 2:
            raise ValueError("a reshape to other than (n, features) is not supported")
        source = self._names[image]
        rows = f"{node['name']}/rows"  # TensorFlow's order of features: h, w, c
        self._nodes.append(helper.make_node("Transpose", [source], [rows], perm=[0, 2, 3, 1]))
        self._emit(node, "Flatten", [rows])

    def elementwise(self, node: dict[str, Any]) -> None:
        tensor, constant = node["input"]
        source = self._names[tensor]
        image = source in self._images
        shape = (-1, 1, 1) if image else (-1,)
        inputs = [source, self._constant(constant, lambda w: w.reshape(shape))]
        self._emit(node, {"Mul": "Mul"}.get(node["op"], "Add"), inputs, image=image)

    def activation(self, node: dict[str, Any]) -> None:
        source = self._names[node["input"][0]]
        self._emit(node, node["op"], [source], image=source in self._images)

    def _fused(
        self, node: dict[str, Any], op: str, inputs: list[str], *, image: bool = False, **attr: Any
    ) -> None:
        """Emit an operation with its bias and, if TensorFlow fused one, its activation."""
        fused = [_text(name) for name in node["attr"]["fused_ops"]["list"]["s"]]
        self._emit(node, op, inputs, image=image, **attr)
        if fused == ["BiasAdd", "Relu"]:
            self._emit(node, "Relu", [self._names[node["name"]]], image=image)
        elif fused != ["BiasAdd"]:
            raise ValueError(f"the fused operations {fused} are not supported")

    def _emit(
        self, node: dict[str, Any], op: str, inputs: list[str], *, image: bool = False, **attr: Any
    ) -> None:
        output = f"{node['name']}/{op}"
        self._nodes.append(helper.make_node(op, inputs, [output], **attr))
        self._names[node["name"]] = output
        if image:
            self._images.add(output)

    def _constant(self, name: str, change: Callable[[_Array], _Array] = lambda w: w) -> str:
        values = np.ascontiguousarray(change(self._weights[name]))
        self._initializers.append(numpy_helper.from_array(values, name))
        return name


_OPERATIONS: dict[str, Callable[[_Converter, dict[str, Any]], None]] = {
    "_FusedConv2D": _Converter.convolution,
    "_FusedMatMul": _Converter.dense,
    "MaxPool": _Converter.pool,
    "Reshape": _Converter.flatten,
    "Mul": _Converter.elementwise,
    "Add": _Converter.elementwise,
    "AddV2": _Converter.elementwise,
    "Relu": _Converter.activation,
    "Sigmoid": _Converter.activation,
    "Softmax": _Converter.activation,
}


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()


def _spatial(attributes: dict[str, Any], name: str) -> list[int]:
    """Height and width out of NHWC; TensorFlow leaves dilations out when they are 1."""
    if name not in attributes:
        return [1, 1]
    return [int(n) for n in attributes[name]["list"]["i"]][1:3]
