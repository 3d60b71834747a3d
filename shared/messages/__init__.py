"""The contracts between services: pydantic models, one file per noun; subjects derive from the class."""
