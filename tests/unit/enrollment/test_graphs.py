"""A rewritten network computes what the original did."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from enrollment.errors import ModelPackInvalid
from enrollment.graphs import rewritten
from uniqueness.onnx import onnxruntime

generator = np.random.default_rng(5)
KERNEL = generator.standard_normal((16, 3, 3, 3)).astype(np.float32)
SLOPES = np.linspace(-0.8, 1.2, 16, dtype=np.float32).reshape(16, 1, 1)
ONE_SLOPE = np.array([0.25], np.float32)
IMAGES = generator.standard_normal((4, 3, 8, 8)).astype(np.float32)


def network(slope=SLOPES):
    """A convolution and a PRelu for a batch of one, with the weights listed as inputs."""
    weights = {"kernel": KERNEL, "slope": slope}
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in [("x", (1, 3, 8, 8)), ("kernel", KERNEL.shape), ("slope", slope.shape)]
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "kernel"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("PRelu", ["c", "slope"], ["y"]),
        ],
        "network",
        values,
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 16, 8, 8))],
        [numpy_helper.from_array(weight, name) for name, weight in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=3)
    return model.SerializeToString()


def run(model, images):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def operations(model):
    return [node.op_type for node in onnx.load_from_string(model).graph.node]


@pytest.mark.parametrize("without_prelu", [True, False])
@pytest.mark.parametrize("slope", [SLOPES, ONE_SLOPE], ids=["of channels", "one"])
def test_a_batch_gives_what_each_image_gave(slope, without_prelu):
    original = network(slope)
    expected = np.concatenate([run(original, image[None]) for image in IMAGES])
    answers = run(rewritten(original, any_length=(0,), without_prelu=without_prelu), IMAGES)
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_slopes_of_channels_are_rewritten_for_a_cpu_alone():
    assert "PRelu" not in operations(rewritten(network(), without_prelu=True))
    assert "PRelu" in operations(rewritten(network()))


def test_a_slope_for_everything_stays():
    model = rewritten(network(ONE_SLOPE), without_prelu=True)
    assert operations(model) == ["Conv", "PRelu"]


def test_weights_are_no_inputs():
    graph = onnx.load_from_string(rewritten(network())).graph
    assert [value.name for value in graph.input] == ["x"]


def test_a_batch_of_one_stays_where_nobody_vouches_for_more():
    model = rewritten(network(), without_prelu=True)
    with pytest.raises(Exception, match="invalid dimensions"):
        run(model, IMAGES)


def test_a_file_that_is_no_network_is_refused():
    with pytest.raises(ModelPackInvalid, match="no ONNX model"):
        rewritten(b"\xff\xd8 a photograph", any_length=(0,))
