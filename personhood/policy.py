"""Which thresholds the service decides by: the operator's calibration, or the pack's own."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from enrollment.manifest import Manifest
from personhood.errors import CalibrationMissing, KeyUnusable
from personhood.settings import Settings
from uniqueness.calibration_file import public_key_of, read_calibration
from uniqueness.decision import ThresholdPolicy
from uniqueness.fusion import Fusion
from uniqueness.key_files import load_or_create_key

_PUBLIC_KEY_BYTES = 32


@dataclass(frozen=True)
class DecisionRule:
    """How scores become decisions: thresholds, and the fusion of several models.

    Args:
        policy: sets the thresholds.
        fusion: of several models.
        version: names the thresholds in the decision log: a calibration file by its digest, or
            the pack's own thresholds by their values.
    """

    policy: ThresholdPolicy
    fusion: Fusion | None
    version: str


def decision_rule(settings: Settings, packs: Sequence[Manifest]) -> DecisionRule:
    """What the settings ask for.

    Raises:
        CalibrationMissing: several models, whose fusion only a calibration can give.
        CalibrationError: the file is not this operator's, or not of these models.
        KeyUnusable: the operator's public key file holds none.
    """
    if settings.calibration is not None:
        models = [pack.model for pack in packs]
        path = settings.calibration.expanduser()
        calibration = read_calibration(path, operator_public_key(settings), models)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return DecisionRule(calibration, calibration.fusion, f"calibration {digest[:16]}")
    if len(packs) > 1:
        raise CalibrationMissing(
            f"{settings.model_pack} fuses {len(packs)} models, which takes a calibration: run "
            "`personhood calibrate DIR --out FILE` and set PERSONHOOD_CALIBRATION=FILE"
        )
    fixed = packs[0].thresholds
    version = f"fixed review={fixed.review:g} duplicate={fixed.duplicate:g}"
    return DecisionRule(fixed, None, version)


def operator_key(settings: Settings) -> bytes:
    """The 32 bytes that sign calibrations; made on first use in `operator.key`, mode 0600.

    Raises:
        InvalidKey: the key file cannot be used.
    """
    return load_or_create_key(settings.operator_key_file())


def operator_public_key(settings: Settings) -> bytes:
    """What calibrations are checked with: `operator.pub` in hex, or else of the private key.

    A machine that only serves needs no private key, just `operator.pub`.

    Raises:
        KeyUnusable: `operator.pub` is not 32 bytes in hex.
        InvalidKey: the private key's file cannot be used.
    """
    file = settings.operator_key_file().with_suffix(".pub")
    if not file.is_file():
        return public_key_of(operator_key(settings))
    try:
        key = bytes.fromhex(file.read_text().strip())
    except ValueError:
        key = b""
    if len(key) != _PUBLIC_KEY_BYTES:
        raise KeyUnusable(f"{file} is not the 64 hex digits that `personhood calibrate` printed")
    return key
