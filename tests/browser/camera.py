"""What the browser's camera sees: a film that a test may change while it runs.

Chromium reads a `.y4m` file frame by frame and starts again at its end, so what is written into
the file is what the camera sees next.
"""

from functools import cache
from pathlib import Path

import numpy as np
import segno
from PIL import Image, ImageOps

from enrollment.engine import YuNetDetector
from enrollment.faces import DetectedFace
from enrollment.pose import head_pose
from tests.models import opencv_pack

SIZE = 800, 600
FRAMES = 6  # each with its own noise: no camera sends the same frame twice
FACE_HEIGHT = 0.48  # of the frame
NOISE = 2.0  # levels of 255

_HEADER = "YUV4MPEG2 W{} H{} F15:1 Ip A1:1 C420jpeg\n".format(*SIZE).encode()
_BACKDROP = (150, 158, 165)


class FakeCamera:
    """A film that shows nobody until it is told what to show."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._generator = np.random.default_rng(1)
        path.write_bytes(_HEADER + self._film(nobody()))

    def show(self, image: Image.Image) -> None:
        """Let the camera see something else from its next frame on."""
        with self.path.open("r+b") as film:
            film.seek(len(_HEADER))
            film.write(self._film(image))

    def _film(self, image: Image.Image) -> bytes:
        pixels = np.asarray(image.resize(SIZE), np.float32)
        noisy = (self._generator.normal(pixels, NOISE) for _ in range(FRAMES))
        return b"".join(_frame(frame.clip(0, 255).astype(np.uint8)) for frame in noisy)


def _frame(pixels: np.ndarray) -> bytes:
    luma, *chroma = Image.fromarray(pixels).convert("YCbCr").split()
    half = SIZE[0] // 2, SIZE[1] // 2
    return b"FRAME\n" + b"".join([luma.tobytes(), *(c.resize(half).tobytes() for c in chroma)])


def nobody() -> Image.Image:
    """An empty room."""
    return Image.new("RGB", SIZE, _BACKDROP)


def two_people(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two people side by side."""
    room = nobody()
    for i, photograph in enumerate((left, right)):
        half = in_front_of_camera(photograph).crop((SIZE[0] // 4, 0, 3 * SIZE[0] // 4, SIZE[1]))
        room.paste(half, (i * SIZE[0] // 2, 0))
    return room


def in_front_of_camera(photograph: Image.Image) -> Image.Image:
    """The person of a photograph, upright, where the page wants them."""
    face = _face(photograph)
    left, top, right, bottom = face.box
    scale = (bottom - top) / (FACE_HEIGHT * SIZE[1])  # pixels of the photograph for one of ours
    roll = np.radians(head_pose(face).roll)
    along, across = scale * np.cos(roll), scale * np.sin(roll)
    x, y = (left + right) / 2, (top + bottom) / 2
    return photograph.transform(
        SIZE,
        Image.Transform.AFFINE,
        (
            *(along, -across, x - along * SIZE[0] / 2 + across * SIZE[1] / 2),
            *(across, along, y - across * SIZE[0] / 2 - along * SIZE[1] / 2),
        ),
        Image.Resampling.BICUBIC,
        fillcolor=_BACKDROP,
    )


def holding(photograph: Image.Image, yaw: float) -> Image.Image:
    """The person with the head turned by about so many degrees to their own left.

    The middle of the face is pushed sideways until the detector sees the head so turned: no
    second photograph is needed, and a recogniser knows the person still.
    """
    upright = in_front_of_camera(photograph)
    if abs(yaw) > 20 and _yaw(upright) * yaw < 0:
        upright = ImageOps.mirror(upright)
    direction = 1 if yaw > _yaw(upright) else -1
    for amount in np.linspace(0, 1.2, 13):
        image = _pushed(upright, direction * amount)
        if direction * (_yaw(image) - yaw) >= 0:
            return image
    raise ValueError("this face cannot be turned so far")


def _pushed(photograph: Image.Image, amount: float) -> Image.Image:
    """Nose and, less so, head moved to the right by parts of the distance between the eyes."""
    face = _face(photograph)
    middle, nose, eye = (face.box[:2] + face.box[2:]) / 2, face.landmarks[2], face.eye_distance
    across, down = np.meshgrid(np.arange(SIZE[0], dtype=float), np.arange(SIZE[1], dtype=float))

    def bump(x: np.ndarray, center: np.ndarray, width: float, height: float) -> np.ndarray:
        return np.exp(
            -(((x - center[0]) / width / eye) ** 2) - ((down - center[1]) / height / eye) ** 2
        )

    source = across.copy()
    for _ in range(15):  # the pixel that comes to a place: by fixed-point iteration
        push = bump(source, nose, 0.6, 0.6) + 0.4 * bump(source, middle, 1.1, 1.5)
        source = 0.5 * source + 0.5 * (across - amount * eye * push)
    columns = source.round().astype(int).clip(0, SIZE[0] - 1)
    return Image.fromarray(np.asarray(photograph)[down.astype(int), columns])


def qr_code(text: str) -> Image.Image:
    """A telephone's screen with a QR code, held up to the camera."""
    code = segno.make(text, error="l", micro=False)
    image = Image.fromarray(np.array(list(code.matrix), np.uint8) ^ 1).point(lambda v: 255 * v)
    side = int(0.8 * SIZE[1])
    sharp = image.convert("RGB").resize((side, side), Image.Resampling.NEAREST)
    room = nobody()
    margin = 30
    room.paste((255, 255, 255), _around(side + 2 * margin))
    room.paste(sharp, _around(side)[:2])
    return room


def _around(side: int) -> tuple[int, int, int, int]:
    x, y = (SIZE[0] - side) // 2, (SIZE[1] - side) // 2
    return x, y, x + side, y + side


def _yaw(photograph: Image.Image) -> float:
    return head_pose(_face(photograph)).yaw


def _face(photograph: Image.Image) -> DetectedFace:
    """The widest face, as the service sees it."""
    pixels = np.ascontiguousarray(np.asarray(photograph)[:, :, ::-1])
    return _detector().detect([pixels])[0][0]


@cache
def _detector() -> YuNetDetector:
    return YuNetDetector(opencv_pack().detector_path)
