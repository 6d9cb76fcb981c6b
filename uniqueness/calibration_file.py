"""The calibration's file: versioned JSON, signed by the operator with Ed25519 (RFC 8032).

Whoever can change a service's thresholds can switch deduplication off. So a service takes only a
file that its operator's key signed, for the models that it compares.

    {"format": "personhood-calibration", "version": 1, "calibration": {...},
     "public_key": "<64 hex digits>", "signature": "<128 hex digits>"}

The signature is over a line that names format and version, then the calibration as JSON with
sorted keys and no spaces.
"""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from uniqueness.calibration import Calibration, CalibrationData, Targets
from uniqueness.errors import (
    CalibrationOfOtherModel,
    CalibrationSignatureWrong,
    CalibrationUnreadable,
    CalibrationVersionUnknown,
    UniquenessError,
)
from uniqueness.fusion import Fusion, Rule
from uniqueness.llr import LlrMap
from uniqueness.miss_rates import MissRates
from uniqueness.score_model import ImpostorModel, TailParameters

FORMAT = "personhood-calibration"
VERSION = 1
_CONTEXT = f"{FORMAT} {VERSION}\n".encode()


def public_key_of(private_key: bytes) -> bytes:
    """The 32 bytes that check what 32 bytes of private key sign."""
    return Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def write_calibration(path: Path, calibration: Calibration, private_key: bytes) -> None:
    """Write a calibration in one step: a reader finds the old file or the whole new one.

    Args:
        path: of the file.
        calibration: to be signed.
        private_key: the operator's, 32 bytes.
    """
    body = _to_json(calibration)
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(_signed_bytes(body))
    document = {
        "format": FORMAT,
        "version": VERSION,
        "calibration": body,
        "public_key": public_key_of(private_key).hex(),
        "signature": signature.hex(),
    }
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with draft.open("x") as file:
        json.dump(document, file, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_calibration(path: Path, public_key: bytes, models: Sequence[str]) -> Calibration:
    """Read a calibration and check that it is the operator's and for these models.

    Args:
        path: of the file.
        public_key: the operator's, 32 bytes.
        models: names and versions that the gallery compares, in its order.

    Raises:
        CalibrationUnreadable: no such file, or not a calibration.
        CalibrationVersionUnknown: of another version of the format.
        CalibrationSignatureWrong: signed by another key, or changed after it was signed.
        CalibrationOfOtherModel: measured with other models.
    """
    document = _read_document(path)
    _check_signature(path, document, public_key)
    try:
        calibration = _from_json(document["calibration"])
    except (KeyError, TypeError, ValueError, AttributeError, UniquenessError) as error:
        raise CalibrationUnreadable(
            f"{path} is signed but does not hold a calibration: {type(error).__name__} {error}"
        ) from error
    if calibration.models != tuple(models):
        raise CalibrationOfOtherModel(
            f"{path} was measured with {', '.join(calibration.models)}, the gallery compares "
            f"{', '.join(models)}: run `personhood calibrate` with this model pack"
        )
    return calibration


def _read_document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise CalibrationUnreadable(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CalibrationUnreadable(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CalibrationUnreadable(f"{path} is not a file made by `personhood calibrate`")
    if document.get("version") != VERSION:
        raise CalibrationVersionUnknown(
            f"{path} is of version {document.get('version')}, this program reads {VERSION}: run "
            "`personhood calibrate` again with the program that serves"
        )
    return document


def _check_signature(path: Path, document: dict[str, Any], public_key: bytes) -> None:
    if document.get("public_key") != public_key.hex():
        raise CalibrationSignatureWrong(
            f"{path} was signed with another key than this operator's: make it here with "
            "`personhood calibrate`, or bring the operator's public key to this machine"
        )
    try:
        signature = bytes.fromhex(document["signature"])
        signed = _signed_bytes(document["calibration"])
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    except (InvalidSignature, KeyError, TypeError, ValueError):
        raise CalibrationSignatureWrong(
            f"{path} was changed after it was signed: take the original, or run "
            "`personhood calibrate` again"
        ) from None


def _signed_bytes(body: Any) -> bytes:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return _CONTEXT + text.encode()


def _to_json(calibration: Calibration) -> dict[str, Any]:
    impostors, misses = calibration.impostors, calibration.misses
    return {
        "models": list(calibration.models),
        "fusion": _fusion_to_json(calibration.fusion),
        "targets": asdict(calibration.targets),
        "data": asdict(calibration.data),
        "impostors": {
            "estimate": _tail_to_json(impostors.estimate),
            "replicates": [_tail_to_json(fit) for fit in impostors.replicates],
            "crowd": impostors.crowd.tolist(),
        },
        "misses": {
            "scores": misses.scores.tolist(),
            "shares": misses.shares.tolist(),
            "people": misses.people,
        },
    }


def _from_json(body: dict[str, Any]) -> Calibration:
    impostors, misses = body["impostors"], body["misses"]
    return Calibration(
        models=tuple(body["models"]),
        fusion=_fusion_from_json(body["models"], body["fusion"]),
        targets=Targets(**body["targets"]),
        data=CalibrationData(**body["data"]),
        impostors=ImpostorModel(
            estimate=_tail_from_json(impostors["estimate"]),
            replicates=tuple(_tail_from_json(fit) for fit in impostors["replicates"]),
            crowd=np.array(impostors["crowd"], np.float64).reshape(-1, 2),
        ),
        misses=MissRates(
            scores=np.array(misses["scores"], np.float64),
            shares=np.array(misses["shares"], np.float64),
            people=int(misses["people"]),
        ),
    )


def _tail_to_json(fit: TailParameters) -> list[float]:
    """Its fields in the order of their declaration."""
    flat = (fit.level, fit.start, fit.shape, fit.scale, fit.place, fit.log_scale, *fit.spread)
    return list(flat)


def _tail_from_json(values: list[float]) -> TailParameters:
    level, start, shape, scale, place, log_scale, a, b, c = (float(value) for value in values)
    return TailParameters(level, start, shape, scale, place, log_scale, (a, b, c))


def _fusion_to_json(fusion: Fusion | None) -> dict[str, Any] | None:
    if fusion is None:
        return None
    return {"rule": fusion.rule.value, "maps": [[m.slope, m.offset] for m in fusion.maps]}


def _fusion_from_json(models: list[str], fusion: dict[str, Any] | None) -> Fusion | None:
    if fusion is None:
        return None
    maps = tuple(LlrMap(float(slope), float(offset)) for slope, offset in fusion["maps"])
    return Fusion(tuple(models), maps, Rule(fusion["rule"]))
