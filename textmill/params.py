"""Parameters are declared once; validation, documentation, cache key and JSON Schema derive from them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """Frozen parameters of an operation, a model or an engine. Unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def canonical(self) -> dict[str, Any]:
        """All values, defaults included, as JSON types: what a cache key is made of."""
        return self.model_dump(mode="json", by_alias=True)
