"""What people keep for themselves at the console: views of the queue, and pieces of reasoning."""

from pydantic import AwareDatetime, Field

from domain.base import Frozen


class SavedView(Frozen):
    """A view of the queue that somebody named: the query string of its filters."""

    id: str
    name: str = Field(min_length=1, max_length=80)
    query: str = Field(max_length=1_000)
    created_at: AwareDatetime


class Snippet(Frozen):
    """A piece of reasoning that is used often. `shared` ones are everybody's; leads keep them."""

    id: str
    title: str = Field(min_length=1, max_length=80)
    text: str = Field(min_length=1, max_length=2_000)
    shared: bool
    created_at: AwareDatetime
