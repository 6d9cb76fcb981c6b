"""A network rewritten to the same function that ONNX Runtime computes faster.

Converters of a few years ago left three things in the files that cost more than half of the time of
an embedding on a CPU (docs/decisions/0039-networks-rewritten.md):

- weights that are listed as inputs, which a caller could replace: nothing is folded into them;
- a batch of one, and of YuNet one size, written down as the shape of the input;
- PRelu, whose kernel takes longer than the convolutions between which it stands, and for which
  every layer's values are brought out of the blocked layout and back into it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, ModelProto, helper, load_from_string, numpy_helper

from enrollment.errors import ModelPackInvalid

_FIRST_IR_WITH_CONSTANT_WEIGHTS = 4  # before it, every initializer had to be an input
_AS_IT_IS = 0  # in the target of a reshape: the length that the dimension has


def rewritten(
    model: bytes, *, any_length: Sequence[int] = (), without_prelu: bool = False
) -> bytes:
    """Rewrite a network; what it computes stays the same up to rounding, 1e-5 of a value.

    Args:
        model: an ONNX file whose weights it holds itself.
        any_length: dimensions of its input that may have any length, whatever its file says. The
            caller has to know that the network does not count on one.
        without_prelu: also write PRelu as something else, at which a CPU is faster, and a GPU not.

    Raises:
        ModelPackInvalid: this is no ONNX file.
    """
    try:
        parsed = load_from_string(model)
    except Exception as error:  # protobuf's, which differ by its version
        raise ModelPackInvalid("A file of the pack is no ONNX model.") from error
    _fix_weights(parsed)
    if any_length:
        _free_lengths(parsed.graph, any_length)
    if without_prelu:
        _replace_prelu(parsed.graph)
    return bytes(parsed.SerializeToString())


def _fix_weights(model: ModelProto) -> None:
    """Make constants of the weights."""
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, _FIRST_IR_WITH_CONSTANT_WEIGHTS)


def _free_lengths(graph: GraphProto, dimensions: Sequence[int]) -> None:
    """Forget lengths; a reshape to one row of anything keeps the rows that there are."""
    for place in dimensions:
        graph.input[0].type.tensor_type.shape.dim[place].dim_param = f"length_{place}"
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    targets = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    for tensor in graph.initializer:
        if tensor.name in targets:
            one, *others = numpy_helper.to_array(tensor).tolist()
            if one == 1 and -1 in others:
                shape = np.array([_AS_IT_IS, *others], np.int64)
                tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))


def _replace_prelu(graph: GraphProto) -> None:
    """Write slope * x below zero and x above it as slope * x + (1 - slope) * relu(x).

    Two convolutions of one pixel and one channel each, and an addition that ONNX Runtime puts into
    the second one: all of them stay in the blocked layout.
    """
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        slope = _slope_of_channels(node, tensors)
        if slope is None:
            graph.node.append(node)
            continue
        source, target = node.input[0], node.output[0]
        scales = {f"{target}/slope": slope, f"{target}/rest": 1 - slope}
        graph.initializer.extend(
            numpy_helper.from_array(scale.reshape(-1, 1, 1, 1), name)
            for name, scale in scales.items()
        )
        below, above = scales
        graph.node.extend(
            [
                helper.make_node("Relu", [source], [f"{target}/relu"]),
                _scaling(source, below, len(slope)),
                _scaling(f"{target}/relu", above, len(slope)),
                helper.make_node("Add", [f"{above}/scaled", f"{below}/scaled"], [target]),
            ]
        )


def _scaling(source: str, scale: str, channels: int) -> Any:
    """A number for every channel, as a convolution."""
    return helper.make_node(
        "Conv", [source, scale], [f"{scale}/scaled"], group=channels, kernel_shape=[1, 1]
    )


def _slope_of_channels(node: Any, tensors: dict[str, Any]) -> npt.NDArray[np.float32] | None:
    """The slopes of a PRelu that has one for every channel of an image; else None."""
    if node.op_type != "PRelu" or node.input[1] not in tensors:
        return None
    slope = numpy_helper.to_array(tensors[node.input[1]])
    return slope.reshape(-1) if slope.ndim == 3 and slope.shape[1:] == (1, 1) else None
