"""The OpenAPI description of the service, in a form of which a client can be generated."""

from typing import Any, Final

from fastapi import FastAPI

from enrollment.problems import MEDIA_TYPE, Problem

_COMPONENTS: Final = "#/components/schemas/"
_PROBLEM: Final = {
    "title": "Problem",
    "description": Problem.__doc__,
    "type": "object",
    "properties": {
        "type": {"type": "string", "title": "Type"},
        "title": {"type": "string", "title": "Title"},
        "status": {"type": "integer", "title": "Status"},
        "code": {"type": "string", "title": "Code"},
        "detail": {"type": "string", "title": "Detail"},
        "request_id": {"type": "string", "title": "Request Id"},
    },
    "required": ["type", "title", "status", "code", "detail", "request_id"],
}


class DescribedApp(FastAPI):
    """An application whose description names every body: generators make a class of a name."""

    def openapi(self) -> dict[str, Any]:
        """Describe the routes; see `fastapi.FastAPI.openapi`."""
        if self.openapi_schema is None:
            description = super().openapi()
            named = description.setdefault("components", {}).setdefault("schemas", {})
            for path in description["paths"].values():
                for operation in path.values():
                    for part in (
                        operation.get("requestBody", {}),
                        *operation["responses"].values(),
                    ):
                        _name_schemas(part, named)
        return super().openapi()


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Describe the errors that a route answers, for its `responses`."""
    return {
        code: {
            "description": "Problem details (RFC 9457)",
            "content": {MEDIA_TYPE: {"schema": dict(_PROBLEM)}},
        }
        for code in (*codes, 500)
    }


def _name_schemas(part: dict[str, Any], named: dict[str, Any]) -> None:
    """Move what stands inline in a body or an answer to the components, under its title."""
    for content in part.get("content", {}).values():
        schema = content.get("schema", {})
        if schema.get("type") == "object" and "properties" in schema:
            named[schema["title"]] = schema
            content["schema"] = {"$ref": _COMPONENTS + schema["title"]}
