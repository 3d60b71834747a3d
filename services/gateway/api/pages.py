"""Which page of a list is asked for? What every list route takes beside its own filters."""

from pydantic import BaseModel, ConfigDict, Field

from shared.messages.texts import Line


class PageQuery(BaseModel):
    """`limit` things after `cursor`, in the order of `sort`. A list adds its filters; a misspelt one is 422.

    `sort` names a field, `-` before it descends; each list says in its documentation which fields it takes.
    """

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=200)
    cursor: Line | None = Field(default=None, max_length=2000, description="`next_cursor` of the page before")
    sort: Line | None = Field(default=None, max_length=100, description="A field; `-` before it descends")
