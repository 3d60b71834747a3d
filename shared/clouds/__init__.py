"""The one place that knows a cloud provider: ports by capability, models, errors, and one folder per cloud."""
