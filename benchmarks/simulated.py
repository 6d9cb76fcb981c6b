"""Photographs changed as measurements need them: turned heads, flat pictures, prints, screens.

All of it is simulation. It tells what a measure reacts to; it does not replace recordings of real
people and real attacks at a real kiosk.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Generator = np.random.Generator


@dataclass(frozen=True)
class FaceFrame:
    """Where a face lies in a picture: origin between eyes and mouth, unit the eye distance."""

    origin: Floats
    across: Floats
    down: Floats
    unit: float

    @classmethod
    def of(cls, landmarks: npt.NDArray[np.float32]) -> "FaceFrame":
        """Take it from five landmarks."""
        left, right, _, mouth_left, mouth_right = landmarks.astype(float)
        unit = float(np.hypot(*(right - left)))
        across = (right - left) / unit
        origin = ((left + right) / 2 + (mouth_left + mouth_right) / 2) / 2
        return cls(origin, across, np.array([-across[1], across[0]]), unit)

    def to_face(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Turn pixels into eye distances."""
        dx, dy = x - self.origin[0], y - self.origin[1]
        return (
            (dx * self.across[0] + dy * self.across[1]) / self.unit,
            (dx * self.down[0] + dy * self.down[1]) / self.unit,
        )

    def to_picture(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Turn eye distances into pixels."""
        return (
            self.origin[0] + self.unit * (x * self.across[0] + y * self.down[0]),
            self.origin[1] + self.unit * (x * self.across[1] + y * self.down[1]),
        )


def turn_head(image: Image, landmarks: npt.NDArray[np.float32], yaw: float) -> Image:
    """Turn a head by degrees (positive: its nose to the right of the picture).

    The photograph is laid over an ellipsoid with a nose, which is turned before a still background
    and seen from afar; what the turn uncovers is painted in. Good to about 45 degrees.
    """
    frame, (height, width), fine = FaceFrame.of(landmarks), image.shape[:2], 2
    big = cv2.resize(image, (width * fine, height * fine), interpolation=cv2.INTER_CUBIC)
    rows, columns = np.mgrid[0 : height * fine, 0 : width * fine]
    x, y = frame.to_face((columns + 0.5) / fine - 0.5, (rows + 0.5) / fine - 0.5)
    round_part = np.clip(1 - (x / 1.2) ** 2 - ((y + 0.15) / 1.75) ** 2, 0, None)
    head = round_part > 0
    nose = 0.42 * np.exp(-((x / 0.16) ** 2) / 2 - ((y - 0.1) / 0.3) ** 2 / 2)
    z = 1.25 * np.sqrt(round_part) + nose
    angle = np.radians(yaw)
    turned_x = np.where(head, x * np.cos(angle) + z * np.sin(angle), x)
    turned_z = np.where(head, z * np.cos(angle) - x * np.sin(angle), -9.0)
    out_x, out_y = (np.rint(v).astype(int) for v in frame.to_picture(turned_x, y))
    seen = (out_x >= 0) & (out_x < width) & (out_y >= 0) & (out_y < height)
    order = np.argsort(turned_z[seen], kind="stable")  # the nearest is painted last
    target = out_y[seen][order], out_x[seen][order]
    result, holes = np.zeros_like(image), np.ones((height, width), np.uint8)
    result[target], holes[target] = big[seen][order], 0
    return _pixels(cv2.medianBlur(cv2.inpaint(result, holes, 3, cv2.INPAINT_TELEA), 3))


def hold_flat(
    image: Image,
    landmarks: npt.NDArray[np.float32],
    yaw: float,
    pitch: float = 0.0,
    *,
    distance: float = 6.0,
    bend: float = 0.0,
) -> Image:
    """Hold the photograph as a flat or bent sheet, turned by degrees, before the camera.

    Args:
        distance: of the camera, in eye distances; 6 is about 40 cm for a face in its own size.
        bend: degrees by which the sheet curves over one eye distance, around a vertical axis.
    """
    frame, (height, width) = FaceFrame.of(landmarks), image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    if bend:
        return _bend(image, frame, np.radians(yaw), np.radians(bend))
    x, y = frame.to_face(corners[:, 0], corners[:, 1])
    a, b = np.radians([yaw, pitch])
    z = -x * np.sin(a)
    x, y, z = x * np.cos(a), y * np.cos(b) + z * np.sin(b), z * np.cos(b) - y * np.sin(b)
    nearer = distance / np.maximum(distance - z, 0.5)
    moved = np.stack(frame.to_picture(x * nearer, y * nearer), axis=1)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    border = cv2.BORDER_REPLICATE
    return _pixels(cv2.warpPerspective(image, matrix, (width, height), borderMode=border))


def _bend(image: Image, frame: FaceFrame, yaw: float, bend: float) -> Image:
    height, width = image.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    x, y = frame.to_face(columns.astype(float), rows.astype(float))
    radius = 1 / bend  # in eye distances
    sheet = radius * (np.arcsin(np.clip(x / radius + np.sin(yaw), -1, 1)) - yaw)
    source = frame.to_picture(sheet, y)
    flat = [v.astype(np.float32) for v in source]
    return _pixels(cv2.remap(image, *flat, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def print_and_photograph(image: Image, generator: Generator) -> Image:
    """Print on paper (narrow gamut, halftone), light it warmly, photograph it."""
    fine, (height, width) = 3, image.shape[:2]
    ink = (image / 255 - 0.5) * generator.uniform(0.65, 0.85) + 0.5 + generator.uniform(-0.03, 0.06)
    ink *= [generator.uniform(0.85, 1), generator.uniform(0.95, 1.02), generator.uniform(1, 1.1)]
    size = width * fine, height * fine
    sheet = cv2.resize(np.clip(ink, 0, 1), size, interpolation=cv2.INTER_CUBIC)
    rows, columns = np.mgrid[0 : height * fine, 0 : width * fine]
    for channel, angle in enumerate(np.radians([15, 75, 45])):
        pitch = 2 * np.pi / generator.uniform(3.5, 4.5)
        dots = np.cos(pitch * (columns * np.cos(angle) + rows * np.sin(angle)))
        dots += np.cos(pitch * (rows * np.cos(angle) - columns * np.sin(angle)))
        tone = sheet[..., channel]
        sheet[..., channel] = np.clip(tone + 0.055 * dots * (1 - np.abs(2 * tone - 1)), 0, 1)
    paper = cv2.GaussianBlur(sheet, (0, 0), 1.2)
    return _photographed(
        cv2.resize(paper, (width, height), interpolation=cv2.INTER_AREA), generator
    )


def show_on_screen(image: Image, generator: Generator) -> Image:
    """Show on a display of coloured stripes, and sample it at another pitch: moire and glare."""
    fine, (height, width) = 3, image.shape[:2]
    display = np.repeat(np.repeat(image / 255, fine, 0), fine, 1)
    stripes = np.full((fine, fine, 3), 0.6)
    for channel in range(3):
        stripes[:, 2 - channel, channel] = 1.2
    display = cv2.GaussianBlur(display * np.tile(stripes, (height, width, 1)), (0, 0), 1.1)
    center = width * fine / 2, height * fine / 2
    matrix = cv2.getRotationMatrix2D(center, generator.uniform(-4, 4), generator.uniform(0.31, 0.4))
    matrix[:, 2] += np.array([width, height]) / 2 - center
    border = cv2.BORDER_REFLECT
    seen = cv2.warpAffine(display, matrix, (width, height), borderMode=border)
    seen = seen * generator.uniform(1, 1.25) + generator.uniform(0, 0.06)
    seen *= [generator.uniform(1, 1.12), 1, generator.uniform(0.88, 1)]
    rows, columns = np.mgrid[0:height, 0:width]
    x, y = generator.uniform(0, width), generator.uniform(0, height)
    glare = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (width * 0.12) ** 2))
    return _photographed(seen + 0.12 * glare[..., None], generator)


def send_again(image: Image, generator: Generator) -> Image:
    """Save the same picture again: a little cropped, smaller, other exposure, other quality."""
    height, width = image.shape[:2]
    inset = [int(generator.uniform(0, 0.04) * side) for side in (height, width, height, width)]
    cut = image[inset[0] : height - inset[2], inset[1] : width - inset[3]]
    scale = generator.uniform(0.8, 1.2)
    cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    toned = cut * generator.uniform(0.9, 1.1) + generator.uniform(-8, 8)
    return as_jpeg(_pixels(np.clip(toned, 0, 255)), int(generator.integers(60, 92)))


def cover(image: Image, landmarks: npt.NDArray[np.float32], what: str) -> Image:
    """Put dark glasses, a mask over nose and mouth, or a hand over one side."""
    frame = FaceFrame.of(landmarks)
    x, y, half_width, half_height = {
        "glasses": (0.0, -0.5, 1.1, 0.28),
        "mask": (0.0, 0.45, 1.0, 0.7),
        "side": (0.45, 0.0, 0.5, 1.2),
    }[what]
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [half_width, half_height] + [x, y]
    polygon = np.stack(frame.to_picture(corners[:, 0], corners[:, 1]), axis=1).round().astype(int)
    colour = {"glasses": (25, 22, 20), "mask": (200, 160, 120), "side": (110, 140, 185)}[what]
    return _pixels(cv2.fillPoly(image.copy(), [polygon], colour))


def as_jpeg(image: Image, quality: int) -> Image:
    """Encode and decode."""
    return _pixels(
        cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)
    )


def _photographed(scene: Floats, generator: Generator) -> Image:
    """Blur and noise of a camera, hands that do not hold still, JPEG."""
    height, width = scene.shape[:2]
    seen = cv2.GaussianBlur(scene, (0, 0), generator.uniform(0.3, 0.8))
    seen = _pixels(np.clip(seen + generator.normal(0, 0.01, seen.shape), 0, 1) * 255)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    moved = corners + generator.uniform(-0.04, 0.04, (4, 2)) * [width, height]
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    border = cv2.BORDER_REFLECT
    seen = cv2.warpPerspective(seen, matrix, (width, height), borderMode=border)
    return as_jpeg(_pixels(seen), int(generator.integers(75, 95)))


def _pixels(values: npt.ArrayLike) -> Image:
    return np.asarray(values).astype(np.uint8)
