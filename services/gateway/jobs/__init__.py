"""The clock door: what the gateway does by itself."""

from shared.runtime.jobs import Jobs

jobs = Jobs()
