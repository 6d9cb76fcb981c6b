"""What travels between kiosk and service, as pydantic models."""

import base64
import binascii
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from enrollment.errors import MalformedRequest
from enrollment.gate import MAX_FRAMES

_Body = TypeVar("_Body", bound=BaseModel)


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class RegistrationBody(_Request):
    """A new kiosk introduces itself."""

    code: str = Field(max_length=40, description="the operator's one-time code")
    public_key: str = Field(max_length=60, description="base64url of 32 bytes, Ed25519")


class SessionBody(_Request):
    """A turn begins; there is nothing to say yet."""


class EnrollmentBody(_Request):
    """A turn's result."""

    session_id: str = Field(max_length=40)
    statement: str = Field(max_length=1024, description="the wallet's answer to the challenge")
    frames: list[str] = Field(
        min_length=1,
        max_length=MAX_FRAMES,
        description="base64 of a JPEG, PNG or WebP photograph each, in the order of the poses",
    )
    kind: Literal["enrollment", "recovery"] = Field(
        "enrollment", description="`recovery`: the person was enrolled, with a wallet that is lost"
    )
    consents: list[Literal["review", "enrolled"]] = Field(
        default_factory=list,
        max_length=2,
        description="what may be kept, sealed: `review`, pictures until two people have decided a "
        "review; `enrolled`, pictures for as long as the person is enrolled",
    )


class RegistrationAnswer(BaseModel):
    """Who the kiosk is from now on."""

    kiosk_id: str
    name: str


class SessionAnswer(BaseModel):
    """What wallet and person are asked for."""

    session_id: str
    challenge: str = Field(description="for the wallet to sign, with `personhood wallet statement`")
    poses: list[Literal["front", "left", "right"]] = Field(description="one frame each")
    expires_in: int = Field(description="seconds")


Outcome = Literal["accepted", "recovered", "duplicate", "review", "adjudication", "not_found"]


class EnrollmentAnswer(BaseModel):
    """An outcome, and what to do next."""

    outcome: Outcome
    next: str
    enrollment_id: str | None = Field(
        None, description="with it alone the outcome is asked for later: keep it to the person"
    )
    receipt: str | None = Field(None, description="JWS, checked with the key set at /v1/keys")
    request_id: str


class ChallengeBody(_Request):
    """A wallet comes without a kiosk; there is nothing to say yet."""


class ChallengeAnswer(BaseModel):
    """What the wallet is to sign."""

    challenge: str
    expires_in: int = Field(description="seconds")


class DeletionBody(_Request):
    """A person asks to be forgotten, or that their pictures are."""

    challenge: str = Field(max_length=64)
    statement: str = Field(max_length=1024, description="the wallet's answer to the challenge")
    only: Literal["images"] | None = Field(
        None, description="`images`: destroy what pictures are kept, and stay enrolled"
    )


class DeletionAnswer(BaseModel):
    """What became of it."""

    outcome: Literal["deleted", "deleted_before", "withdrawn", "images_deleted", "no_images"]
    next: str
    receipt: str | None = Field(None, description="JWS, checked with the key set at /v1/keys")
    request_id: str


class HealthAnswer(BaseModel):
    """Whether the service can enrol, and with which model."""

    status: Literal["ok", "down"]
    model: str
    gallery_open: bool
    request_id: str


def parse(kind: type[_Body], body: bytes) -> _Body:
    """Parse a body.

    Raises:
        MalformedRequest: it is not what the API describes; names the fields, never their values.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, e["loc"])) or "body" for e in error.errors())
        expected = ", ".join(kind.model_fields) or "nothing"
        raise MalformedRequest(
            f"Send a JSON object with {expected}; wrong here: {fields}."
        ) from None


def from_base64(text: str, *, urlsafe: bool = False) -> bytes:
    """Decode base64, with or without padding when urlsafe.

    Raises:
        MalformedRequest: it is not base64.
    """
    try:
        if urlsafe:
            return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedRequest("A photograph or key is not base64.") from None


def schema(kind: type[BaseModel]) -> dict[str, Any]:
    """Describe a body that the service reads by itself, for OpenAPI."""
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": kind.model_json_schema()}},
        }
    }
