"""The converter against a small reference of the TensorFlow operations, written in NumPy."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from enrollment.errors import ModelPackInvalid
from enrollment.tfjs import convert
from uniqueness.onnx import onnxruntime

generator = np.random.default_rng(7)
KERNEL = generator.normal(size=(3, 3, 2, 4)).astype(np.float16)
BIAS = generator.normal(size=4).astype(np.float32)
SCALE = generator.normal(size=4).astype(np.float32)
DENSE = generator.normal(size=(3 * 2 * 4, 3)).astype(np.float32)
OFFSET = generator.normal(size=3).astype(np.float32)
WEIGHTS = {"kernel": KERNEL, "bias": BIAS, "scale": SCALE, "dense": DENSE, "offset": OFFSET}


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def numbers(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(value) for value in values]}}


def fused(*names: str) -> dict[str, Any]:
    return {"list": {"s": [text(name)["s"] for name in names]}}


def node(name: str, op: str, inputs: list[str] | None = None, **attr: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "input": inputs or [], "attr": attr}


def graph(padding: str = "SAME", **changes: dict[str, Any]) -> bytes:
    """A convolution of 6x4 pixels, a scale, pooling, a dense layer, softmax."""
    dims = [{"size": size} for size in ("-1", "6", "4", "2")]
    nodes = {
        "x": node("x", "Placeholder", shape={"shape": {"dim": dims}}),
        **{name: node(name, "Const") for name in [*WEIGHTS, "shape"]},
        "conv": node(
            "conv",
            "_FusedConv2D",
            ["x", "kernel", "bias"],
            padding=text(padding),
            strides=numbers(1, 1, 1, 1),
            fused_ops=fused("BiasAdd", "Relu"),
        ),
        "mul": node("mul", "Mul", ["conv", "scale"]),
        "pool": node(
            "pool",
            "MaxPool",
            ["mul"],
            padding=text("VALID"),
            ksize=numbers(1, 2, 2, 1),
            strides=numbers(1, 2, 2, 1),
        ),
        "flat": node("flat", "Reshape", ["pool", "shape"]),
        "fc": node("fc", "_FusedMatMul", ["flat", "dense", "offset"], fused_ops=fused("BiasAdd")),
        "soft": node("soft", "Softmax", ["fc"]),
        "out": node("out", "Identity", ["soft"]),
    } | changes
    entries = [
        {"name": name, "shape": list(array.shape), "dtype": "float32"}
        | ({"quantization": {"dtype": "float16"}} if array.dtype == np.float16 else {})
        for name, array in WEIGHTS.items()
    ]
    entries.append({"name": "shape", "shape": [2], "dtype": "int32"})
    model = {
        "modelTopology": {"node": list(nodes.values())},
        "weightsManifest": [{"paths": ["w.bin"], "weights": entries}],
    }
    return json.dumps(model).encode()


CONTENT = b"".join(w.tobytes() for w in WEIGHTS.values()) + np.array([-1, 24], "<i4").tobytes()


def reference(images: np.ndarray) -> np.ndarray:
    """The same network in NumPy, in TensorFlow's own layout."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    conv = np.einsum("nyxcij,ijco->nyxo", windows, KERNEL.astype(np.float32)) + BIAS
    scaled = np.maximum(conv, 0) * SCALE
    pooled = scaled.reshape(len(images), 3, 2, 2, 2, 4).max(axis=(2, 4))
    logits = pooled.reshape(len(images), -1) @ DENSE + OFFSET
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_every_operation_is_what_tensorflow_means() -> None:
    session = onnxruntime.InferenceSession(convert(graph(), CONTENT))
    images = generator.normal(size=(5, 6, 4, 2)).astype(np.float32)
    [answer] = session.run(None, {session.get_inputs()[0].name: images})
    assert answer == pytest.approx(reference(images), abs=1e-6)


def test_the_conversion_is_the_same_every_time() -> None:
    assert convert(graph(), CONTENT) == convert(graph(), CONTENT)


@pytest.mark.parametrize(
    "changes",
    [
        {"soft": node("soft", "LeakyRelu", ["fc"])},
        {"fc": node("fc", "_FusedMatMul", ["flat", "dense", "offset"], fused_ops=fused("Elu"))},
        {"pool": node("pool", "MaxPool", ["mul"], padding=text("SAME"))},
        {"mul": node("mul", "Mul", ["conv", "nowhere"])},
        {"out": node("out", "Const")},
    ],
)
def test_what_is_not_exact_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelPackInvalid):
        convert(graph(**changes), CONTENT)


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"\0", b""])
def test_weights_of_another_length_are_refused(content: bytes) -> None:
    with pytest.raises(ModelPackInvalid):
        convert(graph(), content)


@pytest.mark.parametrize("damaged", [b"", b"[]", b"{}", b"\xff"])
def test_a_damaged_graph_is_refused(damaged: bytes) -> None:
    with pytest.raises(ModelPackInvalid):
        convert(damaged, CONTENT)
