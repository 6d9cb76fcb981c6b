"""Decodes mutated photographs within a memory limit; run by `test_decoder_fuzzing.py`.

python fuzz_decoder.py SEED ROUNDS
"""

import io
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from enrollment.capture import decode
from enrollment.errors import CaptureRejected

MAX_SECONDS = 5.0  # of CPU time, for one file
MAX_MEGABYTES = 512


def seeds() -> list[bytes]:
    """Files of every format and mode that is taken, small so that mutations hit structure."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (40, 48, 3), dtype=np.uint8)
    colour = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    kinds: list[tuple[Image.Image, str, dict[str, object]]] = [
        (colour, "JPEG", {"exif": exif}),
        (colour, "JPEG", {"progressive": True, "quality": 60}),
        (colour.convert("CMYK"), "JPEG", {}),
        (colour.convert("L"), "JPEG", {"restart_marker_blocks": 2}),
        (colour, "PNG", {"exif": exif}),
        (colour.convert("RGBA"), "PNG", {}),
        (colour.convert("P"), "PNG", {"transparency": 3}),
        (Image.fromarray(pixels[..., 0].astype(np.uint16) * 257), "PNG", {}),
        (colour, "PNG", {"save_all": True, "append_images": [colour.rotate(90)]}),
        (colour, "WEBP", {"exif": exif}),
        (colour.convert("RGBA"), "WEBP", {"lossless": True}),
        (colour, "WEBP", {"save_all": True, "append_images": [colour.rotate(90)]}),
    ]
    files = []
    for image, kind, options in kinds:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        files.append(buffer.getvalue())
    return files


def mutate(content: bytes, generator: np.random.Generator) -> bytes:
    """Change bytes, bits, lengths and order; most changes leave the file's signature alone."""
    data = bytearray(content)
    for _ in range(int(generator.integers(1, 6))):
        place = int(generator.integers(4 if generator.random() < 0.95 else 0, len(data)))
        span = int(generator.integers(1, 1 + min(64, len(data) - place)))
        match int(generator.integers(0, 7)):
            case 0:
                data[place] = int(generator.integers(0, 256))
            case 1:
                data[place] ^= 1 << int(generator.integers(0, 8))
            case 2:
                data[place : place + 4] = generator.choice(EXTREMES)
            case 3:
                del data[place : place + span]
            case 4:
                data[place:place] = data[place : place + span] * int(generator.integers(1, 20))
            case 5:
                data[place : place + span] = generator.bytes(span)
            case _:
                del data[place:]
        if len(data) < 16:
            break
    return bytes(data)


EXTREMES = [bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x00\x13\x88"]


def peak_megabytes() -> int:
    """Most memory that this program ever had resident, without its parent's before the fork."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def main() -> None:
    """Decode until done; anything but a picture or a coded refusal ends the process."""
    warnings.simplefilter("ignore")  # damaged metadata is not worth a word
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    generator = np.random.default_rng(int(sys.argv[1]))
    originals, decoded = seeds(), 0
    for file in originals:
        decode(file)
    for _ in range(int(sys.argv[2])):
        content = mutate(originals[int(generator.integers(0, len(originals)))], generator)
        started = time.process_time()
        try:
            image = decode(content)
            decoded += 1
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise AssertionError(f"a picture of shape {image.shape}")
        except CaptureRejected:
            pass
        if time.process_time() - started > MAX_SECONDS:
            raise AssertionError("a file took too long")
    peak = peak_megabytes()
    if peak > MAX_MEGABYTES:
        raise AssertionError(f"{peak} MB")
    print(f"{decoded} decoded, peak {peak} MB")


if __name__ == "__main__":
    main()
