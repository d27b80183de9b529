"""What is asked and answered over HTTP, and the OpenAPI description of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import models_json_schema

from textmill import __version__
from textmill.params import Params

MAX_BYTES, MAX_TEXTS, MAX_CHARS = 1 << 20, 256, 10_000
_TEMPLATE = "#/components/schemas/{model}"
_ERRORS = {
    400: "The body is not JSON, or Host is missing.",
    403: "Host is not a name of this server, or a page of another origin asks.",
    408: "The body did not come in time.",
    413: f"The body has more than {MAX_BYTES:,} bytes.",
    415: "The body is said to be something else than JSON.",
    422: "The JSON is not a request.",
    429: "Too much is waiting: try again.",
    503: "The analysis process is down: /healthz says why.",
}


class PredictRequest(Params):
    """Texts to be classified."""

    texts: list[Annotated[str, Field(max_length=MAX_CHARS)]] = Field(min_length=1, max_length=MAX_TEXTS)


class TextPrediction(Params):
    """What the model says of one text."""

    label: str | None = Field(description="null for a text that training would have set aside.")
    confidence: float | None = Field(description="The label's probability.", ge=0, le=1.0001)
    reason: str | None = Field(description="Why the text would be set aside, such as too_short.")


class PredictResponse(Params):
    """A prediction for each text, in their order."""

    model: str
    version: int
    predictions: list[TextPrediction]


class Health(Params):
    """The version that answers."""

    status: Literal["ok", "behind", "down"] = Field(
        description="behind: it answers, but what is current can't be served; down: no text can be answered."
    )
    model: str
    version: int
    run: str
    problems: list[str] = Field(description="What keeps it from serving what is current.")


class ErrorResponse(Params):
    """What was wrong with a request."""

    error: str


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 description."""
    models = [PredictRequest, PredictResponse, Health, ErrorResponse]
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_TEMPLATE)
    return {
        "openapi": "3.1.0",
        "info": {"title": "textmill serve", "version": __version__},
        "paths": {"/predict": {"post": _predict()}, "/healthz": {"get": _healthz()}},
        "components": {"schemas": schemas["$defs"]},
    }


def _predict() -> dict[str, Any]:
    errors = {str(status): _answer(ErrorResponse, text) for status, text in _ERRORS.items()}
    return {
        "operationId": "predict",
        "summary": "Classify texts.",
        "requestBody": {"required": True, "content": _json(PredictRequest)},
        "responses": {"200": _answer(PredictResponse, "The predictions."), **errors},
    }


def _healthz() -> dict[str, Any]:
    responses = {"200": _answer(Health, "It answers."), "503": _answer(Health, "It can't answer.")}
    responses |= {"400": _answer(ErrorResponse, "Host is missing."), "403": _answer(ErrorResponse, _ERRORS[403])}
    return {"operationId": "healthz", "summary": "The version that answers.", "responses": responses}


def _answer(model: type[Params], description: str) -> dict[str, Any]:
    return {"description": description, "content": _json(model)}


def _json(model: type[Params]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _TEMPLATE.format(model=model.__name__)}}}
