"""ONNX Runtime, told to keep to itself. The one file that imports it.

From 1.29 on its packages report processes and opened models to their maker, also on Linux, and keep
a device id and a queue of reports in the user's cache, unless this is set before the library is
loaded. What a service does with faces is nobody else's business: docs/decisions/0042.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

__all__ = ["onnxruntime"]
