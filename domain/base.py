"""The model that every type of the domain is built from."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable value. Unknown fields are refused, so that a misspelt one is never silently lost; errors do not
    repeat the input, so that what users wrote cannot reach a log (I14)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
